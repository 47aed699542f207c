"""Training batches as a function of the seed and the step alone.

The same batches feed tf.data (`tfsr.data.tf_dataset`) and `keras.utils.PyDataset`
(`tfsr.data.py_dataset`).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from tfsr.data.sample_maker import Sample, SampleMaker
from tfsr.data.sampling_config import SamplingConfig
from tfsr.data.sources import ImageSet, Source, choose, list_sources
from tfsr.data.training_images import DEFAULT_CACHE, TrainingImages, fingerprint
from tfsr.degradations import get_pipeline
from tfsr.errors import ImageError, InvalidArgument, TfsrError
from tfsr.images import list_images

Batch = Sample
# The "window" of a sample without one, in a batch with others that have one.
_NO_WINDOW = np.array([0, 0, 1, 1], np.float32)


class Sampler:
    """Endless batches from folders of images, each a function of (seed, step).

    Each image of a folder is used once before any is used again, in an order that differs from
    epoch to epoch. With several folders, any run of samples has nearly the folders' shares, and no
    image occurs twice within as many samples as its folder has images.

    Args:
        source: a folder, paths of images, or folders with weights (`Source`).
        config: how samples are made.
        seed: int. Determines every sample together with its index.
        skip_damaged: whether an unusable image is skipped, and the next one of the epoch takes its
            place, instead of an error.
        report: called with a line for each skipped image.
        cache: bytes for decoded images. Defaults to 2 GiB.
        decoded: images that are in memory already, by path.

    Raises:
        ImageError: if a folder cannot be read or contains no images.
        InvalidArgument: if the configuration is inconsistent.

    Example:
        >>> config = tfsr.data.SamplingConfig(batch=2, lr_size=16, hr_size=(32, 64), num_points=64)
        >>> sampler = tfsr.data.Sampler("faces", config)
        >>> inputs, colours = sampler.batch(step=0)
        >>> {name: value.shape for name, value in inputs.items()}
        {'image': (2, 16, 16, 3), 'coordinates': (2, 64, 2), 'cell': (2, 64, 2)}
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
        self.config, self.seed = config, seed
        self.sets = _image_sets(source, config)
        configs: dict[Path, list[SamplingConfig]] = {}
        for images in self.sets:
            for path in images.paths:
                configs.setdefault(path, []).append(images.config)
        self.images = TrainingImages(configs, skip_damaged, report, cache, decoded)
        self.paths = self.images.paths
        self.failure: TfsrError | None = None
        """The error of the last batch that failed: tf.data hides it from its caller."""
        self._pipelines = [get_pipeline(images.config.degradation) for images in self.sets]
        self._weights = [images.weight for images in self.sets]
        self._windowed = any(images.config.window for images in self.sets)

    def check(self) -> None:
        """Check every image's header before training; see `TrainingImages.check`."""
        self.images.check()

    def fingerprint(self) -> str:
        """Digest of the images' names and sizes and, of several folders, their settings."""
        if len(self.sets) == 1:
            return fingerprint(self.paths)
        digest = hashlib.sha256()
        for images in self.sets:
            config = images.config
            own = [config.mode, config.lr_range, config.hr_size, config.scale, config.augment]
            text = json.dumps([images.weight, *own, config.degradation], sort_keys=True)
            digest.update(f"{text} {fingerprint(images.paths)}\n".encode())
        return digest.hexdigest()

    def batch(self, step: int, shard: int = 0, num_shards: int = 1) -> Batch:
        """Return the inputs and colours of a step, or one of several equal shards of them.

        Args:
            step: of the run, from 0.
            shard: from 0.
            num_shards: divides the batch.

        Returns:
            (inputs, colours), float32. Scattered points: `{"image": (B, n, n, 3), "coordinates":
            (B, Q, 2), "cell": (B, Q, 2)}` and (B, Q, 3). Lattices and patches: "rows" (B, P),
            "columns" (B, P), "cell" (B, 2) and (B, P, P, 3). Without points: `{"image"}` and the HR
            images. If any folder has windows, also "window": (B, 4).

        Raises:
            ImageError: if an image cannot be read, or is too small.
        """
        size = self.config.batch // num_shards
        first = step * self.config.batch + shard * size
        try:
            samples = [self.sample(first + i) for i in range(size)]
        except TfsrError as error:
            self.failure = error
            raise
        inputs = {name: np.stack([x[name] for x, _ in samples]) for name in samples[0][0]}
        return inputs, np.stack([colours for _, colours in samples])

    def sample(self, index: int) -> Batch:
        """Return one sample of the endless sequence, without the batch axis."""
        chosen = choose(self._weights, self.seed, index)
        images = self.sets[chosen]
        image = self._image(images.paths, index)
        rng = np.random.default_rng([self.seed, index])
        inputs, colours = SampleMaker(images.config, self._pipelines[chosen], rng).make(image)
        if self._windowed:
            inputs.setdefault("window", _NO_WINDOW)
        return inputs, colours

    def _image(self, paths: Sequence[Path], index: int) -> np.ndarray:
        epoch, position = divmod(index, len(paths))
        order = _order(len(paths), self.seed, epoch)
        for chosen in np.roll(order, -position):
            image = self.images.read(paths[chosen])
            if image is not None:
                return image
        raise ImageError(f"{paths[0].parent}: none of its images can be used")


def _image_sets(source: Any, config: SamplingConfig) -> list[ImageSet]:
    if isinstance(source, (str, os.PathLike)):
        source = list_images(source)
    items = list(source)
    if not items:
        raise InvalidArgument("at least one image or folder is needed; received none")
    if isinstance(items[0], ImageSet):
        return items
    if isinstance(items[0], Source):
        return list_sources(items, config)
    return [ImageSet(tuple(items), config)]


@lru_cache(maxsize=32)
def _order(count: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.default_rng([seed, epoch, count]).permutation(count)
