"""Changes of colour."""

import numpy as np

from tfsr.degradations.levels import float_levels, luma


def colour_shift(
    image: np.ndarray, rng: np.random.Generator, *, shift: tuple[float, float, float]
) -> np.ndarray:
    """Add a constant to each channel: the cast of an old print, or a wrong white balance.

    Args:
        image: (H, W, 3), levels.
        rng: not used.
        shift: levels of 255 for each of red, green and blue.

    Returns:
        (H, W, 3) float32 levels, clipped to 0 to 255.
    """
    return np.clip(float_levels(image) + np.array(shift, np.float32), 0, 255)


def greyscale(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Make an image grey: three equal channels of its luma (ITU-R BT.601).

    Args:
        image: (H, W, 3), levels.
        rng: not used.

    Returns:
        (H, W, 3) float32 levels.
    """
    return np.repeat(luma(image), 3, axis=-1)
