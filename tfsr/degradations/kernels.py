"""Blur kernels: Gaussian, generalised Gaussian, plateau and sinc.

Reference:
    Wang et al., Real-ESRGAN, https://arxiv.org/abs/2107.10833, sections 3.2 and 3.3.
"""

import numpy as np

SHAPES = ("gaussian", "generalized", "plateau")

# Nodes of Bessel's integral: exact to float64 for arguments up to 60, and the largest is
# pi * sqrt(2) * 12, of a 25x25 kernel.
_NODES = 128

# The smallest standard deviation: the kernel is one pixel then.
_LEAST_SIGMA = 0.01


def gaussian_line(sigma: float, radius: int) -> np.ndarray:
    """Return one axis of an isotropic Gaussian, which is separable.

    Args:
        sigma: float. Standard deviation in pixels of the image that is blurred.
        radius: int. Pixels on each side of the centre.

    Returns:
        (2 * radius + 1,) float32 whose sum is 1.
    """
    x = np.arange(-radius, radius + 1) / max(sigma, _LEAST_SIGMA)
    line = np.exp(-0.5 * x**2)
    return (line / line.sum()).astype(np.float32)


def bell(
    shape: str, size: int, sigma: tuple[float, float], angle: float, beta: float = 1.0
) -> np.ndarray:
    """Return a bell-shaped kernel with elliptic level lines.

    Of q = x' C^-1 x, C the covariance: "gaussian" is exp(-q / 2), "generalized" exp(-q^beta / 2),
    "plateau" 1 / (1 + q^beta).

    Args:
        shape: str. One of `SHAPES`.
        size: int. Odd side of the kernel in pixels.
        sigma: standard deviations along the two axes, in pixels.
        angle: float. By how much the axes are turned, in radians.
        beta: float. The exponent; below 1 the bell is pointed, above 1 it is flat.

    Returns:
        (size, size) float32 whose sum is 1.
    """
    offset = np.arange(size) - (size - 1) / 2
    x, y = offset[None, :], offset[:, None]
    cosine, sine = np.cos(angle), np.sin(angle)
    along = (cosine * x + sine * y) / max(sigma[0], _LEAST_SIGMA)
    across = (cosine * y - sine * x) / max(sigma[1], _LEAST_SIGMA)
    q = along**2 + across**2
    if shape == "plateau":
        kernel = 1 / (1 + q**beta)
    else:
        kernel = np.exp(-0.5 * (q if shape == "gaussian" else q**beta))
    return (kernel / kernel.sum()).astype(np.float32)


def sinc(size: int, cutoff: float) -> np.ndarray:
    """Return the ideal circular low-pass filter, which leaves ringing beside every edge.

    Args:
        size: int. Odd side of the kernel in pixels.
        cutoff: float. Cut-off frequency over pi, above 0; 1 is the highest of the axes.

    Returns:
        (size, size) float32 whose sum is 1.
    """
    offset = np.arange(size) - (size - 1) / 2
    radius = np.hypot(offset[None, :], offset[:, None])
    frequency = cutoff * np.pi
    at_centre = radius == 0
    radius[at_centre] = 1
    kernel = frequency * _bessel_j1(frequency * radius) / (2 * np.pi * radius)
    kernel[at_centre] = frequency**2 / (4 * np.pi)
    return (kernel / kernel.sum()).astype(np.float32)


def _bessel_j1(x: np.ndarray) -> np.ndarray:
    """Bessel's integral by the midpoint rule, which is exact for periodic functions."""
    t = (np.arange(_NODES) + 0.5) * np.pi / _NODES
    return np.cos(t - x[..., None] * np.sin(t)).mean(axis=-1)
