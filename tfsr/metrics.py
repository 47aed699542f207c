"""PSNR and SSIM exactly as each paper measures them, and the PSNR that `fit` shows.

Published numbers differ by whole decibels with the border that is cut off, the luminance formula
and the rounding. Each convention is a named protocol here; a figure means nothing without its name.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from tfsr.errors import InvalidArgument, did_you_mean


@dataclass(frozen=True)
class Protocol:
    """What is done to two images before they are compared.

    Attributes:
        peak: the largest value a pixel can have; PSNR is 10 log10(peak^2 / mean squared error).
        shaves: whether a border of `scale` + `margin` pixels is cut off.
        margin: pixels cut off beyond the scale.
        luma: weights of R, G, B in [0, peak] and a constant, or None to compare all three.
        quantised: whether images and luminance are truncated to 8 bits first.
        window: of SSIM, "uniform" or "gaussian"; None where the protocol defines no SSIM.
    """

    peak: float = 1.0
    shaves: bool = False
    margin: int = 0
    luma: tuple[float, float, float, float] | None = None
    quantised: bool = False
    window: Literal["uniform", "gaussian"] | None = None


PROTOCOLS = {
    # All pixels, no border: LIIF's `calc_psnr` without a data set's name, as LIIF and LTE measure
    # CelebA-HQ and DIINN its test sets.
    "rgb": Protocol(window="uniform"),
    # Luminance in [16, 235] / 255, all pixels, nothing rounded; SSIM as Wang et al. define it. What
    # most papers on faces mean by "Y".
    "y": Protocol(luma=(65.481 / 255, 128.553 / 255, 24.966 / 255, 16 / 255), window="gaussian"),
    # `calc_psnr(dataset="div2k")`: a border of scale + 6.
    "div2k": Protocol(shaves=True, margin=6),
    # `calc_psnr(dataset="benchmark")` (Set5, Set14, B100, Urban100): luminance, a border of scale.
    # The constant 16 cancels in its difference, not in the SSIM that is customary beside it.
    "benchmark-y": Protocol(
        shaves=True,
        luma=(65.738 / 256, 129.057 / 256, 25.064 / 256, 16 / 255),
        window="gaussian",
    ),
    # ARASFSR's metric.py on saved PNGs: luminance in [16, 235] truncated to 8 bits, peak 255. The
    # weights are divided first, as there: it decides on which side of an integer Y falls.
    "arasfsr-y": Protocol(
        peak=255.0,
        luma=(65.481 / 255, 128.553 / 255, 24.966 / 255, 16.0),
        quantised=True,
        window="uniform",
    ),
}

# Wang et al. 2004: 11x11 pixels, a Gaussian of 1.5 pixels. "uniform" is scikit-image's default,
# which the two papers that use it did not change.
_GAUSSIAN = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
_WINDOWS = {"uniform": np.full(7, 1 / 7), "gaussian": _GAUSSIAN / _GAUSSIAN.sum()}
_SSIM_K1, _SSIM_K2 = 0.01, 0.03


def check_protocol(protocol: str, accepted: Iterable[str] = tuple(PROTOCOLS)) -> Protocol:
    """The protocol of a name.

    Args:
        protocol: str. The name.
        accepted: the names that will do. Defaults to all.

    Raises:
        InvalidArgument: if it is not one of them; the nearest is named.
    """
    if protocol not in accepted:
        raise InvalidArgument(
            f"protocol must be one of {', '.join(accepted)}; received {protocol!r}."
            + did_you_mean(str(protocol), accepted)
        )
    return PROTOCOLS[protocol]


def psnr(
    sr: np.ndarray, hr: np.ndarray, protocol: str = "rgb", scale: float | None = None
) -> float:
    """Peak signal-to-noise ratio of an image, in dB.

    Float values are clipped to [0, 1], which the authors' evaluation loops do before they measure.
    `"arasfsr-y"` compares saved PNGs: floats are truncated to 8 bits, not rounded, as the
    authors' program saves them. uint8 images are taken as they are.

    Args:
        sr: (H, W, 3) uint8, or floating point in [0, 1]. The image under test.
        hr: (H, W, 3) uint8, or floating point in [0, 1]. The ground truth.
        protocol: str. A key of `PROTOCOLS`. Defaults to `"rgb"`.
        scale: whole number. The magnification, which sets the width of the border in `"div2k"`
            (scale + 6) and `"benchmark-y"` (scale); the others ignore it. Defaults to None.

    Returns:
        float, infinite for equal images. A data set's figure is the mean over its images.

    Raises:
        InvalidArgument: unknown protocol, shapes that differ, a missing scale, images smaller
            than the border, or values that are no colours.

    Reference:
        `calc_psnr` in https://github.com/yinboc/liif (utils.py);
        `PSNR` in https://github.com/nycu-acm/ARASFSR (metric.py)
    """
    rule = check_protocol(protocol)
    border = border_of(protocol, scale)
    if isinstance(sr, np.ndarray) and sr.ndim == 3 and min(sr.shape[:2]) <= 2 * border:
        raise InvalidArgument(
            f"protocol '{protocol}' cuts {border} pixels off each side, so images must be larger "
            f"than {2 * border}x{2 * border}; received shape {sr.shape}"
        )
    difference = _planes(sr, "sr", rule) - _planes(hr, "hr", rule, like=sr)
    mean_square = float(np.mean(np.square(_inside(difference, border))))
    return 10 * math.log10(rule.peak**2 / mean_square) if mean_square else math.inf


def ssim(
    sr: np.ndarray, hr: np.ndarray, protocol: str = "arasfsr-y", scale: float | None = None
) -> float:
    """Structural similarity of an image.

    K1 = 0.01, K2 = 0.03, averaged over the windows that lie inside the image. `"y"` and
    `"benchmark-y"` have the window of Wang et al., 11x11 pixels under a Gaussian of 1.5 pixels.
    `"rgb"` and `"arasfsr-y"` are scikit-image's default: a uniform 7x7 window and the sample
    covariance (divided by 48). `"arasfsr-y"` measures the 8-bit luminance with a range of 255, and
    treats floats as `psnr` does; `"rgb"` is the mean of the three channels with a range of 1.

    Args:
        sr: (H, W, 3) uint8, or floating point in [0, 1]. The image under test.
        hr: (H, W, 3) uint8, or floating point in [0, 1]. The ground truth.
        protocol: str. `"arasfsr-y"`, `"y"`, `"benchmark-y"` or `"rgb"`. The others define no SSIM.
            Defaults to `"arasfsr-y"`.
        scale: as of `psnr`.

    Returns:
        float, at most 1, which equal images reach.

    Raises:
        InvalidArgument: a protocol without SSIM, shapes that differ, a missing scale, images
            smaller than the window, or values that are no colours.

    Reference:
        Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity",
        2004; `SSIM` in https://github.com/nycu-acm/ARASFSR (metric.py)
    """
    rule = check_protocol(protocol, [name for name, rule in PROTOCOLS.items() if rule.window])
    border = border_of(protocol, scale)
    x = _inside(_planes(sr, "sr", rule), border)
    y = _inside(_planes(hr, "hr", rule, like=sr), border)
    window = _WINDOWS[rule.window or "uniform"]
    if min(x.shape[:2]) < len(window):
        side = len(window) + 2 * border
        raise InvalidArgument(
            f"SSIM needs images of at least {side}x{side} pixels; received shape {sr.shape}"
        )
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


def border_of(protocol: str, scale: float | None = None) -> int:
    """How many pixels a protocol cuts off each side.

    Args:
        protocol: str. A key of `PROTOCOLS`.
        scale: the magnification, a whole number. Only `"div2k"` and `"benchmark-y"` need it.

    Raises:
        InvalidArgument: unknown protocol, or a scale that is missing or not whole.
    """
    rule = check_protocol(protocol)
    if not rule.shaves:
        return 0
    if scale is None or not float(scale).is_integer() or scale < 1:
        raise InvalidArgument(
            f"protocol '{protocol}' needs scale, a whole number of at least 1; received {scale!r}"
        )
    return int(scale) + rule.margin


def least_side(protocol: str, scale: float | None = None, structural: bool = False) -> int:
    """The shorter side of the smallest image that can be measured, in pixels.

    Args:
        protocol: as of `border_of`.
        scale: as of `border_of`.
        structural: whether SSIM is measured, whose window must fit, and not PSNR.

    Raises:
        InvalidArgument: as `border_of`.
    """
    window = check_protocol(protocol).window
    inside = len(_WINDOWS[window]) if structural and window else 1
    return inside + 2 * border_of(protocol, scale)


@keras.saving.register_keras_serializable("tfsr")
class PSNR(keras.metrics.MeanMetricWrapper):
    """Mean over samples of each sample's PSNR, for `fit`: colours in [0, 1], unclipped.

    It watches training and is not a protocol: nothing is clipped, cut off or rounded, and the
    squared error is the mean over whatever points were queried. A squared error under 1e-10 counts
    as 1e-10 (100 dB), so that one perfect sample does not make the mean infinite. Computed in
    float32 whatever the dtype policy.

    Args:
        name: str. Defaults to `"psnr"`.
        dtype: of the metric's state. Defaults to None, which is float32.

    Call arguments:
        y_true: (B, ..., 3) target colours in [0, 1].
        y_pred: (B, ..., 3) predicted colours.
        sample_weight: (B,), or None.
    """

    def __init__(self, name: str = "psnr", dtype: Any = None) -> None:
        super().__init__(fn=_sample_psnr, name=name, dtype=dtype or "float32")
        # Callbacks with mode="auto" look here, and refuse to guess where it is missing.
        self._direction = "up"

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}


def _sample_psnr(y_true: Any, y_pred: Any) -> Any:
    squares = ops.square(ops.cast(y_pred, "float32") - ops.cast(y_true, "float32"))
    mean_square = ops.mean(squares, axis=tuple(range(1, len(squares.shape))))
    return -10.0 * ops.log10(ops.maximum(mean_square, 1e-10))


def _inside(planes: np.ndarray, border: int) -> np.ndarray:
    height, width = planes.shape[:2]
    return planes[border : height - border, border : width - border]


def _planes(image: np.ndarray, name: str, rule: Protocol, like: Any = None) -> np.ndarray:
    """Check an image and return what the rule compares: float64, (H, W) or (H, W, 3)."""
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[-1] != 3:
        shape = image.shape if isinstance(image, np.ndarray) else type(image).__name__
        raise InvalidArgument(f"{name} must be an array of shape (H, W, 3); received {shape}")
    if like is not None and image.shape != like.shape:
        raise InvalidArgument(
            f"sr and hr must have one shape; received {like.shape} and {image.shape}"
        )
    if image.dtype == np.uint8:
        pixels = image.astype(np.float64) * (rule.peak / 255)
    elif np.issubdtype(image.dtype, np.floating):
        pixels = _float_pixels(image, name, rule)
    else:
        raise InvalidArgument(
            f"{name} must be uint8, or floating point in [0, 1]; received {image.dtype}"
        )
    if rule.luma is None:
        return pixels
    red, green, blue, constant = rule.luma
    luma = constant + red * pixels[..., 0] + green * pixels[..., 1] + blue * pixels[..., 2]
    return np.floor(luma) if rule.quantised else luma


def _float_pixels(image: np.ndarray, name: str, rule: Protocol) -> np.ndarray:
    if not np.isfinite(image).all():
        raise InvalidArgument(f"{name} holds values that are not finite; it must hold numbers")
    # A model may overshoot, a ground truth cannot: this catches float arrays of 0 to 255, which
    # clipping would turn into a plausible figure.
    if name == "hr" and image.max() > 2:
        raise InvalidArgument(
            f"hr must be in [0, 1] when it is floating point; its largest value is {image.max()}"
        )
    clipped = np.clip(image, 0, 1)
    if rule.quantised:
        # In float32, as the authors' `mul(255).byte()`: there level / 255 comes back as the level.
        return np.floor(clipped.astype(np.float32) * np.float32(255)).astype(np.float64)
    return clipped.astype(np.float64)


def _window_mean(planes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean of every window that lies inside the image, rows first, then columns."""
    rows, columns = (side - len(weights) + 1 for side in planes.shape[:2])
    down = np.zeros((rows, *planes.shape[1:]))
    for i, weight in enumerate(weights):
        down += weight * planes[i : i + rows]
    across = np.zeros((rows, columns, *planes.shape[2:]))
    for i, weight in enumerate(weights):
        across += weight * down[:, i : i + columns]
    return across
