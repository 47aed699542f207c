"""One training sample of one image: an LR image, points of the HR image, and their colours.

NumPy, Pillow and SciPy only, so that worker processes and JAX need no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfsr.data.config import SamplingConfig
from tfsr.degradations import Pipeline
from tfsr.geometry import cell_size, pixel_centres
from tfsr.images import resize, to_float

Sample = tuple[dict[str, np.ndarray], np.ndarray]

# LR pixels around a window that are degraded with it, so that few filters reach beyond them.
_MARGIN = 8
# Side of JPEG's blocks in pixels: a window may begin anywhere in one.
_BLOCK = 8


def make_sample(
    image: np.ndarray, config: SamplingConfig, pipeline: Pipeline, rng: np.random.Generator
) -> Sample:
    """Make a sample of an (H, W, 3) uint8 image: `Sampler.batch` without the batch axis."""
    image = pipeline.prepare(_augment(image, config.augment, rng), rng)
    make = _random_crop if config.mode == "random_crop" else _resize
    return make(image, config, pipeline, rng)


def _augment(image: np.ndarray, names: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    for name, chosen in zip(names, rng.random(len(names)) < 0.5, strict=True):
        if chosen and name == "transpose":
            image = image.transpose(1, 0, 2)
        elif chosen:
            image = np.flip(image, axis=("vertical", "horizontal").index(name))
    return np.ascontiguousarray(image)


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
        lr = _degrade_window(image, origin, pitch, np.zeros(2, int), size, limits, pipeline, rng)
    return _with_points(hr, lr, config, rng, (side, side), (slice(0, side), slice(0, side)))


def _resize(
    image: np.ndarray, config: SamplingConfig, pipeline: Pipeline, rng: np.random.Generator
) -> Sample:
    lr_min, lr_max = config.lr_range
    size = int(np.exp(rng.uniform(np.log(lr_min), np.log(lr_max + 1))))
    hr_min, hr_max = config.hr_size
    side = int(rng.integers(max(hr_min, size), hr_max + 1))
    window = config.window or size
    origin = rng.integers(size - window + 1, size=2) if config.window else np.zeros(2, int)
    pitch = len(image) / size
    if pipeline.deterministic and not pipeline.local:
        lr = pipeline.degrade(image, (size, size), rng)
        lr = lr[origin[0] : origin[0] + window, origin[1] : origin[1] + window]
    elif pipeline.deterministic:
        box = (*(origin * pitch), *((origin + window) * pitch))
        lr = pipeline.degrade(image, (window, window), rng, box)
    else:
        limits = (np.zeros(2, int), np.full(2, size))
        lr = _degrade_window(image, np.zeros(2), pitch, origin, window, limits, pipeline, rng)
    # HR pixel k has its centre at (k + 1/2) n / N LR pixels from the edge.
    rows, columns = (
        slice(*(int(np.ceil(edge * side / size - 0.5)) for edge in (start, start + window)))
        for start in origin
    )
    scale = len(image) / side
    box = (rows.start * scale, columns.start * scale, rows.stop * scale, columns.stop * scale)
    hr = resize(image, (rows.stop - rows.start, columns.stop - columns.start), box=box)
    inputs, colours = _with_points(hr, lr, config, rng, (side, side), (rows, columns))
    if config.window:
        inputs.update(_in_window(inputs, origin, window, size))
    return inputs, colours


def _degrade_window(
    image: np.ndarray,
    corner: np.ndarray,
    pitch: float,
    start: np.ndarray,
    window: int,
    limits: tuple[np.ndarray, np.ndarray],
    pipeline: Pipeline,
    rng: np.random.Generator,
) -> np.ndarray:
    """Degrade a window of an LR image with its surroundings, and no more of the original.

    LR pixel (0, 0) begins at `corner` of the original image, and is `pitch` of its pixels wide. The
    window has `window` LR pixels from `start` on; those between the two `limits` lie in the image.
    """
    first = np.maximum(limits[0], start - _MARGIN - rng.integers(_BLOCK, size=2))
    last = np.minimum(limits[1], start + window + _MARGIN)
    box = np.concatenate([corner + first * pitch, corner + last * pitch])
    top, left = np.floor(box[:2]).astype(int)
    bottom, right = np.minimum(image.shape[:2], np.ceil(box[2:]).astype(int))
    height, width = (last - first).tolist()
    relative = (box - (top, left, top, left)).tolist()
    lr = pipeline.degrade(image[top:bottom, left:right], (height, width), rng, tuple(relative))
    row, column = start - first
    return lr[row : row + window, column : column + window]


def _in_window(
    inputs: dict[str, np.ndarray], origin: np.ndarray, window: int, size: int
) -> dict[str, np.ndarray]:
    """Convert coordinates and cells from the whole LR image to the window, and add its place."""
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


def _with_points(
    hr: np.ndarray,
    lr: np.ndarray,
    config: SamplingConfig,
    rng: np.random.Generator,
    size: tuple[int, int],
    spans: tuple[slice, slice],
) -> Sample:
    """Choose points in the rows and columns `spans`, which `hr` holds, of an HR image of `size`."""
    image = to_float(lr)
    if config.num_points is None:
        return {"image": image}, to_float(hr)
    rows, columns = (np.arange(span.start, span.stop) for span in spans)
    row_centres, column_centres = (pixel_centres(side) for side in size)
    cell = np.array([cell_size(side) for side in size], np.float32)
    top, left = rows[0], columns[0]
    if config.points != "scattered":
        rows, columns = (_choose_lines(lines, config, rng) for lines in (rows, columns))
        lines = {"rows": row_centres[rows], "columns": column_centres[columns]}
        colours = to_float(hr[rows - top][:, columns - left])
        return {"image": image, **lines, "cell": cell}, colours
    chosen = _choose(np.arange(len(rows) * len(columns)), config.num_points, rng)
    row, column = rows[chosen // len(columns)], columns[chosen % len(columns)]
    coordinates = np.stack([row_centres[row], column_centres[column]], axis=-1)
    cells = np.broadcast_to(cell, coordinates.shape).copy()
    colours = to_float(hr[None, row - top, column - left])[0]
    return {"image": image, "coordinates": coordinates, "cell": cells}, colours


def _choose_lines(lines: np.ndarray, config: SamplingConfig, rng: np.random.Generator):
    """Choose the rows, or the columns, of a lattice or a patch."""
    count = config.patch_side
    if config.points == "lattice":
        return np.sort(_choose(lines, count, rng))
    start = rng.integers(max(1, len(lines) - count + 1))
    # A patch larger than the image is reflected at the edge.
    reflected = np.concatenate([lines, lines[::-1]])
    return reflected[(start + np.arange(count)) % len(reflected)]


def _choose(items: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Choose without replacement; from fewer items, all of them and then any."""
    return np.concatenate(
        [
            rng.choice(items, min(count, len(items)), replace=False),
            rng.choice(items, max(0, count - len(items))),
        ]
    )
