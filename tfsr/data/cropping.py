"""One training sample of one image: an LR image, points of the HR image, and their colours.

NumPy, Pillow and SciPy only, so that worker processes and JAX need no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfsr.data.config import SamplingConfig
from tfsr.degradations import Pipeline
from tfsr.geometry import cell_size, pixel_centres
from tfsr.images import pixels, resizing

Sample = tuple[dict[str, np.ndarray], np.ndarray]

# LR pixels around a window that are degraded with it, so that few filters meet the window's edge.
_MARGIN = 8
# The blocks of JPEG, in pixels: a window may begin anywhere in one.
_BLOCK = 8


def make_sample(
    image: np.ndarray, config: SamplingConfig, pipeline: Pipeline, rng: np.random.Generator
) -> Sample:
    """Cut a sample from an image.

    Args:
        image: (H, W, 3) uint8, the original.
        config: how it is cut.
        pipeline: what makes the LR image of the original.
        rng: everything random is drawn from it.

    Returns:
        Inputs and colours, as `Sampler.batch` without the batch axis.
    """
    image = pipeline.prepare(image, rng)
    cut = _random_crop if config.mode == "random_crop" else _resize
    return cut(image, config, pipeline, rng)


def _random_crop(
    image: np.ndarray, config: SamplingConfig, pipeline: Pipeline, rng: np.random.Generator
) -> Sample:
    size = config.input_size
    side = config.crop_side(rng.uniform(*config.scale))
    height, width = image.shape[:2]
    origin = np.array([rng.integers(height - side + 1), rng.integers(width - side + 1)])
    top, left = origin
    hr = image[top : top + side, left : left + side]
    if pipeline.deterministic:
        lr = pipeline.degrade(hr, (size, size), rng)
    else:
        pitch = side / size
        before = origin // pitch
        after = (image.shape[:2] - origin - side) // pitch
        limits = (-before.astype(int), size + after.astype(int))
        lr = _degraded_window(image, origin, pitch, np.zeros(2, int), size, limits, pipeline, rng)
    return _points(hr, lr, config, rng, (side, side), (slice(0, side), slice(0, side)))


def _resize(
    image: np.ndarray, config: SamplingConfig, pipeline: Pipeline, rng: np.random.Generator
) -> Sample:
    smallest, largest = config.lr_range
    size = int(np.exp(rng.uniform(np.log(smallest), np.log(largest + 1))))
    hr_min, hr_max = config.hr_size
    side = int(rng.integers(max(hr_min, size), hr_max + 1))
    window = config.window or size
    origin = rng.integers(size - window + 1, size=2) if config.window else np.zeros(2, int)
    original = len(image)
    pitch = original / size
    if pipeline.deterministic and not pipeline.local:
        lr = pipeline.degrade(image, (size, size), rng)
        lr = lr[origin[0] : origin[0] + window, origin[1] : origin[1] + window]
    elif pipeline.deterministic:
        box = (*(origin * pitch), *((origin + window) * pitch))
        lr = pipeline.degrade(image, (window, window), rng, box)
    else:
        limits = (np.zeros(2, int), np.full(2, size))
        lr = _degraded_window(image, np.zeros(2), pitch, origin, window, limits, pipeline, rng)
    # HR pixel k has its centre at (k + 1/2) n / N LR pixels from the edge.
    spans = [
        slice(
            int(np.ceil(start * side / size - 0.5)),
            int(np.ceil((start + window) * side / size - 0.5)),
        )
        for start in origin
    ]
    rows, columns = spans
    scale = original / side
    box = (rows.start * scale, columns.start * scale, rows.stop * scale, columns.stop * scale)
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    hr = resizing.resize(image, shape, box=box)
    inputs, colours = _points(hr, lr, config, rng, (side, side), spans)
    if config.window:
        inputs.update(_in_window(inputs, origin, window, size))
    return inputs, colours


def _degraded_window(
    image: np.ndarray,
    corner: np.ndarray,
    pitch: float,
    start: np.ndarray,
    window: int,
    limits: tuple[np.ndarray, np.ndarray],
    pipeline: Pipeline,
    rng: np.random.Generator,
) -> np.ndarray:
    """Degrade a window of an LR image with what surrounds it, and no more of the original.

    Args:
        image: (H, W, 3) uint8, the original.
        corner: (row, column) of the original at which LR pixel (0, 0) begins.
        pitch: side of an LR pixel, in pixels of the original.
        start: (row, column) of the window's first LR pixel.
        window: side of the window, in LR pixels.
        limits: the first LR pixel that lies in the original, and one past the last.
        pipeline: what makes the LR image.
        rng: of the sample.
    """
    first = np.maximum(limits[0], start - _MARGIN - rng.integers(_BLOCK, size=2))
    last = np.minimum(limits[1], start + window + _MARGIN)
    box = np.concatenate([corner + first * pitch, corner + last * pitch])
    top, left = np.floor(box[:2]).astype(int)
    bottom, right = np.minimum(image.shape[:2], np.ceil(box[2:]).astype(int))
    region = image[top:bottom, left:right]
    height, width = (int(side) for side in last - first)
    relative = [float(x) for x in box - (top, left, top, left)]
    lr = pipeline.degrade(
        region, (height, width), rng, (relative[0], relative[1], relative[2], relative[3])
    )
    row, column = start - first
    return lr[row : row + window, column : column + window]


def _in_window(
    inputs: dict[str, np.ndarray], origin: np.ndarray, window: int, size: int
) -> dict[str, np.ndarray]:
    """Coordinates and cells of the whole LR image as the window's own, and where it lies."""
    centre = ((2 * origin + window) / size - 1).astype(np.float32)
    half = np.full(2, window / size, np.float32)
    if "coordinates" in inputs:
        own = {"coordinates": (inputs["coordinates"] - centre) / half}
    else:
        own = {
            "rows": (inputs["rows"] - centre[0]) / half[0],
            "columns": (inputs["columns"] - centre[1]) / half[1],
        }
    return {**own, "cell": inputs["cell"] / half, "window": np.concatenate([centre, half])}


def _points(
    hr: np.ndarray,
    lr: np.ndarray,
    config: SamplingConfig,
    rng: np.random.Generator,
    size: tuple[int, int],
    spans: Sequence[slice],
) -> Sample:
    """Draw query points of an HR image of some size, of which `hr` holds the rows and columns."""
    if config.num_points is None:
        return {"image": pixels.to_float(lr)}, pixels.to_float(hr)
    rows, columns = (np.arange(span.start, span.stop) for span in spans)
    row_centres, column_centres = (pixel_centres(side) for side in size)
    cell = np.array([cell_size(side) for side in size], np.float32)
    top, left = rows[0], columns[0]
    if config.points != "scattered":
        rows, columns = (_lines(lines, config, rng) for lines in (rows, columns))
        inputs = {
            "image": pixels.to_float(lr),
            "rows": row_centres[rows],
            "columns": column_centres[columns],
            "cell": cell,
        }
        return inputs, pixels.to_float(hr[rows - top][:, columns - left])
    available, count = len(rows) * len(columns), config.num_points
    # Fewer pixels than points: all of them, and as many again as are missing.
    drawn = np.concatenate(
        [
            rng.choice(available, min(count, available), replace=False),
            rng.integers(available, size=max(0, count - available)),
        ]
    )
    row, column = rows[drawn // len(columns)], columns[drawn % len(columns)]
    inputs = {
        "image": pixels.to_float(lr),
        "coordinates": np.stack([row_centres[row], column_centres[column]], axis=-1),
        "cell": np.broadcast_to(cell, (count, 2)).copy(),
    }
    return inputs, pixels.to_float(hr[None, row - top, column - left])[0]


def _lines(lines: np.ndarray, config: SamplingConfig, rng: np.random.Generator) -> np.ndarray:
    """The rows, or the columns, of a lattice or a patch, out of all that may be taken."""
    count, available = config.patch_side, len(lines)
    if config.points == "patch":
        start = rng.integers(max(1, available - count + 1))
        # Where there are fewer, the patch turns back at the edge.
        ends = np.concatenate([lines, lines[::-1]])
        return ends[(start + np.arange(count)) % len(ends)]
    chosen = [
        rng.choice(lines, min(count, available), replace=False),
        rng.choice(lines, max(0, count - available)),
    ]
    return np.sort(np.concatenate(chosen))
