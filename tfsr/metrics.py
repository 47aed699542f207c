"""PSNR and SSIM exactly as each paper measures them, and the PSNR that `fit` shows.

Published numbers differ by whole decibels with the border that is cut off, the luminance formula
and the rounding. Each convention is a named protocol here; a figure means nothing without its name.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from tfsr.errors import InvalidArgument, did_you_mean


@dataclass(frozen=True)
class Protocol:
    """What is done to two pictures before they are compared.

    Attributes:
        peak: the largest value a pixel can have; PSNR is 10 log10(peak^2 / mean squared error).
        shaves: whether a border of `scale` + `margin` pixels is cut off.
        margin: pixels cut off beyond the scale.
        luma: weights of R, G, B in [0, peak] and a constant, or None to compare all three.
        quantised: whether pictures and luminance are truncated to 8 bits first.
    """

    peak: float = 1.0
    shaves: bool = False
    margin: int = 0
    luma: tuple[float, float, float, float] | None = None
    quantised: bool = False


PROTOCOLS = {
    # All pixels, no border: LIIF's `calc_psnr` without a data set's name, as LIIF and LTE measure
    # CelebA-HQ and DIINN its test sets.
    "rgb": Protocol(),
    # `calc_psnr(dataset="div2k")`: a border of scale + 6.
    "div2k": Protocol(shaves=True, margin=6),
    # `calc_psnr(dataset="benchmark")` (Set5, Set14, B100, Urban100): luminance, a border of scale.
    # The constant 16 cancels in the difference.
    "benchmark-y": Protocol(shaves=True, luma=(65.738 / 256, 129.057 / 256, 25.064 / 256, 0.0)),
    # ARASFSR's metric.py on saved PNGs: luminance in [16, 235] truncated to 8 bits, peak 255. The
    # weights are divided first, as there: it decides on which side of an integer Y falls.
    "arasfsr-y": Protocol(
        peak=255.0, luma=(65.481 / 255, 128.553 / 255, 24.966 / 255, 16.0), quantised=True
    ),
}

# scikit-image's defaults, which are those of Wang et al. 2004 but for the uniform window.
_SSIM_PROTOCOLS = ("rgb", "arasfsr-y")
_SSIM_WINDOW = 7
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
    """Peak signal-to-noise ratio of a picture, in dB.

    Float values are clipped to [0, 1], which the authors' evaluation loops do before they measure.
    `"arasfsr-y"` compares saved PNGs: floats are truncated to 8 bits, not rounded, as the
    authors' program saves them. uint8 pictures are taken as they are.

    Args:
        sr: (H, W, 3) uint8, or floating point in [0, 1]. The picture under test.
        hr: (H, W, 3) uint8, or floating point in [0, 1]. The ground truth.
        protocol: str. A key of `PROTOCOLS`. Defaults to `"rgb"`.
        scale: whole number. The magnification, which sets the width of the border in `"div2k"`
            (scale + 6) and `"benchmark-y"` (scale); the others ignore it. Defaults to None.

    Returns:
        float, infinite for equal pictures. A data set's figure is the mean over its pictures.

    Raises:
        InvalidArgument: unknown protocol, shapes that differ, a missing scale, pictures smaller
            than the border, or values that are no colours.

    Reference:
        `calc_psnr` in https://github.com/yinboc/liif (utils.py);
        `PSNR` in https://github.com/nycu-acm/ARASFSR (metric.py)
    """
    rule = check_protocol(protocol)
    border = _border(rule, protocol, scale)
    if isinstance(sr, np.ndarray) and sr.ndim == 3 and min(sr.shape[:2]) <= 2 * border:
        raise InvalidArgument(
            f"protocol '{protocol}' cuts {border} pixels off each side, so pictures must be larger "
            f"than {2 * border}x{2 * border}; received shape {sr.shape}"
        )
    difference = _planes(sr, "sr", rule) - _planes(hr, "hr", rule, like=sr)
    inner = difference[border : difference.shape[0] - border, border : difference.shape[1] - border]
    mean_square = float(np.mean(np.square(inner)))
    return 10 * math.log10(rule.peak**2 / mean_square) if mean_square else math.inf


def ssim(sr: np.ndarray, hr: np.ndarray, protocol: str = "arasfsr-y") -> float:
    """Structural similarity of a picture, as scikit-image computes it by default.

    A uniform 7x7 window, sample covariance (divided by 48), K1 = 0.01, K2 = 0.03, averaged over the
    windows that lie inside the picture. `"arasfsr-y"` measures the 8-bit luminance with a range of
    255, and treats floats as `psnr` does; `"rgb"` is the mean of the three channels with a range
    of 1.

    Args:
        sr: (H, W, 3) uint8, or floating point in [0, 1]. The picture under test.
        hr: (H, W, 3) uint8, or floating point in [0, 1]. The ground truth.
        protocol: str. `"arasfsr-y"` or `"rgb"`. The others define no SSIM. Defaults to
            `"arasfsr-y"`.

    Returns:
        float, at most 1, which equal pictures reach.

    Raises:
        InvalidArgument: a protocol without SSIM, shapes that differ, pictures smaller than 7x7, or
            values that are no colours.

    Reference:
        Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity",
        2004; `SSIM` in https://github.com/nycu-acm/ARASFSR (metric.py)
    """
    rule = check_protocol(protocol, _SSIM_PROTOCOLS)
    x = _planes(sr, "sr", rule)
    y = _planes(hr, "hr", rule, like=sr)
    if min(x.shape[:2]) < _SSIM_WINDOW:
        raise InvalidArgument(
            f"SSIM needs pictures of at least {_SSIM_WINDOW}x{_SSIM_WINDOW} pixels; received shape "
            f"{sr.shape}"
        )
    c1, c2 = (_SSIM_K1 * rule.peak) ** 2, (_SSIM_K2 * rule.peak) ** 2
    samples = _SSIM_WINDOW**2
    mean_x, mean_y = _window_mean(x), _window_mean(y)
    unbias = samples / (samples - 1)
    var_x = unbias * (_window_mean(x * x) - mean_x**2)
    var_y = unbias * (_window_mean(y * y) - mean_y**2)
    cov = unbias * (_window_mean(x * y) - mean_x * mean_y)
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * cov + c2) / (var_x + var_y + c2)
    return float(np.mean(luminance * structure))


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


def _border(rule: Protocol, protocol: str, scale: float | None) -> int:
    if not rule.shaves:
        return 0
    if scale is None or not float(scale).is_integer() or scale < 1:
        raise InvalidArgument(
            f"protocol '{protocol}' needs scale, a whole number of at least 1; received {scale!r}"
        )
    return int(scale) + rule.margin


def _planes(image: np.ndarray, name: str, rule: Protocol, like: Any = None) -> np.ndarray:
    """Check a picture and return what the rule compares: float64, (H, W) or (H, W, 3)."""
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


def _window_mean(plane: np.ndarray) -> np.ndarray:
    """Mean of every window that lies inside the picture, rows first, then columns."""
    rows, columns = (side - _SSIM_WINDOW + 1 for side in plane.shape[:2])
    down = plane[:rows].copy()
    for i in range(1, _SSIM_WINDOW):
        down += plane[i : i + rows]
    across = down[:, :columns].copy()
    for i in range(1, _SSIM_WINDOW):
        across += down[:, i : i + columns]
    return across / _SSIM_WINDOW**2
