"""Blur kernels and convolution. Borders are reflected, so edges do not darken.

Reference:
    Wang et al., Real-ESRGAN, https://arxiv.org/abs/2107.10833, sections 3.2 and 3.3.
"""

import numpy as np
import scipy.fft
from scipy.special import j1

from tfsr.degradations.levels import float_levels

SHAPES = ("gaussian", "generalized", "plateau")

# Up to this radius two passes of a separable kernel are faster than Fourier transforms.
_SEPARABLE_RADIUS = 10

# The kernel of this standard deviation is one pixel.
_MIN_SIGMA = 0.01


def blur_kernel(
    shape: str, size: int, sigma: tuple[float, float], angle: float, beta: float = 1.0
) -> np.ndarray:
    """Return a (size, size) float32 kernel of elliptic level lines, whose sum is 1.

    With q = x' C^-1 x, C the covariance: "gaussian" is exp(-q / 2), "generalized" exp(-q^beta / 2),
    "plateau" 1 / (1 + q^beta). `sigma` is in pixels along the two axes, `angle` rotates them.
    """
    offset = np.arange(size) - (size - 1) / 2
    x, y = offset[None, :], offset[:, None]
    cosine, sine = np.cos(angle), np.sin(angle)
    along = (cosine * x + sine * y) / max(sigma[0], _MIN_SIGMA)
    across = (cosine * y - sine * x) / max(sigma[1], _MIN_SIGMA)
    q = along**2 + across**2
    if shape == "plateau":
        kernel = 1 / (1 + q**beta)
    else:
        kernel = np.exp(-0.5 * (q if shape == "gaussian" else q**beta))
    return (kernel / kernel.sum()).astype(np.float32)


def sinc(size: int, cutoff: float) -> np.ndarray:
    """Return the ideal circular low-pass filter, which causes ringing beside edges.

    A (size, size) float32 kernel whose sum is 1; `cutoff` is a frequency over pi.
    """
    offset = np.arange(size) - (size - 1) / 2
    radius = np.hypot(offset[None, :], offset[:, None])
    frequency = cutoff * np.pi
    at_centre = radius == 0
    radius[at_centre] = 1
    kernel = frequency * j1(frequency * radius) / (2 * np.pi * radius)
    kernel[at_centre] = frequency**2 / (4 * np.pi)
    return (kernel / kernel.sum()).astype(np.float32)


def gaussian_blur(image: np.ndarray, sigma: float, radius: int) -> np.ndarray:
    """Blur (H, W, C) levels with an isotropic Gaussian, truncated at a radius, to float32."""
    x = np.arange(-radius, radius + 1) / max(sigma, _MIN_SIGMA)
    line = np.exp(-0.5 * x**2)
    line = (line / line.sum()).astype(np.float32)
    image = float_levels(image)
    if radius > _SEPARABLE_RADIUS:
        return convolve(image, line[:, None] * line)
    return _convolve_axis(_convolve_axis(image, line, 0), line, 1)


def convolve(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Convolve (H, W, C) levels with a square kernel of odd side through Fourier transforms."""
    radius = len(kernel) // 2
    height, width, _ = image.shape
    planes = np.ascontiguousarray(float_levels(image).transpose(2, 0, 1))
    padded = np.pad(planes, ((0, 0), (radius, radius), (radius, radius)), mode="reflect")
    # Circular wrap-around falls on the padding. (NumPy's transforms take seven times as long.)
    lengths = [scipy.fft.next_fast_len(side, real=True) for side in padded.shape[1:]]
    spectrum = scipy.fft.rfft2(padded, lengths)
    spectrum *= scipy.fft.rfft2(kernel, lengths)
    full = scipy.fft.irfft2(spectrum, lengths)
    inner = full[:, 2 * radius : 2 * radius + height, 2 * radius : 2 * radius + width]
    return np.ascontiguousarray(inner.transpose(1, 2, 0), np.float32)


def _convolve_axis(image: np.ndarray, line: np.ndarray, axis: int) -> np.ndarray:
    """Convolve along an axis with a symmetric kernel."""
    radius, side = len(line) // 2, image.shape[axis]
    padding = [(radius, radius) if i == axis else (0, 0) for i in range(image.ndim)]
    padded = np.pad(image, padding, mode="reflect")
    shifted = [padded[(slice(None),) * axis + (slice(i, i + side),)] for i in range(len(line))]
    result = shifted[radius] * line[radius]
    for i in range(radius):
        result += (shifted[i] + shifted[-1 - i]) * line[i]
    return result
