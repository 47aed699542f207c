"""What a training step sees, as a function of the seed and the step alone.

NumPy and Pillow only: the same sampling feeds tf.data (`tfsr.data.pipeline`) and, where there is no
TensorFlow, a Keras `PyDataset` (`tfsr.data.py_dataset`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from tfsr.data.config import SamplingConfig
from tfsr.data.pictures import DEFAULT_CACHE, Pictures
from tfsr.errors import ImageError, TfsrError
from tfsr.geometry import cell_size, pixel_centres
from tfsr.images import files, pixels, resizing
from tfsr.images.degradations import get as get_degradation

Batch = tuple[dict[str, np.ndarray], np.ndarray]


class Sampler:
    """Endless batches from a folder of pictures, each a function of (seed, step).

    Every picture is used once before any is used again, in an order of each epoch's own.

    Args:
        source: a folder, or paths of pictures.
        config: how samples are cut.
        seed: int. Another seed, other samples.
        skip_damaged: whether a picture that cannot be used is left out, and the next one in the
            epoch's order takes its place, instead of being an error.
        report: called with a line for each picture left out.
        cache: bytes of decoded images kept in memory. Defaults to 2 GiB.
        decoded: images that are in memory already, by path.

    Raises:
        ImageError: if the folder cannot be read or holds no pictures.
        InvalidArgument: if the configuration makes no sense.
    """

    def __init__(
        self,
        source: str | os.PathLike | Sequence[Path],
        config: SamplingConfig,
        seed: int = 0,
        skip_damaged: bool = False,
        report: Callable[[str], None] = lambda line: None,
        cache: int = DEFAULT_CACHE,
        decoded: Mapping[Path, np.ndarray] | None = None,
    ) -> None:
        config.validate()
        if isinstance(source, (str, os.PathLike)):
            source = files.list_images(source)
        self.paths = list(source)
        self.config = config
        self.seed = seed
        self.failure: TfsrError | None = None
        """The error that the last failing batch raised: tf.data hides it from its caller."""
        self.pictures = Pictures(
            self.paths, config.check_picture, skip_damaged, report, cache, decoded
        )

    def check(self) -> None:
        """Look at every picture's header, so that what does not fit is told before training.

        Raises:
            ImageError: naming the first picture that cannot be used, unless such are left out.
        """
        self.pictures.check()

    def batch(self, step: int, part: int = 0, parts: int = 1) -> Batch:
        """The batch of a step: ({"image", "coordinates", "cell", "window"}, colours).

        Of a lattice or a patch: ({"image", "rows", "columns", "cell", "window"}, colours), shapes
        (B, P), (B, P) and (B, 2), and colours (B, P, P, 3).

        Of several replicas each takes one of as many equal parts of the batch: together they see
        what one alone would.

        Shapes (B, n, n, 3), (B, Q, 2), (B, Q, 2), (B, 4) and (B, Q, 3), all float32; "window" is
        there only where the configuration cuts one. Without queries: ({"image"}, HR pictures).

        Args:
            step: of the run, from 0.
            part: which part of the batch, from 0.
            parts: how many there are; the batch must be a multiple of it.

        Raises:
            ImageError: if a picture cannot be read, or is smaller than what is cut from it.
        """
        size = self.config.batch // parts
        first = step * self.config.batch + part * size
        try:
            samples = [self.sample(first + i) for i in range(size)]
        except TfsrError as error:
            self.failure = error
            raise
        inputs = {name: np.stack([x[name] for x, _ in samples]) for name in samples[0][0]}
        return inputs, np.stack([colours for _, colours in samples])

    def sample(self, index: int) -> Batch:
        """One sample of the endless sequence, without the batch axis."""
        count = len(self.paths)
        epoch, position = divmod(index, count)
        order = _order(count, self.seed, epoch)
        for place in range(position, position + count):
            path = self.paths[order[place % count]]
            picture = self.pictures.read(path)
            if picture is not None:
                break
        else:
            raise ImageError(f"{path.parent}: none of its pictures can be used")
        rng = np.random.default_rng([self.seed, index])
        picture = _augment(picture, self.config.augment, rng)
        cut = self._crop if self.config.mode == "crops" else self._whole
        return cut(picture, rng)

    def _crop(self, picture: np.ndarray, rng: np.random.Generator) -> Batch:
        lr = self.config.input_size
        side = self.config.crop_side(rng.uniform(*self.config.scale))
        height, width = picture.shape[:2]
        top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
        hr = picture[top : top + side, left : left + side]
        return self._queries(hr, get_degradation(self.config.degradation)(hr, (lr, lr)), rng)

    def _whole(self, picture: np.ndarray, rng: np.random.Generator) -> Batch:
        least, most = self.config.lr_range
        lr = int(np.exp(rng.uniform(np.log(least), np.log(most + 1))))
        hr_least, hr_most = self.config.hr_size
        hr_side = int(rng.integers(max(hr_least, lr), hr_most + 1))
        small = get_degradation(self.config.degradation)(picture, (lr, lr))
        large = resizing.resize(picture, (hr_side, hr_side))
        if self.config.window is None:
            return self._queries(large, small, rng)
        return self._window(large, small, rng)

    def _window(self, hr: np.ndarray, lr: np.ndarray, rng: np.random.Generator) -> Batch:
        """A window of the LR picture, and the HR pixels whose centres lie in it."""
        size, window = len(lr), self.config.input_size
        origin = rng.integers(size - window + 1, size=2)
        # HR pixel k has its centre at (k + 1/2) n / N LR pixels from the edge.
        spans = [
            slice(
                int(np.ceil(start * len(hr) / size - 0.5)),
                int(np.ceil((start + window) * len(hr) / size - 0.5)),
            )
            for start in origin
        ]
        cut = lr[origin[0] : origin[0] + window, origin[1] : origin[1] + window]
        inputs, colours = self._queries(hr, cut, rng, spans)
        # From the whole picture's coordinates to the window's own.
        centre = ((2 * origin + window) / size - 1).astype(np.float32)
        half = np.full(2, window / size, np.float32)
        if "coordinates" in inputs:
            inputs["coordinates"] = (inputs["coordinates"] - centre) / half
        else:
            inputs["rows"] = (inputs["rows"] - centre[0]) / half[0]
            inputs["columns"] = (inputs["columns"] - centre[1]) / half[1]
        inputs["cell"] = inputs["cell"] / half
        inputs["window"] = np.concatenate([centre, half])
        return inputs, colours

    def _queries(
        self,
        hr: np.ndarray,
        lr: np.ndarray,
        rng: np.random.Generator,
        spans: Sequence[slice] | None = None,
    ) -> Batch:
        """Draw pixels of `hr` (of its rows and columns `spans`) as query points."""
        if self.config.queries is None:
            return {"image": pixels.to_float(lr)}, pixels.to_float(hr)
        rows, columns = (
            np.arange(side)[span]
            for side, span in zip(hr.shape, spans or (slice(None),) * 2, strict=False)
        )
        height, width = hr.shape[:2]
        cell = np.array([cell_size(height), cell_size(width)], np.float32)
        if self.config.points != "scattered":
            rows, columns = (self._lines(lines, rng) for lines in (rows, columns))
            inputs = {
                "image": pixels.to_float(lr),
                "rows": pixel_centres(height)[rows],
                "columns": pixel_centres(width)[columns],
                "cell": cell,
            }
            return inputs, pixels.to_float(hr[rows][:, columns])
        pixels_there, count = len(rows) * len(columns), self.config.queries
        # Fewer pixels than queries: all of them, and as many again as are missing.
        drawn = np.concatenate(
            [
                rng.choice(pixels_there, min(count, pixels_there), replace=False),
                rng.integers(pixels_there, size=max(0, count - pixels_there)),
            ]
        )
        row, column = rows[drawn // len(columns)], columns[drawn % len(columns)]
        inputs = {
            "image": pixels.to_float(lr),
            "coordinates": np.stack(
                [pixel_centres(height)[row], pixel_centres(width)[column]], axis=-1
            ),
            "cell": np.broadcast_to(cell, (count, 2)).copy(),
        }
        return inputs, pixels.to_float(hr[None, row, column])[0]

    def _lines(self, lines: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The rows, or the columns, of a lattice or a patch, out of all that may be taken."""
        count, available = self.config.patch_side, len(lines)
        if self.config.points == "patch":
            start = rng.integers(max(1, available - count + 1))
            # Where there are fewer, the patch turns back at the edge.
            ends = np.concatenate([lines, lines[::-1]])
            return ends[(start + np.arange(count)) % len(ends)]
        chosen = [
            rng.choice(lines, min(count, available), replace=False),
            rng.choice(lines, max(0, count - available)),
        ]
        return np.sort(np.concatenate(chosen))


@lru_cache(maxsize=4)
def _order(count: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch, count]).permutation(count)


def _augment(picture: np.ndarray, names: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    turns = {
        "horizontal": lambda x: x[:, ::-1],
        "vertical": lambda x: x[::-1],
        "transpose": lambda x: x.transpose(1, 0, 2),
    }
    for name, heads in zip(names, rng.random(len(names)) < 0.5, strict=True):
        picture = turns[name](picture) if heads else picture
    return np.ascontiguousarray(picture)
