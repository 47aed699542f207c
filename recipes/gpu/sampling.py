"""Training samples made on a GPU, by JAX: what `tfsr.data.SampleMaker` makes with Pillow.

All images lie in the GPU's memory. A sample needs a few rows and columns of an image's reductions,
which are products of the image with two narrow matrices: Pillow's bicubic filter, rounded to 8 bits
after each of its two passes. Only clean LR images are made here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Images(NamedTuple):
    """Square images of several sizes in one array.

    Attributes:
        pixels: (images, 3, S, S) uint8; an image of n pixels fills the first n rows and columns.
        sides: (images,) int32.
        ends: (images,) float32. Cumulative probability of being sampled.
    """

    pixels: Any
    sides: Any
    ends: Any


@dataclass(frozen=True)
class Sampling:
    """How a group of samples of one step is made.

    Attributes:
        mode: as of `SamplingConfig`.
        batch: samples in a step.
        window: side of the LR window.
        points: rows, and columns, of the lattice.
        lr_size: "resize": (min, max) side of the LR image, log-uniform.
        hr_size: "resize": smallest side of the HR image; the largest is the image's.
        native: "resize": probability that the HR image is the image itself.
        scale: "random_crop": (min, max) scale, log-uniform.
        transpose: whether images are also flipped vertically and transposed.
        recolour: probability that each channel is mapped to a range of its own.
    """

    mode: str
    batch: int
    window: int
    points: int
    lr_size: tuple[int, int] = (32, 176)
    hr_size: int = 96
    native: float = 0.5
    scale: tuple[float, float] = (1.0, 8.0)
    transpose: bool = False
    recolour: float = 0.03


def sample(key: Any, images: Images, config: Sampling) -> tuple[dict[str, Any], Any]:
    """Make a group of samples: the inputs of a model, and the colours of the lattice."""
    keys = jax.random.split(key, config.batch)
    draw = _resize if config.mode == "resize" else _random_crop
    return jax.vmap(lambda k: _sample(k, images, config, draw))(keys)


def _sample(key: Any, images: Images, config: Sampling, draw: Any) -> tuple[dict[str, Any], Any]:
    key, one, two, three, four, five = jax.random.split(key, 6)
    index = jnp.searchsorted(images.ends, jax.random.uniform(one), side="right")
    index = jnp.minimum(index, images.sides.shape[0] - 1)
    n = images.sides[index]
    image = _recolour(two, images.pixels[index].astype(jnp.float32), config.recolour)
    lr, hr, inputs = draw(three, n, config)
    rows, columns = (
        _lines(k, last - first, config.points) + first
        for k, first, last in zip(jax.random.split(four), hr["first"], hr["last"], strict=True)
    )
    flips = jax.random.bernoulli(five, 0.5, (3,))
    if config.transpose:
        image = jnp.where(flips[2], image.swapaxes(1, 2), image)
    flipped = (flips[0] & config.transpose, flips[1])

    def cut(part, axes):
        matrices = []
        for axis, lines in enumerate(axes):
            centres = part["origin"][axis] + (lines + 0.5) * part["pitch"]
            low, high = part["low"][axis], part["high"][axis]
            matrix = _bicubic(centres, part["pitch"], low, high, image.shape[-1])
            # The image may be smaller than the array.
            mirrored = jnp.roll(matrix[:, ::-1], n, axis=1)
            matrices.append(jnp.where(flipped[axis], mirrored, matrix))
        return _filtered(image, *matrices)

    lines = jnp.arange(config.window)
    inputs["image"] = cut(lr, [lines + lr["first"][0], lines + lr["first"][1]]) / 255.0
    size = hr["size"].astype(jnp.float32)
    window = inputs.get("window", jnp.array([0.0, 0, 1, 1]))
    inputs["rows"], inputs["columns"] = (
        ((2 * lines + 1) / size - 1 - window[i]) / window[2 + i]
        for i, lines in enumerate((rows, columns))
    )
    inputs["cell"] = 2 / size / window[2:]
    return inputs, cut(hr, [rows, columns]) / 255.0


def _resize(key: Any, n: Any, config: Sampling):
    one, two, three, four = jax.random.split(key, 4)
    low, high = config.lr_size
    size = jnp.exp(jax.random.uniform(one, minval=np.log(low), maxval=np.log(high + 1)))
    size = jnp.minimum(size.astype(jnp.int32), n)
    least = jnp.minimum(jnp.maximum(config.hr_size, size), n)
    side = jax.random.randint(two, (), least, n + 1)
    side = jnp.where(jax.random.bernoulli(three, config.native), n, side)
    start = jax.random.randint(four, (2,), 0, size - config.window + 1)
    edges = jnp.stack([start, start + config.window]) * (side / size) - 0.5
    first, last = jnp.ceil(edges).astype(jnp.int32)
    window = jnp.concatenate(
        [(2 * start + config.window) / size - 1, jnp.full(2, config.window / size)]
    )
    whole = {"origin": jnp.zeros(2), "low": jnp.zeros(2), "high": jnp.full(2, n)}
    lr = {**whole, "pitch": n / size, "first": start}
    hr = {**whole, "pitch": n / side, "first": first, "last": last, "size": side}
    return lr, hr, {"window": window.astype(jnp.float32)}


def _random_crop(key: Any, n: Any, config: Sampling):
    one, two = jax.random.split(key)
    low, high = np.log(config.scale)
    scale = jnp.exp(jax.random.uniform(one, minval=low, maxval=high))
    side = jnp.minimum(jnp.floor(config.window * scale + 0.5).astype(jnp.int32), n)
    origin = jax.random.randint(two, (2,), 0, n - side + 1)
    zero = jnp.zeros(2, jnp.int32)
    crop = {"origin": origin.astype(jnp.float32), "low": origin, "high": origin + side}
    lr = {**crop, "pitch": side / config.window, "first": zero}
    hr = {**crop, "pitch": jnp.float32(1), "first": zero, "last": zero + side, "size": side}
    return lr, hr, {}


def _lines(key: Any, available: Any, count: int):
    """Choose lines without replacement; if there are fewer, all of them and then any; sorted."""
    one, two = jax.random.split(key)
    order = jax.random.uniform(one, (512,))
    order = jnp.where(jnp.arange(512) < available, order, 2.0)
    chosen = jnp.argsort(order)[:count]
    extra = jax.random.randint(two, (count,), 0, available)
    return jnp.sort(jnp.where(jnp.arange(count) < available, chosen, extra))


def _recolour(key: Any, image: Any, probability: float):
    """Map each channel's [0, 255] to a range of its own, so that every colour occurs."""
    one, two, three = jax.random.split(key, 3)
    ends = jax.random.uniform(one, (2, 3, 1, 1), minval=-127.0, maxval=382.0)
    ends = jnp.round(jnp.clip(ends, 0, 255))
    changed = jnp.round(ends[0] + (ends[1] - ends[0]) * image / 255)
    return jnp.where(jax.random.bernoulli(two, probability), changed, image)


def _filtered(image: Any, rows: Any, columns: Any):
    """Filter (3, S, S) along its rows, then its columns, to (P, Q, 3), in steps of 8 bits."""
    highest = jax.lax.Precision.HIGHEST
    pixels = jnp.einsum("chw,qw->chq", image, columns, precision=highest)
    pixels = _to_levels(pixels)
    return _to_levels(jnp.einsum("chq,ph->pqc", pixels, rows, precision=highest))


def _to_levels(pixels: Any):
    return jnp.clip(jnp.floor(pixels + 0.5), 0, 255)


def _bicubic(centres: Any, pitch: Any, low: Any, high: Any, length: int):
    """Pillow's bicubic filter as a matrix (outputs, length); pixels in [low, high) exist."""
    width = jnp.maximum(pitch, 1.0)
    first = jnp.maximum(jnp.floor(centres - 2 * width + 0.5), low)[:, None]
    last = jnp.minimum(jnp.floor(centres + 2 * width + 0.5), high)[:, None]
    pixel = jnp.arange(length)[None]
    x = jnp.abs(pixel + 0.5 - centres[:, None]) / width
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    weights = jnp.where(x < 1, near, jnp.where(x < 2, far, 0.0))
    weights = jnp.where((pixel >= first) & (pixel < last), weights, 0.0)
    return weights / weights.sum(axis=1, keepdims=True)
