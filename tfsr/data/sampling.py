"""What a training step sees, as a function of the seed and the step alone.

No TensorFlow: the same sampling feeds tf.data (`tfsr.data.pipeline`) and, where there is none, a
Keras `PyDataset` (`tfsr.data.py_dataset`).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from tfsr.data.config import SamplingConfig
from tfsr.data.cropping import Sample, make_sample
from tfsr.data.hr_images import DEFAULT_CACHE, Pictures, fingerprint
from tfsr.data.sources import ImageSet, Source, choose, list_sources
from tfsr.degradations import get_pipeline
from tfsr.errors import ImageError, InvalidArgument, TfsrError
from tfsr.images import files

Batch = Sample
# A crop beside windows of other images: all of its own coordinates.
_WHOLE = np.array([0, 0, 1, 1], np.float32)


class Sampler:
    """Endless batches from folders of images, each a function of (seed, step).

    Every image of a folder is as likely as any other of it. Of one folder, each is used once before
    any is used again, in an order of each epoch's own. Of several, none is used twice within as
    many samples as its folder has images, and any run of samples has nearly the folders' shares.

    Args:
        source: a folder, paths of images, or folders with weights (`Source`).
        config: how samples are cut.
        seed: int. Another seed, other samples.
        skip_damaged: whether an image that cannot be used is left out, and the next one in the
            epoch's order takes its place, instead of being an error.
        report: called with a line for each image left out.
        cache: bytes of decoded images kept in memory. Defaults to 2 GiB.
        decoded: images that are in memory already, by path.

    Raises:
        ImageError: if a folder cannot be read or holds no images.
        InvalidArgument: if the configuration makes no sense.

    Example:
        >>> sampler = Sampler([Source("faces"), Source("portraits", weight=0.5)], SamplingConfig())
        >>> inputs, colours = sampler.batch(step=0)
    """

    def __init__(
        self,
        source: str | os.PathLike | Sequence[Path] | Sequence[Source] | Sequence[ImageSet],
        config: SamplingConfig,
        seed: int = 0,
        skip_damaged: bool = False,
        report: Callable[[str], None] = lambda line: None,
        cache: int = DEFAULT_CACHE,
        decoded: Mapping[Path, np.ndarray] | None = None,
    ) -> None:
        config.validate()
        self.sets = _image_sets(source, config)
        self._configs: dict[Path, list[SamplingConfig]] = {}
        for images in self.sets:
            for path in images.paths:
                self._configs.setdefault(path, []).append(images.config)
        self.paths = list(self._configs)
        self.config = config
        self.seed = seed
        self.failure: TfsrError | None = None
        """The error that the last failing batch raised: tf.data hides it from its caller."""
        self.images = Pictures(self.paths, self._check_image, skip_damaged, report, cache, decoded)
        self._pipelines = [get_pipeline(images.config.degradation) for images in self.sets]
        self._weights = [images.weight for images in self.sets]
        self._windowed = any(images.config.window for images in self.sets)

    def check(self) -> None:
        """Look at every image's header, so that what does not fit is told before training.

        Raises:
            ImageError: naming the first image that cannot be used, unless such are left out.
        """
        self.images.check()

    def fingerprint(self) -> str:
        """A digest of the images' names and sizes, and of the weights of several folders."""
        if len(self.sets) == 1:
            return fingerprint(self.paths)
        digest = hashlib.sha256()
        for images in self.sets:
            config = images.config
            own = [config.mode, config.lr_range, config.hr_size, config.scale, config.augment]
            text = json.dumps([images.weight, *own, config.degradation], sort_keys=True)
            digest.update(f"{text} {fingerprint(images.paths)}\n".encode())
        return digest.hexdigest()

    def _check_image(self, path: Path, height: int, width: int) -> None:
        for config in self._configs[path]:
            config.check_image(height, width)

    def batch(self, step: int, part: int = 0, parts: int = 1) -> Batch:
        """The batch of a step: ({"image", "coordinates", "cell", "window"}, colours).

        Of a lattice or a patch: ({"image", "rows", "columns", "cell", "window"}, colours), shapes
        (B, P), (B, P) and (B, 2), and colours (B, P, P, 3).

        Of several replicas each takes one of as many equal parts of the batch: together they see
        what one alone would.

        Shapes (B, n, n, 3), (B, Q, 2), (B, Q, 2), (B, 4) and (B, Q, 3), all float32; "window" is
        there only where the configuration of a folder cuts one. Without queries: ({"image"}, HR
        images).

        Args:
            step: of the run, from 0.
            part: which part of the batch, from 0.
            parts: how many there are; the batch must be a multiple of it.

        Raises:
            ImageError: if an image cannot be read, or is smaller than what is cut from it.
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
        chosen = choose(self._weights, self.seed, index)
        images = self.sets[chosen]
        image = self._image(images.paths, index)
        rng = np.random.default_rng([self.seed, index])
        image = _augment(image, images.config.augment, rng)
        inputs, colours = make_sample(image, images.config, self._pipelines[chosen], rng)
        if self._windowed and "window" not in inputs:
            inputs["window"] = _WHOLE
        return inputs, colours

    def _image(self, paths: Sequence[Path], index: int) -> np.ndarray:
        """The image that a sample is cut from, if it comes from these."""
        count = len(paths)
        epoch, position = divmod(index, count)
        order = _order(count, self.seed, epoch)
        for place in range(position, position + count):
            path = paths[order[place % count]]
            image = self.images.read(path)
            if image is not None:
                return image
        raise ImageError(f"{path.parent}: none of its images can be used")


def _image_sets(
    source: str | os.PathLike | Sequence[Path] | Sequence[Source] | Sequence[ImageSet],
    config: SamplingConfig,
) -> list[ImageSet]:
    if isinstance(source, (str, os.PathLike)):
        source = files.list_images(source)
    items = list(source)
    if not items:
        raise InvalidArgument("needs at least one image or folder; received none")
    if all(isinstance(item, ImageSet) for item in items):
        return [item for item in items if isinstance(item, ImageSet)]
    if all(isinstance(item, Source) for item in items):
        return list_sources([item for item in items if isinstance(item, Source)], config)
    return [ImageSet(tuple(item for item in items if isinstance(item, Path)), config)]


@lru_cache(maxsize=32)
def _order(count: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch, count]).permutation(count)


def _augment(image: np.ndarray, names: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    turns = {
        "horizontal": lambda x: x[:, ::-1],
        "vertical": lambda x: x[::-1],
        "transpose": lambda x: x.transpose(1, 0, 2),
    }
    for name, heads in zip(names, rng.random(len(names)) < 0.5, strict=True):
        image = turns[name](image) if heads else image
    return np.ascontiguousarray(image)
