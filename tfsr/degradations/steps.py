"""The steps of a pipeline: a degradation with the ranges its parameters are drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tfsr.degradations.codecs import SUBSAMPLING
from tfsr.degradations.kernels import SHAPES
from tfsr.degradations.operations import Operation
from tfsr.degradations.parameters import (
    Range,
    choices,
    flag,
    happens,
    integer,
    number,
    parameter,
    pick,
    pick_weighted,
    probability,
    read_span,
    span,
    uniform,
    weights,
)
from tfsr.degradations.rescaling import METHODS
from tfsr.errors import InvalidArgument

Size = tuple[int, int]
"""(height, width) in pixels."""

# Bounds of memory and time: no image exceeds twice the original's side.
_LARGEST = 2.0
_LARGEST_KERNEL = 101
_LARGEST_SIGMA = 50.0

KERNELS = tuple(f"{prefix}{shape}" for shape in SHAPES for prefix in ("isotropic-", "anisotropic-"))


Box = tuple[float, float, float, float]
"""(top, left, bottom, right) in pixels, fractions allowed."""


@dataclass
class Canvas:
    """The sizes that a step's parameters may depend on.

    Attributes:
        original: (H, W) of the image that is degraded.
        lr: (h, w) of the LR image.
        box: region of the original that the LR image shows.
        current: (H, W) that the whole image has at this step.
        is_lr: whether the image has been cropped and resized to the LR image.
    """

    original: Size
    lr: Size
    box: Box
    current: Size
    is_lr: bool = False

    @property
    def scales(self) -> tuple[float, float]:
        """Pixels of the original in an LR pixel, by axis."""
        top, left, bottom, right = self.box
        return (bottom - top) / self.lr[0], (right - left) / self.lr[1]

    @property
    def scale(self) -> float:
        """The larger of the two scales."""
        return max(self.scales)

    @property
    def whole_lr(self) -> tuple[float, float]:
        """(h, w) of the whole image at the LR image's resolution."""
        if self.is_lr:
            return self.lr
        (height, width), (vertical, horizontal) = self.original, self.scales
        return height / vertical, width / horizontal

    @property
    def current_box(self) -> Box:
        """The region that the LR image shows, in pixels of the image at this step."""
        height, width = self.current
        if self.is_lr:
            return 0.0, 0.0, height, width
        vertical, horizontal = height / self.original[0], width / self.original[1]
        top, left, bottom, right = self.box
        return top * vertical, left * horizontal, bottom * vertical, right * horizontal


@dataclass(frozen=True)
class Step:
    """A degradation with ranges.

    Attributes:
        probability: of happening at all.
    """

    name: ClassVar[str] = ""
    main: ClassVar[str] = "probability"
    """The parameter that a value alone stands for: `jpeg: [30, 95]` is its quality."""

    probability: float = probability(1.0)

    def draw(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw whether it happens, and its parameters.

        Args:
            rng: what is drawn from; a step without randomness leaves it alone.
            canvas: the image's sizes; its `current` is updated.
        """
        return self.operations(rng, canvas) if happens(rng, self.probability) else []

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the parameters of a step that happens."""
        raise NotImplementedError


@dataclass(frozen=True)
class Blur(Step):
    """Blur with a kernel drawn from several kinds.

    Attributes:
        sigma: standard deviation in pixels of the image at this step.
        kernels: kinds and their probabilities: isotropic or anisotropic, each gaussian,
            generalized or plateau. Anisotropic ones draw a second sigma, and an angle.
        size: odd sides of the kernel; None: as large as 3 sigma asks.
        variance: range of sigma squared instead of sigma.
        per_scale: the upper end of sigma (of the variance, where that is given) grows by this times
            the scale.
        beta: exponents of the generalized kernels: half of them below 1, half above.
        plateau_beta: exponents of the plateau kernels, likewise.
    """

    name: ClassVar[str] = "blur"
    main: ClassVar[str] = "sigma"

    sigma: Range = span((0.1, 3.0), 0, _LARGEST_SIGMA)
    kernels: tuple[tuple[str, float], ...] = weights({"isotropic-gaussian": 1.0}, KERNELS)
    size: Range | None = parameter(None, lambda value, where: _read_kernel_size(value, where))
    variance: Range | None = span(None, 0, _LARGEST_SIGMA**2)
    per_scale: float = number(0.0, 0, 10)
    beta: Range = span((0.5, 4.0), 0.1, 10)
    plateau_beta: Range = span((1.0, 2.0), 0.1, 10)

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the kernel."""
        kind = self.kernels[pick_weighted(rng, tuple(x for _, x in self.kernels))][0]
        spread, _, shape = kind.partition("-")
        size = None if self.size is None else _odd(rng, self.size)
        first = self._sigma(rng, canvas.scale)
        second, angle = first, 0.0
        if spread == "anisotropic":
            second = self._sigma(rng, canvas.scale)
            angle = uniform(rng, (-math.pi, math.pi))
        parameters: dict[str, Any] = {"shape": shape, "size": size, "sigma": (first, second)}
        if size is None:
            parameters["size"] = 2 * math.ceil(3 * max(first, second)) + 1
        if angle:
            parameters["angle"] = angle
        if shape != "gaussian":
            parameters["beta"] = _beta(
                rng, self.beta if shape == "generalized" else self.plateau_beta
            )
        return [Operation("blur", parameters)]

    def _sigma(self, rng: np.random.Generator, scale: float) -> float:
        low, high = self.sigma if self.variance is None else self.variance
        value = uniform(rng, (low, high + self.per_scale * scale))
        return value if self.variance is None else math.sqrt(value)

    def _largest(self, scale: float) -> float:
        high = (self.sigma if self.variance is None else self.variance)[1] + self.per_scale * scale
        return high if self.variance is None else math.sqrt(high)


@dataclass(frozen=True)
class Sinc(Step):
    """Ringing, by the sinc kernel.

    Attributes:
        cutoff: cut-off frequency over pi. Kernels of less than 13 pixels, which cannot hold lower
            frequencies, use the part of the range from 1/3 on, as in Real-ESRGAN.
        size: odd sides of the kernel.
    """

    name: ClassVar[str] = "sinc"
    main: ClassVar[str] = "cutoff"

    cutoff: Range = span((1 / 3, 1.0), 0.1, 1)
    size: Range = parameter((7, 21), lambda value, where: _read_kernel_size(value, where))

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the kernel."""
        size = _odd(rng, self.size)
        low, high = self.cutoff
        if size < 13:
            low, high = max(low, 1 / 3), max(high, 1 / 3)
        return [Operation("sinc", {"size": size, "cutoff": uniform(rng, (low, high))})]


@dataclass(frozen=True)
class Resize(Step):
    """Resize by a factor.

    Attributes:
        factor: of the new side over that of `of`.
        of: "image": of the image at this step; "lr": of the LR image, the size that is wanted.
        up: probability of a factor between 1 and the upper end; None: the whole range is drawn
            evenly.
        down: probability of a factor between the lower end and 1; the rest keeps the size of `of`.
        divisor: range of what the side is divided by, instead of a factor.
        per_scale: whether the lower end of `factor` is divided by the scale.
        enlarge: whether the image may become larger than it is at this step.
        methods: "area", "bilinear", "bicubic", "nearest", each as likely.
        antialias: probability that bilinear and bicubic are antialiased.
    """

    name: ClassVar[str] = "resize"
    main: ClassVar[str] = "factor"

    factor: Range = span((0.5, 1.0), 0.01, 8)
    of: str = parameter("image", lambda value, where: _read_reference(value, where))
    up: float | None = probability(None)  # type: ignore[arg-type]
    down: float | None = probability(None)  # type: ignore[arg-type]
    divisor: Range | None = span(None, 1 / _LARGEST, 100)
    per_scale: bool = flag(False)
    enlarge: bool = flag(True)
    methods: tuple[str, ...] = choices(("area", "bilinear", "bicubic"), METHODS)
    antialias: float = probability(1.0)

    def __post_init__(self) -> None:
        if (self.up or 0) + (self.down or 0) > 1:
            raise InvalidArgument(
                f"resize.up and resize.down must not exceed 1 together; received {self.up} and "
                f"{self.down}"
            )

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the size and the method."""
        factor = self._factor(rng, canvas.scale)
        reference = canvas.whole_lr if self.of == "lr" else canvas.current
        sides = []
        for side, now, original in zip(reference, canvas.current, canvas.original, strict=True):
            # Compounded factors stay within memory; bsrgan's can exceed it once in 25 times.
            limit = max(_LARGEST * original, now) if self.enlarge else now
            sides.append(int(max(1, min(round(side * factor), limit))))
        canvas.current = (sides[0], sides[1])
        return [_resize(rng, canvas.current, self.methods, self.antialias)]

    def _factor(self, rng: np.random.Generator, scale: float) -> float:
        if self.divisor is not None:
            return 1 / uniform(rng, self.divisor)
        low, high = self.factor
        low = low / scale if self.per_scale else low
        if self.up is None and self.down is None:
            return uniform(rng, (low, high))
        up, down = self.up or 0.0, self.down or 0.0
        chosen = pick_weighted(rng, (up, down, max(0.0, 1 - up - down)))
        return (uniform(rng, (1.0, max(1.0, high))), uniform(rng, (min(1.0, low), 1.0)), 1.0)[
            chosen
        ]


@dataclass(frozen=True)
class ToLR(Step):
    """Resize to the size of the LR image. A pipeline without this step ends with it.

    Attributes:
        methods: "area", "bilinear", "bicubic", "nearest", each as likely.
        antialias: probability that bilinear and bicubic are antialiased.
    """

    name: ClassVar[str] = "to_lr"
    main: ClassVar[str] = "methods"

    methods: tuple[str, ...] = choices(("bicubic",), METHODS)
    antialias: float = probability(1.0)

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the method."""
        box = canvas.current_box
        whole = box == (0, 0, *canvas.current)
        canvas.current, canvas.is_lr = canvas.lr, True
        region = {} if whole else {"box": box}
        return [_resize(rng, canvas.lr, self.methods, self.antialias, **region)]


@dataclass(frozen=True)
class Noise(Step):
    """Add Gaussian noise.

    Attributes:
        sigma: standard deviation in levels of 255.
        grey: probability of one noise for all channels.
        correlated: probability of noise that is correlated between the channels, by a covariance
            drawn as in BSRGAN; the rest is independent.
    """

    name: ClassVar[str] = "noise"
    main: ClassVar[str] = "sigma"

    sigma: Range = span((0.0, 15.0), 0, 255)
    grey: float = probability(0.0)
    correlated: float = probability(0.0)

    def __post_init__(self) -> None:
        if self.grey + self.correlated > 1:
            raise InvalidArgument(
                f"{self.name}.grey and {self.name}.correlated must not exceed 1 together; received "
                f"{self.grey} and {self.correlated}"
            )

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the strength and the kind."""
        parameters: dict[str, Any] = {"sigma": uniform(rng, self.sigma)}
        if self.grey or self.correlated:
            kinds = (self.grey, self.correlated, max(0.0, 1 - self.grey - self.correlated))
            kind = pick_weighted(rng, kinds)
            if kind == 0:
                parameters["grey"] = True
            elif kind == 1:
                parameters["mixing"] = _mixing(rng)
        return [Operation(self.name, parameters)]


@dataclass(frozen=True)
class Speckle(Noise):
    """Add Gaussian noise in proportion to the level; `sigma` is that at white."""

    name: ClassVar[str] = "speckle"


@dataclass(frozen=True)
class Poisson(Step):
    """Add the noise of counting photons.

    Attributes:
        scale: what the noise is multiplied by.
        photons: of a white pixel, drawn evenly in octaves; None: as many as the image has levels.
        grey: probability of one noise for all channels.
    """

    name: ClassVar[str] = "poisson"
    main: ClassVar[str] = "scale"

    scale: Range = span((0.05, 2.5), 0, 100)
    photons: Range | None = span(None, 1, 1e6)
    grey: float = probability(0.0)

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the strength and the kind."""
        parameters: dict[str, Any] = {"scale": uniform(rng, self.scale)}
        if self.photons is not None:
            low, high = self.photons
            parameters["photons"] = math.exp(uniform(rng, (math.log(low), math.log(high))))
        if happens(rng, self.grey):
            parameters["grey"] = True
        return [Operation("poisson", parameters)]


@dataclass(frozen=True)
class Jpeg(Step):
    """Encode as JPEG.

    Attributes:
        quality: on libjpeg's scale, 1 to 100.
        full_colour: probability of 4:4:4 instead of 4:2:0.
    """

    name: ClassVar[str] = "jpeg"
    main: ClassVar[str] = "quality"

    quality: Range = span((30, 95), 1, 100, whole=True)
    full_colour: float = probability(0.0)

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the quality and the subsampling of colours."""
        parameters = {"quality": integer(rng, self.quality)}
        subsampling = SUBSAMPLING[happens(rng, self.full_colour)]
        return [Operation("jpeg", {**parameters, "subsampling": subsampling})]


@dataclass(frozen=True)
class Webp(Step):
    """Encode as lossy WebP.

    Attributes:
        quality: on libwebp's scale, 1 to 100.
    """

    name: ClassVar[str] = "webp"
    main: ClassVar[str] = "quality"

    quality: Range = span((30, 95), 1, 100, whole=True)

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the quality."""
        return [Operation("webp", {"quality": integer(rng, self.quality)})]


@dataclass(frozen=True)
class Colour(Step):
    """Shift each channel by a constant.

    Attributes:
        shift: the largest shift, up or down, in levels of 255.
    """

    name: ClassVar[str] = "colour"
    main: ClassVar[str] = "shift"

    shift: float = number(20.0, 0, 255)

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw three shifts."""
        ends = (-self.shift, self.shift)
        return [Operation("colour", {"shift": tuple(uniform(rng, ends) for _ in range(3))})]


@dataclass(frozen=True)
class Grey(Step):
    """Make the image grey."""

    name: ClassVar[str] = "grey"

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """There is nothing to draw."""
        return [Operation("grey", {})]


@dataclass(frozen=True)
class Sharpen(Step):
    """Sharpen by an unsharp mask.

    Attributes:
        amount: how much of the difference to the blurred image is added.
        sigma: standard deviation of that blur, in pixels of the image at this step.
        threshold: difference in levels up to which the image is left alone.
    """

    name: ClassVar[str] = "sharpen"
    main: ClassVar[str] = "amount"

    amount: Range = span((0.3, 1.0), 0, 10)
    sigma: Range = span((0.6, 2.0), 0.1, _LARGEST_SIGMA)
    threshold: float = number(0.0, 0, 255)

    def operations(self, rng: np.random.Generator, canvas: Canvas) -> list[Operation]:
        """Draw the strength."""
        parameters = {"amount": uniform(rng, self.amount), "sigma": uniform(rng, self.sigma)}
        if self.threshold:
            parameters["threshold"] = self.threshold
        return [Operation("sharpen", parameters)]


def _resize(
    rng: np.random.Generator, size: Size, methods: tuple[str, ...], antialias: float, **region: Box
) -> Operation:
    method = pick(rng, methods)
    parameters: dict[str, Any] = {"size": size, "method": method, **region}
    if method in ("bilinear", "bicubic") and not happens(rng, antialias):
        parameters["antialias"] = False
    return Operation("resize", parameters)


def _odd(rng: np.random.Generator, ends: Range) -> int:
    return 2 * integer(rng, (ends[0] // 2, ends[1] // 2)) + 1


def _beta(rng: np.random.Generator, ends: Range) -> float:
    low, high = ends
    if not low < 1 < high:
        return uniform(rng, ends)
    return uniform(rng, (low, 1.0)) if rng.random() < 0.5 else uniform(rng, (1.0, high))


def _mixing(rng: np.random.Generator) -> tuple[tuple[float, ...], ...]:
    """The square root of a covariance with random axes and variances in [0, 1)."""
    variances = rng.random(3)
    axes, _ = np.linalg.qr(rng.random((3, 3)))
    mixing = (axes * np.sqrt(variances)) @ axes.T
    return tuple(tuple(float(x) for x in row) for row in mixing)


def _read_kernel_size(value: Any, where: str) -> Range:
    low, high = read_span(value, where, 1, _LARGEST_KERNEL, whole=True)
    if low % 2 == 0 or high % 2 == 0:
        raise InvalidArgument(f"{where} takes odd numbers; received {value!r}")
    return low, high


def _read_reference(value: Any, where: str) -> str:
    if value not in ("image", "lr"):
        raise InvalidArgument(f"{where} must be image or lr; received {value!r}")
    return value
