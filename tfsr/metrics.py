"""PSNR and SSIM exactly as each paper measures them, and those that `fit` reports.

Published figures differ by whole decibels with the cropped border, the luminance formula and the
rounding. Each convention is a named protocol; a figure means nothing without its name.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from tfsr.errors import InvalidArgument, check_choice

__all__ = ["PROTOCOLS", "PSNR", "SSIM", "psnr", "ssim"]


@dataclass(frozen=True)
class MetricProtocol:
    """What is done to two images before they are compared.

    Attributes:
        peak: the largest value of a pixel; PSNR is 10 log10(peak^2 / mean squared error).
        crops_border: whether a border of `scale` + `margin` pixels is cropped.
        margin: pixels cropped beyond the scale.
        luma: weights of R, G, B in [0, peak] and a constant; None compares all three channels.
        quantized: whether images and luminance are truncated to 8 bits first.
        window: of SSIM; None where the protocol defines no SSIM.
    """

    peak: float = 1.0
    crops_border: bool = False
    margin: int = 0
    luma: tuple[float, float, float, float] | None = None
    quantized: bool = False
    window: Literal["uniform", "gaussian"] | None = None


PROTOCOLS = {
    # All pixels: LIIF's `calc_psnr` without a data set's name, which LIIF and LTE use for CelebA-HQ
    # and DIINN for its test sets.
    "rgb": MetricProtocol(window="uniform"),
    # Luminance in [16, 235] / 255, all pixels, not rounded; SSIM as Wang et al. define it. The "Y"
    # of most papers on faces.
    "y": MetricProtocol(
        luma=(65.481 / 255, 128.553 / 255, 24.966 / 255, 16 / 255), window="gaussian"
    ),
    # `calc_psnr(dataset="div2k")`: a border of scale + 6.
    "div2k": MetricProtocol(crops_border=True, margin=6),
    # `calc_psnr(dataset="benchmark")` (Set5, Set14, B100, Urban100): luminance, a border of scale.
    # The constant 16 cancels in a difference, not in the SSIM that is customary beside it.
    "benchmark-y": MetricProtocol(
        crops_border=True,
        luma=(65.738 / 256, 129.057 / 256, 25.064 / 256, 16 / 255),
        window="gaussian",
    ),
    # ARASFSR's metric.py on saved PNGs: luminance in [16, 235] truncated to 8 bits, peak 255. The
    # weights are divided first, as there: it decides on which side of an integer Y falls.
    "arasfsr-y": MetricProtocol(
        peak=255.0,
        luma=(65.481 / 255, 128.553 / 255, 24.966 / 255, 16.0),
        quantized=True,
        window="uniform",
    ),
}
"""Metric protocols by name."""

# Wang et al. 2004: 11x11 pixels, a Gaussian of 1.5 pixels. "uniform" is scikit-image's default,
# which the two papers that use it did not change.
_GAUSSIAN = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
_WINDOWS = {"uniform": np.full(7, 1 / 7), "gaussian": _GAUSSIAN / _GAUSSIAN.sum()}
_SSIM_K1, _SSIM_K2 = 0.01, 0.03


def psnr(
    sr: np.ndarray, hr: np.ndarray, protocol: str = "rgb", scale: float | None = None
) -> float:
    """Peak signal-to-noise ratio of an image, in dB.

    Floats are clipped to [0, 1], as in the authors' evaluation loops. `"arasfsr-y"` compares saved
    PNGs: floats are truncated to 8 bits, not rounded, as the authors' program saves them.

    Args:
        sr: (H, W, 3) uint8, or floating point in [0, 1]. The image under test.
        hr: (H, W, 3) uint8, or floating point in [0, 1]. The ground truth.
        protocol: str. A key of `PROTOCOLS`. Defaults to `"rgb"`.
        scale: integer. The magnification, which sets the cropped border of `"div2k"` (scale + 6)
            and `"benchmark-y"` (scale); the others ignore it. Defaults to None.

    Returns:
        float, infinite for equal images. A data set's figure is the mean over its images.

    Raises:
        InvalidArgument: unknown protocol, different shapes, missing scale, images smaller than the
            border, or invalid pixel values.

    Example:
        >>> hr = np.full((16, 16, 3), 100, np.uint8)
        >>> round(tfsr.metrics.psnr(hr + 1, hr), 2)
        48.13

    Reference:
        `calc_psnr` in https://github.com/yinboc/liif (utils.py);
        `PSNR` in https://github.com/nycu-acm/ARASFSR (metric.py)
    """
    check_choice("protocol", protocol, PROTOCOLS)
    rule, x, y = _prepare(sr, hr, protocol, scale)
    mean_square = float(np.mean(np.square(x - y)))
    return 10 * math.log10(rule.peak**2 / mean_square) if mean_square else math.inf


def ssim(
    sr: np.ndarray, hr: np.ndarray, protocol: str = "arasfsr-y", scale: float | None = None
) -> float:
    """Structural similarity of an image.

    K1 = 0.01, K2 = 0.03, averaged over the windows inside the image. `"y"` and `"benchmark-y"` use
    the window of Wang et al., 11x11 pixels under a Gaussian of 1.5 pixels. `"rgb"` (mean of three
    channels) and `"arasfsr-y"` (8-bit luminance) use scikit-image's default: a uniform 7x7 window
    and the sample covariance (divided by 48).

    Args:
        sr: as in `psnr`.
        hr: as in `psnr`.
        protocol: str. `"arasfsr-y"`, `"y"`, `"benchmark-y"` or `"rgb"`; the others define no SSIM.
            Defaults to `"arasfsr-y"`.
        scale: as in `psnr`.

    Returns:
        float, at most 1 (equal images).

    Raises:
        InvalidArgument: as in `psnr`, a protocol without SSIM, or images smaller than the window.

    Example:
        >>> hr = np.full((16, 16, 3), 100, np.uint8)
        >>> tfsr.metrics.ssim(hr, hr)
        1.0

    Reference:
        Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity",
        2004; `SSIM` in https://github.com/nycu-acm/ARASFSR (metric.py)
    """
    check_choice("protocol", protocol, [name for name, rule in PROTOCOLS.items() if rule.window])
    rule, x, y = _prepare(sr, hr, protocol, scale, structural=True)
    window = _WINDOWS[rule.window or "uniform"]
    c1, c2 = (_SSIM_K1 * rule.peak) ** 2, (_SSIM_K2 * rule.peak) ** 2
    samples = len(window) ** 2
    mean_x, mean_y = _window_mean(x, window), _window_mean(y, window)
    unbias = samples / (samples - 1) if rule.window == "uniform" else 1.0
    var_x = unbias * (_window_mean(x * x, window) - mean_x**2)
    var_y = unbias * (_window_mean(y * y, window) - mean_y**2)
    cov = unbias * (_window_mean(x * y, window) - mean_x * mean_y)
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * cov + c2) / (var_x + var_y + c2)
    return float(np.mean(luminance * structure))


def min_side(protocol: str, scale: float | None = None, structural: bool = False) -> int:
    """Return the shorter side of the smallest image that PSNR (or structural: SSIM) accepts."""
    window = PROTOCOLS[protocol].window
    inside = len(_WINDOWS[window]) if structural and window else 1
    return inside + 2 * _border(protocol, scale)


@keras.saving.register_keras_serializable("tfsr")
class PSNR(keras.metrics.MeanMetricWrapper):
    """Mean PSNR of the samples, for `fit`: colours in [0, 1], computed in float32.

    It monitors training and is not a protocol: nothing is clipped, cropped or rounded. Squared
    errors below 1e-10 count as 1e-10 (100 dB), so a perfect sample keeps the mean finite.

    Args:
        name: str. Defaults to `"psnr"`.
        dtype: of the metric's state. Defaults to None, which is float32.

    Call arguments:
        y_true: (B, ..., 3) target colours in [0, 1].
        y_pred: (B, ..., 3) predicted colours.
        sample_weight: (B,), or None.

    Example:
        >>> metric = tfsr.metrics.PSNR()
        >>> metric.update_state(np.zeros((1, 4, 3)), np.full((1, 4, 3), 0.1))
        >>> round(float(metric.result()), 3)
        20.0
    """

    def __init__(self, name: str = "psnr", dtype: Any = None) -> None:
        super().__init__(fn=_sample_psnr, name=name, dtype=dtype or "float32")
        # Callbacks with mode="auto" read this attribute, and do not guess where it is missing.
        self._direction = "up"

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}


@keras.saving.register_keras_serializable("tfsr")
class SSIM(keras.metrics.MeanMetricWrapper):
    """Mean SSIM of the samples, for `fit` on pairs of images: colours in [0, 1], in float32.

    It is that of Wang et al., as in `tf.image.ssim`: 11x11 pixels under a Gaussian of 1.5 pixels,
    K1 = 0.01, K2 = 0.03, the mean over the channels. It is not a protocol: nothing is clipped,
    cropped or rounded.

    Args:
        name: str. Defaults to `"ssim"`.
        dtype: of the metric's state. Defaults to None, which is float32.

    Call arguments:
        y_true: (B, H, W, C) target colours in [0, 1]. H and W are at least 11.
        y_pred: (B, H, W, C) predicted colours.
        sample_weight: (B,), or None.

    Raises:
        InvalidArgument: when called, for other shapes, such as those of scattered points.

    Example:
        >>> metric = tfsr.metrics.SSIM()
        >>> metric.update_state(np.ones((1, 16, 16, 3)), np.ones((1, 16, 16, 3)))
        >>> float(metric.result())
        1.0
    """

    def __init__(self, name: str = "ssim", dtype: Any = None) -> None:
        super().__init__(fn=_sample_ssim, name=name, dtype=dtype or "float32")
        self._direction = "up"  # As in `PSNR`.

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}


def _sample_psnr(y_true: Any, y_pred: Any) -> Any:
    squares = ops.square(ops.cast(y_pred, "float32") - ops.cast(y_true, "float32"))
    mean_square = ops.mean(squares, axis=tuple(range(1, len(squares.shape))))
    return -10.0 * ops.log10(ops.maximum(mean_square, 1e-10))


def _sample_ssim(y_true: Any, y_pred: Any) -> Any:
    x, y = ops.cast(y_pred, "float32"), ops.cast(y_true, "float32")
    shape = tuple(x.shape)
    if len(shape) != 4 or any(side is not None and side < len(_GAUSSIAN) for side in shape[1:3]):
        raise InvalidArgument(
            "the metric ssim takes images (B, H, W, C) of at least 11x11 pixels; received shape "
            f"{shape}"
        )
    terms = ops.concatenate([x, y, x * x, y * y, x * y], axis=-1)
    window = ops.convert_to_tensor(_WINDOWS["gaussian"], "float32")
    for side in ((-1, 1, 1, 1), (1, -1, 1, 1)):
        kernel = ops.tile(ops.reshape(window, side), (1, 1, terms.shape[-1], 1))
        terms = ops.depthwise_conv(terms, kernel, padding="valid", data_format="channels_last")
    mean_x, mean_y, square_x, square_y, product = ops.split(terms, 5, axis=-1)
    c1, c2 = _SSIM_K1**2, _SSIM_K2**2
    means = mean_x * mean_y
    squares = ops.square(mean_x) + ops.square(mean_y)
    luminance = (2 * means + c1) / (squares + c1)
    structure = (2 * (product - means) + c2) / (square_x + square_y - squares + c2)
    return ops.mean(luminance * structure, axis=(1, 2, 3))


def _border(protocol: str, scale: float | None) -> int:
    rule = PROTOCOLS[protocol]
    if not rule.crops_border:
        return 0
    if scale is None or not float(scale).is_integer() or scale < 1:
        raise InvalidArgument(
            f"must be an integer of at least 1 for protocol '{protocol}'; received {scale!r}",
            "scale",
        )
    return int(scale) + rule.margin


def _prepare(
    sr: np.ndarray, hr: np.ndarray, protocol: str, scale: float | None, structural: bool = False
) -> tuple[MetricProtocol, np.ndarray, np.ndarray]:
    """Check two images, and return the protocol and the pixels of each that it compares."""
    rule, border = PROTOCOLS[protocol], _border(protocol, scale)
    planes = [_planes(sr, "sr", rule), _planes(hr, "hr", rule)]
    if sr.shape != hr.shape:
        shapes = f"{sr.shape} and {hr.shape}"
        raise InvalidArgument(f"sr and hr must have the same shape; received {shapes}")
    side, (height, width) = min_side(protocol, scale, structural), sr.shape[:2]
    if min(height, width) < side:
        measure = "SSIM" if structural else "PSNR"
        raise InvalidArgument(
            f"{measure} by protocol '{protocol}' needs images of at least {side}x{side} pixels; "
            f"received shape {sr.shape}"
        )
    x, y = (plane[border : height - border, border : width - border] for plane in planes)
    return rule, x, y


def _planes(image: np.ndarray, name: str, rule: MetricProtocol) -> np.ndarray:
    """Check an image and return what the rule compares: float64, (H, W) or (H, W, 3)."""
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[-1] != 3:
        shape = image.shape if isinstance(image, np.ndarray) else type(image).__name__
        raise InvalidArgument(
            f"must be an array of shape (H, W, 3); received {shape}. For training there are "
            "tfsr.metrics.PSNR() and SSIM()",
            name,
        )
    if image.dtype == np.uint8:
        pixels = image.astype(np.float64) * (rule.peak / 255)
    elif np.issubdtype(image.dtype, np.floating):
        pixels = _float_pixels(image, name, rule)
    else:
        raise InvalidArgument(
            f"must be uint8, or floating point in [0, 1]; received {image.dtype}", name
        )
    if rule.luma is None:
        return pixels
    red, green, blue, constant = rule.luma
    luma = constant + red * pixels[..., 0] + green * pixels[..., 1] + blue * pixels[..., 2]
    return np.floor(luma) if rule.quantized else luma


def _float_pixels(image: np.ndarray, name: str, rule: MetricProtocol) -> np.ndarray:
    if not np.isfinite(image).all():
        raise InvalidArgument("must be finite; received infinity or NaN", name)
    # A model may overshoot, a ground truth cannot: this catches float arrays of 0 to 255, which
    # clipping would turn into a plausible figure.
    if name == "hr" and image.max() > 2:
        raise InvalidArgument(f"must be in [0, 1]; its largest value is {image.max()}", name)
    clipped = np.clip(image, 0, 1)
    if rule.quantized:
        # In float32, as the authors' `mul(255).byte()`: there level / 255 comes back as the level.
        return np.floor(clipped.astype(np.float32) * np.float32(255)).astype(np.float64)
    return clipped.astype(np.float64)


def _window_mean(planes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean of every window inside the image: rows first, then columns."""
    rows, columns = (side - len(weights) + 1 for side in planes.shape[:2])
    down = np.zeros((rows, *planes.shape[1:]))
    for i, weight in enumerate(weights):
        down += weight * planes[i : i + rows]
    across = np.zeros((rows, columns, *planes.shape[2:]))
    for i, weight in enumerate(weights):
        across += weight * down[:, i : i + columns]
    return across
