"""Blur and sharpening. Borders are reflected, so no edge darkens."""

import numpy as np
import scipy.fft
from PIL import Image, ImageFilter

from tfsr.degradations.kernels import bell, gaussian_line, sinc
from tfsr.degradations.levels import byte_levels, float_levels

# Up to this radius two passes of a separable kernel are faster than Fourier transforms.
_SEPARABLE_RADIUS = 10

# From this standard deviation on, a Gaussian of 8-bit levels by running means is exact enough.
_WIDE = 6.0


def blur(
    image: np.ndarray,
    rng: np.random.Generator,
    *,
    shape: str,
    size: int,
    sigma: tuple[float, float],
    angle: float = 0.0,
    beta: float = 1.0,
) -> np.ndarray:
    """Convolve with a bell-shaped kernel.

    Args:
        image: (H, W, 3), levels.
        rng: not used.
        shape: str. "gaussian", "generalized" or "plateau"; see `kernels.bell`.
        size: int. Odd side of the kernel in pixels.
        sigma: standard deviations along the kernel's two axes, in pixels of this image.
        angle: float. By how much the axes are turned, in radians.
        beta: float. The exponent of the last two shapes.

    Returns:
        (H, W, 3) float32 levels.
    """
    radius = size // 2
    if shape == "gaussian" and sigma[0] == sigma[1]:
        return gaussian_blur(image, sigma[0], radius)
    return _convolve(float_levels(image), bell(shape, size, sigma, angle, beta))


def low_pass(
    image: np.ndarray, rng: np.random.Generator, *, size: int, cutoff: float
) -> np.ndarray:
    """Convolve with the sinc kernel: ringing, as cheap resizing and strong compression leave it.

    Args:
        image: (H, W, 3), levels.
        rng: not used.
        size: int. Odd side of the kernel in pixels.
        cutoff: float. Cut-off frequency over pi.

    Returns:
        (H, W, 3) float32 levels, clipped to 0 to 255.
    """
    return np.clip(_convolve(float_levels(image), sinc(size, cutoff)), 0, 255)


def sharpen(
    image: np.ndarray,
    rng: np.random.Generator,
    *,
    amount: float,
    sigma: float,
    threshold: float = 0.0,
) -> np.ndarray:
    """Sharpen by an unsharp mask: halos beside edges.

    Where the difference to the blurred image is small, nothing changes; the transition is smooth.

    Args:
        image: (H, W, 3), levels.
        rng: not used.
        amount: float. How much of the difference to the blurred image is added.
        sigma: float. Standard deviation of the blur in pixels.
        threshold: float. Difference in levels up to which an image is left alone; 0 sharpens all.

    Returns:
        (H, W, 3) float32 levels, clipped to 0 to 255.

    Reference:
        Real-ESRGAN, https://github.com/xinntao/Real-ESRGAN (`usm_sharp`: amount 0.5, OpenCV's
        51-pixel Gaussian of sigma 8, threshold 10)
    """
    image = float_levels(image)
    difference = image - _untruncated_blur(image, sigma)
    sharp = np.clip(image + np.float32(amount) * difference, 0, 255)
    if threshold == 0:
        return sharp
    mask = np.where(np.abs(difference) > threshold, np.uint8(255), np.uint8(0))
    return image + _untruncated_blur(mask, sigma) / np.float32(255) * (sharp - image)


def gaussian_blur(image: np.ndarray, sigma: float, radius: int) -> np.ndarray:
    """Blur with an isotropic Gaussian that ends at a radius.

    Args:
        image: (H, W, C), levels.
        sigma: float. Standard deviation in pixels.
        radius: int. Pixels on each side that are weighed.

    Returns:
        (H, W, C) float32 levels.
    """
    image, line = float_levels(image), gaussian_line(sigma, radius)
    if radius > _SEPARABLE_RADIUS:
        return _convolve(image, line[:, None] * line)
    for axis in (0, 1):
        image = _along(image, line, axis)
    return image


def _untruncated_blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur with all of a Gaussian; a wide one by running means, whose time does not grow."""
    if sigma <= _WIDE:
        return gaussian_blur(image, sigma, int(np.ceil(3.1 * sigma)))
    levels = byte_levels(image)
    blurred = Image.fromarray(levels).filter(ImageFilter.GaussianBlur(sigma))
    return np.array(blurred, np.float32)


def _along(image: np.ndarray, line: np.ndarray, axis: int) -> np.ndarray:
    """Convolve along an axis with a symmetric kernel."""
    radius, side = len(line) // 2, image.shape[axis]
    padding = [(radius, radius) if i == axis else (0, 0) for i in range(image.ndim)]
    padded = np.pad(image, padding, mode="reflect")
    shifted = [padded[(slice(None),) * axis + (slice(i, i + side),)] for i in range(2 * radius + 1)]
    result = shifted[radius] * line[radius]
    for i in range(radius):
        result += (shifted[i] + shifted[-1 - i]) * line[i]
    return result


def _convolve(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Convolve with a square kernel of odd side through Fourier transforms."""
    radius = len(kernel) // 2
    height, width, _ = image.shape
    planes = np.ascontiguousarray(image.transpose(2, 0, 1))
    padded = np.pad(planes, ((0, 0), (radius, radius), (radius, radius)), mode="reflect")
    # What wraps around falls on the padding. (NumPy's transforms take seven times as long.)
    lengths = [scipy.fft.next_fast_len(side, real=True) for side in padded.shape[1:]]
    spectrum = scipy.fft.rfft2(padded, lengths)
    spectrum *= scipy.fft.rfft2(kernel, lengths)
    whole = scipy.fft.irfft2(spectrum, lengths)
    inner = whole[:, 2 * radius : 2 * radius + height, 2 * radius : 2 * radius + width]
    return np.ascontiguousarray(inner.transpose(1, 2, 0), np.float32)
