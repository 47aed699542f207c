"""What a training step sees, as a function of the seed and the step alone.

NumPy and Pillow only: the same sampling feeds tf.data (`tfsr.data.pipeline`) and, where there is no
TensorFlow, a Keras `PyDataset` (`tfsr.data.py_dataset`).
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np

from tfsr.errors import ImageError, InvalidArgument, TfsrError
from tfsr.geometry import cell_size, pixel_centres
from tfsr.images import files, pixels, resizing
from tfsr.images.degradations import get as get_degradation

# Decoded pictures are kept in memory up to this many bytes: a small set is then read only once.
_CACHE_BYTES = 512 * 2**20

Batch = tuple[dict[str, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class SamplingConfig:
    """How a training sample is cut from a picture.

    Attributes:
        mode: "whole": the picture is reduced to the LR and to the HR size (ARASFSR, and LIIF on
            CelebA-HQ); it must be square, as aligned faces are. "crops": a square of
            round(scale x lr_size) HR pixels is cut out and reduced (LIIF on DIV2K).
        batch: samples in a step.
        lr_size: side of the LR picture, in pixels; (least, most) where a window is cut from it,
            drawn evenly in octaves.
        hr_size: "whole": (least, most) side of the HR picture, drawn evenly; never drawn under the
            LR size.
        scale: "crops": (least, most) scale, drawn evenly.
        window: "whole": side of a window cut from the LR picture, so that large LR sizes cost no
            more than small ones; None keeps the LR picture whole.
        queries: query points in a sample, pixels of the HR picture drawn without replacement; None
            for the HR picture whole, as fixed-scale models are trained (its size must then be one).
        degradation: "bicubic", or "nn65" (nearest, then JPEG quality 65).
        augment: any of "horizontal", "vertical", "transpose", each with probability 1/2.
    """

    mode: Literal["whole", "crops"] = "whole"
    batch: int = 16
    lr_size: int | tuple[int, int] = 48
    hr_size: tuple[int, int] = (48, 256)
    scale: tuple[float, float] = (1.0, 4.0)
    window: int | None = None
    queries: int | None = 2304
    degradation: str = "bicubic"
    augment: tuple[str, ...] = ("horizontal",)

    @property
    def input_size(self) -> int:
        """Side of the LR pictures that the model sees."""
        return self.window or self.lr_range[0]

    @property
    def lr_range(self) -> tuple[int, int]:
        """Least and most side of the LR picture."""
        return (self.lr_size, self.lr_size) if isinstance(self.lr_size, int) else self.lr_size

    def validate(self) -> None:
        """Check that the values make sense together.

        Raises:
            InvalidArgument: naming the attribute.
        """
        get_degradation(self.degradation)
        least, most = self.lr_range
        if self.mode not in ("whole", "crops"):
            raise InvalidArgument(f"mode must be 'whole' or 'crops'; got {self.mode!r}")
        for name, value in (("batch", self.batch), ("queries", self.queries), ("lr_size", least)):
            if value is not None and value < 1:
                raise InvalidArgument(f"{name} must be at least 1; got {value}")
        for name, (low, high) in (
            ("lr_size", (least, most)),
            ("hr_size", self.hr_size),
            ("scale", self.scale),
        ):
            if not 0 < low <= high < np.inf:
                raise InvalidArgument(f"{name} must be (least, most) above 0; got {(low, high)}")
        unknown = set(self.augment) - {"horizontal", "vertical", "transpose"}
        if unknown:
            raise InvalidArgument(
                f"augment takes horizontal, vertical, transpose; got {', '.join(sorted(unknown))}"
            )
        if self.mode == "whole" and most > self.hr_size[1]:
            raise InvalidArgument(
                f"lr_size must not exceed the most of hr_size, {self.hr_size[1]}; got {most}"
            )
        if self.window is None and least != most:
            raise InvalidArgument("lr_size can be a range only where a window is cut from it")
        if self.window is not None and not 1 <= self.window <= least:
            raise InvalidArgument(
                f"window must be between 1 and the least lr_size {least}; got {self.window}"
            )
        drawn = self.scale if self.mode == "crops" else self.hr_size
        if self.queries is None and (drawn[0] != drawn[1] or self.window):
            raise InvalidArgument("queries can be empty only where every HR picture has one size")
        if self.mode == "crops" and (self.window or least != most):
            raise InvalidArgument("mode 'crops' takes one lr_size and no window")


class Sampler:
    """Endless batches from a folder of pictures, each a function of (seed, step).

    Every picture is used once before any is used again, in an order of each epoch's own.

    Args:
        source: a folder, or paths of pictures.
        config: how samples are cut.
        seed: int. Another seed, other samples.

    Raises:
        ImageError: if the folder cannot be read or holds no pictures.
        InvalidArgument: if the configuration makes no sense.
    """

    def __init__(
        self, source: str | os.PathLike | Sequence[Path], config: SamplingConfig, seed: int = 0
    ) -> None:
        config.validate()
        if isinstance(source, (str, os.PathLike)):
            source = files.list_images(source)
        self.paths = list(source)
        self.config = config
        self.seed = seed
        self.failure: TfsrError | None = None
        """The error that the last failing batch raised: tf.data hides it from its caller."""
        self._pictures = _PictureCache(_CACHE_BYTES)

    def batch(self, step: int) -> Batch:
        """The batch of a step: ({"image", "coordinates", "cell", "window"}, colours).

        Shapes (B, n, n, 3), (B, Q, 2), (B, Q, 2), (B, 4) and (B, Q, 3), all float32; "window" is
        there only where the configuration cuts one. Without queries: ({"image"}, HR pictures).

        Raises:
            ImageError: if a picture cannot be read, or is smaller than what is cut from it.
        """
        first = step * self.config.batch
        try:
            samples = [self.sample(first + i) for i in range(self.config.batch)]
        except TfsrError as error:
            self.failure = error
            raise
        inputs = {name: np.stack([x[name] for x, _ in samples]) for name in samples[0][0]}
        return inputs, np.stack([colours for _, colours in samples])

    def sample(self, index: int) -> Batch:
        """One sample of the endless sequence, without the batch axis."""
        epoch, position = divmod(index, len(self.paths))
        path = self.paths[_order(len(self.paths), self.seed, epoch)[position]]
        rng = np.random.default_rng([self.seed, index])
        picture = _augment(self._pictures.read(path), self.config.augment, rng)
        if self.config.mode == "crops":
            return self._crop(picture, path, rng)
        return self._whole(picture, path, rng)

    def _crop(self, picture: np.ndarray, path: Path, rng: np.random.Generator) -> Batch:
        lr = self.config.input_size
        side = int(np.floor(lr * rng.uniform(*self.config.scale) + 0.5))
        height, width = picture.shape[:2]
        if side > min(height, width):
            raise ImageError(
                f"{path}: a crop of {side}x{side} does not fit in its {width}x{height} pixels; "
                "use larger pictures, a smaller scale or a smaller lr_size"
            )
        top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
        hr = picture[top : top + side, left : left + side]
        return self._queries(hr, get_degradation(self.config.degradation)(hr, (lr, lr)), rng)

    def _whole(self, picture: np.ndarray, path: Path, rng: np.random.Generator) -> Batch:
        least, most = self.config.lr_range
        lr = int(np.exp(rng.uniform(np.log(least), np.log(most + 1))))
        hr_least, hr_most = self.config.hr_size
        if picture.shape[0] != picture.shape[1]:
            raise ImageError(
                f"{path}: {picture.shape[1]}x{picture.shape[0]} is not square, and mode 'whole' "
                "takes aligned, square faces; crop it, or use mode 'crops'"
            )
        if hr_most > min(picture.shape[:2]):
            raise ImageError(
                f"{path}: {picture.shape[1]}x{picture.shape[0]} pixels, and the recipe draws HR "
                f"sizes up to {hr_most}; use larger pictures or a smaller hr_size"
            )
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
        inputs["coordinates"] = (inputs["coordinates"] - centre) / half
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
        pixels_there, count = len(rows) * len(columns), self.config.queries
        # Fewer pixels than queries: all of them, and as many again as are missing.
        drawn = np.concatenate(
            [
                rng.choice(pixels_there, min(count, pixels_there), replace=False),
                rng.integers(pixels_there, size=max(0, count - pixels_there)),
            ]
        )
        row, column = rows[drawn // len(columns)], columns[drawn % len(columns)]
        height, width = hr.shape[:2]
        cell = np.array([cell_size(height), cell_size(width)], np.float32)
        inputs = {
            "image": pixels.to_float(lr),
            "coordinates": np.stack(
                [pixel_centres(height)[row], pixel_centres(width)[column]], axis=-1
            ),
            "cell": np.broadcast_to(cell, (count, 2)).copy(),
        }
        return inputs, pixels.to_float(hr[None, row, column])[0]


class _PictureCache:
    """Decoded pictures, the least recently used forgotten first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0
        self._pictures: OrderedDict[Path, np.ndarray] = OrderedDict()
        self._lock = Lock()

    def read(self, path: Path) -> np.ndarray:
        with self._lock:
            if path in self._pictures:
                self._pictures.move_to_end(path)
                return self._pictures[path]
        picture = files.read(path)
        with self._lock:
            if path not in self._pictures:
                self._pictures[path] = picture
                self._bytes += picture.nbytes
            while self._bytes > self._limit:
                self._bytes -= self._pictures.popitem(last=False)[1].nbytes
        return picture


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
