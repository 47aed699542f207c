"""LR images of a region of the original."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfsr.degradations import PIPELINES, get_pipeline
from tfsr.images import resize

EVERY = pytest.mark.parametrize("name", PIPELINES)


@pytest.fixture(scope="module")
def photograph():
    path = Path(__file__).parents[2] / "docs" / "images" / "astronaut-46.png"
    with Image.open(path) as image:
        return resize(np.array(image.convert("RGB")), (120, 128))


@EVERY
def test_the_mean_of_many_samples_is_the_reduced_image_without_a_shift(name, photograph):
    pipeline = get_pipeline(name)
    samples = [
        pipeline.degrade(photograph, (30, 32), np.random.default_rng(seed)).astype(float)
        for seed in range(25)
    ]
    mean, reduced = np.mean(samples, axis=0), resize(photograph, (30, 32)).astype(float)
    assert abs((mean - reduced).mean()) < 4
    inner = (slice(2, -2), slice(2, -2))
    distances = {
        (i, j): np.abs(mean - np.roll(reduced, (i, j), (0, 1)))[inner].mean()
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
    }
    assert min(distances, key=distances.__getitem__) == (0, 0)


@EVERY
def test_a_region_looks_like_that_part_of_the_whole(name, photograph):
    """With the same seed, noise and other JPEG blocks change less than a shift by a pixel."""
    pipeline = get_pipeline(name)
    box = (20.0, 28.0, 100.0, 108.0)
    differences = []
    for seed in range(12):
        whole = pipeline.degrade(photograph, (30, 32), np.random.default_rng(seed)).astype(float)
        part = pipeline.degrade(photograph, (20, 20), np.random.default_rng(seed), box)
        assert part.shape == (20, 20, 3)
        differences.append(np.abs(part - whole[5:25, 7:27]).mean())
    reduced = resize(photograph, (30, 32)).astype(float)
    shifted = np.abs(reduced[5:25, 7:27] - reduced[6:26, 8:28]).mean()
    assert np.median(differences) < (0.5 if pipeline.local else shifted)


def test_only_a_plain_reduction_is_local():
    assert [name for name in PIPELINES if get_pipeline(name).local] == ["clean"]
