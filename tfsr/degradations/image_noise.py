"""Noise: Gaussian, Poisson and speckle; of colours, grey, or correlated between channels."""

import math

import numpy as np

from tfsr.degradations.levels import byte_levels, float_levels, luma

# Above this mean a Poisson number and a Gaussian one of the same variance look alike.
_GAUSSIAN_FROM = 16.0

Mixing = tuple[tuple[float, float, float], ...]


def gaussian_noise(
    image: np.ndarray,
    rng: np.random.Generator,
    *,
    sigma: float,
    grey: bool = False,
    mixing: Mixing | None = None,
) -> np.ndarray:
    """Add Gaussian noise.

    Args:
        image: (H, W, 3), levels.
        rng: draws the noise.
        sigma: float. Standard deviation in levels of 255.
        grey: bool. Whether the three channels have the same noise.
        mixing: 3x3 matrix that mixes independent noise of the channels; its square is the
            covariance at sigma 1. None: they stay independent.

    Returns:
        (H, W, 3) float32 levels, clipped to 0 to 255.
    """
    noise = _normal(image, rng, grey, mixing)
    return np.clip(float_levels(image) + np.float32(sigma) * noise, 0, 255)


def speckle_noise(
    image: np.ndarray,
    rng: np.random.Generator,
    *,
    sigma: float,
    grey: bool = False,
    mixing: Mixing | None = None,
) -> np.ndarray:
    """Add Gaussian noise in proportion to the level, as `gaussian_noise` does at white."""
    noise = _normal(image, rng, grey, mixing)
    levels = float_levels(image)
    return np.clip(levels + levels * noise * np.float32(sigma / 255), 0, 255)


def poisson_noise(
    image: np.ndarray,
    rng: np.random.Generator,
    *,
    scale: float,
    photons: float | None = None,
    grey: bool = False,
) -> np.ndarray:
    """Add the noise of counting photons.

    Args:
        image: (H, W, 3), levels.
        rng: draws the noise.
        scale: float. What the noise is multiplied by.
        photons: float. How many a white pixel counts. None: as many as the image has levels,
            rounded up to a power of 2, as in Real-ESRGAN.
        grey: bool. Whether the three channels have the same noise, that of their luma.

    Returns:
        (H, W, 3) float32 levels, clipped to 0 to 255.
    """
    levels = float_levels(byte_levels(image))
    light = np.rint(luma(levels)) if grey else levels
    if photons is None:
        used = int(np.count_nonzero(np.bincount(byte_levels(light).ravel(), minlength=256)))
        photons = 2.0 ** math.ceil(math.log2(max(used, 2)))
    one = np.float32(255 / photons)
    mean = light / one
    deviation = np.sqrt(mean) * rng.standard_normal(mean.shape, np.float32)
    few = mean < _GAUSSIAN_FROM
    deviation[few] = rng.poisson(mean[few]) - mean[few]
    return np.clip(float_levels(image) + np.float32(scale) * one * deviation, 0, 255)


def _normal(
    image: np.ndarray, rng: np.random.Generator, grey: bool, mixing: Mixing | None
) -> np.ndarray:
    height, width, channels = image.shape
    noise = rng.standard_normal((height, width, 1 if grey else channels), np.float32)
    return noise if mixing is None else noise @ np.array(mixing, np.float32)
