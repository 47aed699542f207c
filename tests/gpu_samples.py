"""Run by JAX: compare samples of recipes/gpu/sampling.py with Pillow's; print what differs."""

import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "recipes" / "gpu"))
import sampling
from sampling import Images, Sampling

SIDES = (96, 70)


def pillow(image, size):
    return np.array(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC))


def compare(seed, mode):
    """One sample: the levels by which LR window and HR lattice differ, and the coordinates."""
    rng = np.random.default_rng(seed)
    originals = [pillow(rng.integers(0, 256, (12, 12, 3)).astype(np.uint8), n) for n in SIDES]
    pixels = np.zeros((2, 3, SIDES[0], SIDES[0]), np.uint8)
    for array, original in zip(pixels, originals, strict=True):
        array[:, : len(original), : len(original)] = original.transpose(2, 0, 1)
    images = Images(jnp.asarray(pixels), jnp.array(SIDES), jnp.array([0.5, 1.0]))
    transpose = mode == "random_crop"
    config = Sampling(
        mode,
        *(1, 8, 10),
        lr_size=(8, 40),
        hr_size=24,
        scale=(1.0, 6.0),
        transpose=transpose,
        recolour=0.0,
    )
    key = jax.random.key(seed)
    inputs, colours = jax.tree.map(np.asarray, sampling.sample(key, images, config))
    _, one, _, three, four, five = jax.random.split(jax.random.split(key, 1)[0], 6)
    index = int(jax.random.uniform(one) >= 0.5)
    draw = sampling._resize if mode == "resize" else sampling._random_crop
    lr, hr, _ = draw(three, SIDES[index], config)
    flips = np.asarray(jax.random.bernoulli(five, 0.5, (3,)))
    image = originals[index]
    if transpose and flips[2]:
        image = image.transpose(1, 0, 2)
    if transpose and flips[0]:
        image = image[::-1]
    image = np.ascontiguousarray(image[:, ::-1] if flips[1] else image)
    side = int(hr["size"])
    rows, columns = (
        np.asarray(sampling._lines(k, last - first, 10) + first)
        for k, first, last in zip(jax.random.split(four), hr["first"], hr["last"], strict=True)
    )
    if mode == "resize":
        top, left = np.asarray(lr["first"])
        reduced = pillow(image, round(SIDES[index] / float(lr["pitch"])))
        reduced, large = reduced[top : top + 8, left : left + 8], pillow(image, side)
    else:
        top, left = np.asarray(lr["low"])
        large = image[top : top + side, left : left + side]
        reduced = pillow(large, 8)
    window = inputs["window"][0] if mode == "resize" else np.float32([0, 0, 1, 1])
    places = ((2 * rows + 1) / side - 1 - window[0]) / window[2]
    return {
        "lr": np.abs(255 * inputs["image"][0] - reduced).max(),
        "hr": np.abs(255 * colours[0] - large[rows][:, columns]).max(),
        "rows": np.abs(inputs["rows"][0] - places).max(),
        "cell": np.abs(inputs["cell"][0] - 2 / side / window[2:]).max(),
        "lines": len(set(columns)) == min(10, int(hr["last"][1] - hr["first"][1])),
    }


def main():
    found = [compare(seed, mode) for seed in range(6) for mode in ("resize", "random_crop")]
    print(json.dumps([{name: float(value) for name, value in one.items()} for one in found]))


main()
