"""One image by several systems, on a sheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import cycle

import numpy as np
from PIL import Image, ImageDraw

from tfsr.errors import InvalidArgument
from tfsr.evaluation.figure import Row, Sheet, around
from tfsr.evaluation.reduction import Size
from tfsr.evaluation.systems import System
from tfsr.evaluation.zoom_insets import Inset, busiest
from tfsr.images import DecodedImage, resize
from tfsr.images.transparency import flatten
from tfsr.inference.upscale_image import upscale_image

# Longest side of a whole image; the shortest one that a small image is enlarged to.
_MOST, _LEAST = 512, 256
_BAND = 256
_COLOURS = ((230, 75, 53), (0, 114, 178), (0, 158, 115), (204, 121, 167), (230, 159, 0))


class Comparison:
    """LR, every output and the original of one image, whole and in insets.

    All are shown as they are in files, in 8 bits; what is transparent is laid on white. An output
    is forgotten when its panels are cut out of it, so that the sheet takes the memory of one.

    Attributes:
        figures: for each system that has answered, what stands under its image: PSNR in dB and
            its gain over the baseline; "" without an original.

    Args:
        name: of the image, for the title.
        image: the LR image.
        size: (H, W) of the outputs.
        systems: the baseline first, as `load` answers them.
        original: of (H, W), or None.
        insets: of the LR image; None for the one with the most detail.

    Raises:
        InvalidArgument: if a system has no output of that size, the original has another one, or an
            inset does not lie in the image.
    """

    def __init__(
        self,
        name: str,
        image: DecodedImage,
        size: Size,
        systems: Sequence[System],
        original: DecodedImage | None = None,
        insets: Sequence[Inset] | None = None,
    ) -> None:
        self.image, self.size, self.systems = image.in_8_bits(), size, systems
        self.figures: list[str] = []
        self._lr = flatten(self.image)
        lr_size = image.size
        for system in systems:
            if reason := system.upscaler.unsupported_reason(lr_size, size):
                raise InvalidArgument(f"{system.name}: has no output here: it {reason}")
        if original is not None and original.size != size:
            raise InvalidArgument(
                f"the original is {_wxh(original.size)} and the output would be {_wxh(size)}; give "
                "--original without a size, and its own is meant"
            )
        self._original = None if original is None else flatten(original)
        self._panel = _panel_size(size)
        self._column = max(_LEAST, self._panel[1])
        if insets is None:
            scale = max(hr / lr for hr, lr in zip(size, lr_size, strict=True))
            found = busiest(self._lr, int(self._column / 2 / scale))
            insets = [found] if found else []
        for inset in insets:
            inset.check(lr_size)
        self._insets = list(zip(insets, cycle(_COLOURS), strict=False))
        self._sheet = self._planned(name)

    @property
    def sheet_size(self) -> Size:
        """(H, W) of the sheet."""
        heights = [self._inset_size(inset)[0] for inset, _ in self._insets]
        return self._sheet.size([self._panel[0], *heights])

    def draw(self, advance: Callable[[], None] = lambda: None) -> np.ndarray:
        """Let each system answer, and draw the sheet: (H, W, 3) uint8.

        Args:
            advance: called when a system has answered.
        """
        panels = [self._panels(self._lr)]
        self.figures, baseline = [], None
        for system in self.systems:
            output = flatten(upscale_image(self.image, self.size, system.upscaler))
            panels.append(self._panels(output))
            figure = None if self._original is None else _psnr(output, self._original)
            self.figures.append(_in_words(figure, baseline))
            baseline = figure if baseline is None else baseline
            advance()
        captions = [_wxh(self.image.size), *self.figures]
        if self._original is not None:
            panels.append(self._panels(self._original))
            captions.append(_wxh(self.size))
        whole, *zoomed = zip(*panels, strict=True)
        rows = [Row(whole, captions)]
        for (inset, colour), row in zip(self._insets, zoomed, strict=True):
            rows.append(Row(row, [str(inset), *[""] * (len(row) - 1)], colour))
        return self._sheet.draw(rows)

    def _planned(self, name: str) -> Sheet:
        height, width = (hr / lr for hr, lr in zip(self.size, self.image.size, strict=True))
        scale = f"x{width:.3g}" if math.isclose(width, height, rel_tol=1e-2) else "stretched"
        title = f"{name}: {_wxh(self.image.size)} to {_wxh(self.size)}, {scale}"
        names = ["LR", *(system.name for system in self.systems)]
        if self._original is not None:
            title += ". PSNR of RGB in 8 bits, all of the image, and its gain over bicubic"
            names.append("Original")
        if self._insets:
            title += ". Insets in pixels of LR"
        return Sheet(title, names, self._column)

    def _panels(self, image: np.ndarray) -> list[np.ndarray]:
        """The whole of an image with its insets marked, then each of them."""
        whole = Image.fromarray(_fitted(image, self._panel))
        pen = ImageDraw.Draw(whole)
        zoomed = []
        for inset, colour in self._insets:
            rows, columns = inset.spans(self.image.size, self._panel)
            shape = rows.stop - rows.start, columns.stop - columns.start
            pen.rectangle(around((columns.start, rows.start), shape, 1), outline=colour)
            part = image[inset.spans(self.image.size, image.shape[:2])]
            zoomed.append(_fitted(part, self._inset_size(inset)))
        return [np.array(whole), *zoomed]

    def _inset_size(self, inset: Inset) -> Size:
        rows, columns = inset.spans(self.image.size, self.size)
        part = rows.stop - rows.start, columns.stop - columns.start
        return _inside(part, self._column)


def _panel_size(size: Size) -> Size:
    """What a whole image of (H, W) is shown at."""
    if max(size) < _LEAST:
        return _inside(size, _LEAST)
    return size if max(size) <= _MOST else _inside(size, _MOST)


def _inside(size: Size, side: int) -> Size:
    """(H, W) times the largest whole number, or reduced, so that neither is longer than `side`."""
    longest = max(size)
    if longest <= side:
        factor = side // longest
        return size[0] * factor, size[1] * factor
    height, width = (max(1, round(length * side / longest)) for length in size)
    return height, width


def _fitted(image: np.ndarray, size: Size) -> np.ndarray:
    """An image at a size: its pixels large, or reduced without gaps."""
    reduced = image.shape[0] > size[0] or image.shape[1] > size[1]
    return resize(image, size, "bicubic" if reduced else "nearest")


def _psnr(output: np.ndarray, original: np.ndarray) -> float:
    """`metrics.psnr` of RGB in 8 bits, of images too large for its floats."""
    total = 0
    for start in range(0, len(output), _BAND):
        band = slice(start, start + _BAND)
        difference = output[band].astype(np.int32) - original[band]
        total += int(np.square(difference).sum(dtype=np.int64))
    return 10 * math.log10(255**2 * output.size / total) if total else math.inf


def _in_words(figure: float | None, baseline: float | None) -> str:
    if figure is None:
        return ""
    if math.isinf(figure):
        return "equal to the original"
    gain = "" if baseline is None or math.isinf(baseline) else f" ({figure - baseline:+.2f})"
    return f"{figure:.2f} dB{gain}"


def _wxh(size: Size) -> str:
    return f"{size[1]}x{size[0]}"
