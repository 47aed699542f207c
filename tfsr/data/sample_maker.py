"""One training sample of one image: an LR image, points of the HR image, and their colours.

NumPy, Pillow and SciPy only, so that worker processes and JAX need no TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfsr.data.sampling_config import SamplingConfig
from tfsr.degradations import Pipeline
from tfsr.geometry import cell_size, pixel_centres
from tfsr.images import resize, to_float

Sample = tuple[dict[str, np.ndarray], np.ndarray]

# LR pixels around a window that are degraded with it, so that few filters reach beyond them.
_MARGIN = 8
# Side of JPEG's blocks in pixels: a window may begin anywhere in one.
_BLOCK = 8


@dataclass(frozen=True)
class SampleMaker:
    """Makes a sample as the configuration says, with the random numbers of one generator."""

    config: SamplingConfig
    pipeline: Pipeline
    rng: np.random.Generator

    def make(self, image: np.ndarray) -> Sample:
        """Make a sample of an (H, W, 3) uint8 image: `Sampler.batch` without the batch axis."""
        image = self.pipeline.prepare(self._augment(image), self.rng)
        return (
            self._random_crop(image) if self.config.mode == "random_crop" else self._resize(image)
        )

    def _augment(self, image: np.ndarray) -> np.ndarray:
        names = self.config.augment
        for name, chosen in zip(names, self.rng.random(len(names)) < 0.5, strict=True):
            if chosen and name == "transpose":
                image = image.transpose(1, 0, 2)
            elif chosen:
                image = np.flip(image, axis=("vertical", "horizontal").index(name))
        return np.ascontiguousarray(image)

    def _random_crop(self, image: np.ndarray) -> Sample:
        size = self.config.input_size
        side = self.config.crop_side(self.rng.uniform(*self.config.scale))
        top, left = origin = np.array([self.rng.integers(n - side + 1) for n in image.shape[:2]])
        hr = image[top : top + side, left : left + side]
        if self.pipeline.deterministic:
            lr = self.pipeline.degrade(hr, (size, size), self.rng)
        else:
            pitch = side / size
            before = (origin // pitch).astype(int)
            after = ((image.shape[:2] - origin - side) // pitch).astype(int)
            limits = (-before, size + after)
            lr = self._degrade_window(image, origin, pitch, np.zeros(2, int), size, limits)
        return self._with_points(hr, lr, side, (0, 0))

    def _resize(self, image: np.ndarray) -> Sample:
        config, pipeline, rng = self.config, self.pipeline, self.rng
        lr_min, lr_max = config.lr_range
        size = int(np.exp(rng.uniform(np.log(lr_min), np.log(lr_max + 1))))
        hr_min, hr_max = config.hr_size
        side = int(rng.integers(max(hr_min, size), hr_max + 1))
        window = config.window or size
        start = rng.integers(size - window + 1, size=2) if config.window else np.zeros(2, int)
        stop = start + window
        pitch = len(image) / size
        if pipeline.deterministic and not pipeline.local:
            lr = pipeline.degrade(image, (size, size), rng)
            lr = lr[start[0] : stop[0], start[1] : stop[1]]
        elif pipeline.deterministic:
            box = (*(start * pitch), *(stop * pitch))
            lr = pipeline.degrade(image, (window, window), rng, box)
        else:
            limits = (np.zeros(2, int), np.full(2, size))
            lr = self._degrade_window(image, np.zeros(2), pitch, start, window, limits)
        # HR pixel k has its centre at (k + 1/2) n / N LR pixels from the edge.
        first, last = (np.ceil(edge * side / size - 0.5).astype(int) for edge in (start, stop))
        height, width = (last - first).tolist()
        top, left, bottom, right = (np.concatenate([first, last]) * (len(image) / side)).tolist()
        hr = resize(image, (height, width), box=(top, left, bottom, right))
        if not config.window:
            return self._with_points(hr, lr, side, first)
        centre = ((2 * start + window) / size - 1).astype(np.float32)
        half = np.full(2, window / size, np.float32)
        return self._with_points(hr, lr, side, first, np.concatenate([centre, half]))

    def _degrade_window(
        self,
        image: np.ndarray,
        corner: np.ndarray,
        pitch: float,
        start: np.ndarray,
        window: int,
        limits: tuple[np.ndarray, np.ndarray],
    ) -> np.ndarray:
        """Degrade a window of an LR image with its surroundings, and no more of the original.

        LR pixel (0, 0) begins at `corner` of the original and is `pitch` of its pixels wide. The
        window has `window` LR pixels from `start` on; those between the `limits` lie in the image.
        """
        first = np.maximum(limits[0], start - _MARGIN - self.rng.integers(_BLOCK, size=2))
        last = np.minimum(limits[1], start + window + _MARGIN)
        box = np.concatenate([corner + first * pitch, corner + last * pitch])
        top, left = np.floor(box[:2]).astype(int)
        bottom, right = np.minimum(image.shape[:2], np.ceil(box[2:]).astype(int))
        size = tuple((last - first).tolist())
        relative = tuple((box - (top, left, top, left)).tolist())
        lr = self.pipeline.degrade(image[top:bottom, left:right], size, self.rng, relative)
        row, column = start - first
        return lr[row : row + window, column : column + window]

    def _with_points(
        self, hr: np.ndarray, lr: np.ndarray, side: int, first, window: np.ndarray | None = None
    ) -> Sample:
        """Choose points of an HR image of `side`, of which `hr` has the pixels from `first` on.

        Coordinates are relative to the window, (centre, half size), if there is one.
        """
        inputs = {"image": to_float(lr)}
        if self.config.num_points is None:
            return inputs, to_float(hr)
        axes = [pixel_centres(side)[start:] for start in first]
        cell = np.full(2, cell_size(side), np.float32)
        if window is not None:
            axes = [(axes[i] - window[i]) / window[2 + i] for i in range(2)]
            cell = cell / window[2:]
        if self.config.points == "scattered":
            chosen = self._choose(hr.shape[0] * hr.shape[1], self.config.num_points)
            rows, columns = chosen // hr.shape[1], chosen % hr.shape[1]
            inputs["coordinates"] = np.stack([axes[0][rows], axes[1][columns]], axis=-1)
            inputs["cell"] = np.tile(cell, (len(chosen), 1))
            colours = to_float(hr[None, rows, columns])[0]
        else:
            rows, columns = map(self._choose_lines, hr.shape[:2])
            inputs |= {"rows": axes[0][rows], "columns": axes[1][columns], "cell": cell}
            colours = to_float(hr[rows][:, columns])
        return inputs if window is None else {**inputs, "window": window}, colours

    def _choose_lines(self, available: int) -> np.ndarray:
        """Choose the rows, or the columns, of a lattice or a patch."""
        count = self.config.patch_side
        if self.config.points == "lattice":
            return np.sort(self._choose(available, count))
        start = self.rng.integers(max(1, available - count + 1))
        # A patch larger than the image is reflected at the edge.
        reflected = np.concatenate([np.arange(available), np.arange(available)[::-1]])
        return reflected[(start + np.arange(count)) % len(reflected)]

    def _choose(self, available: int, count: int) -> np.ndarray:
        """Choose indices without replacement; if there are fewer, all of them and then any."""
        first = self.rng.choice(available, min(count, available), replace=False)
        return np.concatenate([first, self.rng.integers(available, size=max(0, count - available))])
