"""One image enlarged by several upscalers, side by side with zoom insets."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle

import numpy as np
from PIL import Image, ImageDraw

from tfsr.errors import InvalidArgument
from tfsr.evaluation.figure import Figure, FigureRow, outline_box
from tfsr.evaluation.zoom_inset import ZoomInset, find_detail
from tfsr.images import DecodedImage, resize
from tfsr.images.transparency import flatten
from tfsr.inference import Upscaler
from tfsr.inference.target_size import Size
from tfsr.inference.upscale_image import upscale_image

# Whole images are reduced to the first, small ones enlarged to at most the second.
_MAX_SIDE, _MIN_SIDE = 512, 256
_COLOURS = ((230, 75, 53), (0, 114, 178), (0, 158, 115), (204, 121, 167), (230, 159, 0))


class Comparison:
    """A figure of LR, every output and the original, whole and in insets.

    Images are shown as 8-bit files are, transparency on white. Only the panels of an output are
    held in memory.

    Args:
        name: of the image, for the title.
        image: the LR image.
        size: (H, W) of the outputs.
        upscalers: the baseline first, as from `load_upscalers`.
        original: of (H, W), for PSNR.
        insets: in the LR image. Defaults to the square with the most detail.

    Attributes:
        captions: PSNR of each output in dB, with its gain over the baseline; "" without an
            original. Set by `render`.

    Raises:
        InvalidArgument: if an upscaler does not support the size, the original has another one, or
            an inset does not lie in the image.

    Example:
        >>> image = tfsr.images.read_image("face.png")
        >>> upscalers = tfsr.evaluation.load_upscalers(["bicubic"])
        >>> tfsr.evaluation.Comparison("face.png", image, (96, 96), upscalers).render().shape
        (544, 536, 3)
    """

    def __init__(
        self,
        name: str,
        image: DecodedImage,
        size: Size,
        upscalers: Mapping[str, Upscaler],
        original: DecodedImage | None = None,
        insets: Sequence[ZoomInset] | None = None,
    ) -> None:
        self.image, self.size, self.upscalers = image.in_8_bits(), size, upscalers
        self.captions: list[str] = []
        for row, upscaler in upscalers.items():
            if reason := upscaler.unsupported_reason(image.size, size):
                raise InvalidArgument(f"{row}: does not support this size: it {reason}")
        if original is not None and original.size != size:
            raise InvalidArgument(
                f"has {_wxh(original.size)} pixels, the output {_wxh(size)}; leave out the size to "
                "use the original's",
                "original",
            )
        self._lr = flatten(self.image)
        self._original = None if original is None else flatten(original)
        self._whole_size = size
        if not _MIN_SIDE <= max(size) <= _MAX_SIDE:
            self._whole_size = _fit(size, _MIN_SIDE if max(size) < _MIN_SIDE else _MAX_SIDE)
        self._column = max(_MIN_SIDE, self._whole_size[1])
        if insets is None:
            scale = max(hr / lr for hr, lr in zip(size, image.size, strict=True))
            found = find_detail(self._lr, int(self._column / 2 / scale))
            insets = [found] if found else []
        for inset in insets:
            inset.check(image.size)
        self._insets = list(zip(insets, cycle(_COLOURS), strict=False))
        self._figure = self._layout(name)

    @property
    def figure_size(self) -> Size:
        """(H, W) of the figure."""
        heights = [self._inset_size(inset)[0] for inset, _ in self._insets]
        return self._figure.size([self._whole_size[0], *heights])

    def render(self, on_output: Callable[[], None] = lambda: None) -> np.ndarray:
        """Upscale the image by each upscaler and return the figure, (H, W, 3) uint8.

        Args:
            on_output: called after each upscaler.
        """
        panels, psnrs = [self._panels(self._lr)], []
        for upscaler in self.upscalers.values():
            output = flatten(upscale_image(self.image, self.size, upscaler))
            panels.append(self._panels(output))
            if self._original is not None:
                psnrs.append(_psnr(output, self._original))
            on_output()
        self.captions = [_caption(psnr, psnrs[0] if i else None) for i, psnr in enumerate(psnrs)]
        self.captions = self.captions or [""] * len(self.upscalers)
        captions = [_wxh(self.image.size), *self.captions]
        if self._original is not None:
            panels.append(self._panels(self._original))
            captions.append(_wxh(self.size))
        whole, *zoomed = zip(*panels, strict=True)
        rows = [FigureRow(whole, captions)]
        for (inset, colour), row in zip(self._insets, zoomed, strict=True):
            rows.append(FigureRow(row, [str(inset), *[""] * (len(row) - 1)], colour))
        return self._figure.render(rows)

    def _layout(self, name: str) -> Figure:
        height, width = (hr / lr for hr, lr in zip(self.size, self.image.size, strict=True))
        scale = f"x{width:.3g}" if math.isclose(width, height, rel_tol=1e-2) else "stretched"
        title = f"{name}: {_wxh(self.image.size)} to {_wxh(self.size)}, {scale}"
        names = ["LR", *self.upscalers]
        if self._original is not None:
            title += ". PSNR of RGB in 8 bits, all of the image, and its gain over bicubic"
            names.append("Original")
        if self._insets:
            title += ". Insets in pixels of LR"
        return Figure(title, names, self._column)

    def _panels(self, image: np.ndarray) -> list[np.ndarray]:
        """The whole image with its insets outlined, then each inset."""
        whole = Image.fromarray(_resized(image, self._whole_size))
        pen = ImageDraw.Draw(whole)
        zoomed = []
        for inset, colour in self._insets:
            rows, columns = inset.spans(self.image.size, self._whole_size)
            shape = rows.stop - rows.start, columns.stop - columns.start
            pen.rectangle(outline_box((columns.start, rows.start), shape, 1), outline=colour)
            part = image[inset.spans(self.image.size, image.shape[:2])]
            zoomed.append(_resized(part, self._inset_size(inset)))
        return [np.array(whole), *zoomed]

    def _inset_size(self, inset: ZoomInset) -> Size:
        rows, columns = inset.spans(self.image.size, self.size)
        return _fit((rows.stop - rows.start, columns.stop - columns.start), self._column)


def _fit(size: Size, side: int) -> Size:
    """(H, W) times the largest integer, or reduced, so that neither is longer than `side`."""
    longest = max(size)
    if longest <= side:
        factor = side // longest
        return size[0] * factor, size[1] * factor
    height, width = (max(1, round(length * side / longest)) for length in size)
    return height, width


def _resized(image: np.ndarray, size: Size) -> np.ndarray:
    reduced = image.shape[0] > size[0] or image.shape[1] > size[1]
    return resize(image, size, "bicubic" if reduced else "nearest")


def _psnr(output: np.ndarray, original: np.ndarray) -> float:
    """`metrics.psnr` of 8-bit RGB, row by row: of large images its floats take gigabytes."""
    rows = zip(output, original, strict=True)
    total = sum(int(np.square(row.astype(np.int64) - other).sum()) for row, other in rows)
    return 10 * math.log10(255**2 * output.size / total) if total else math.inf


def _caption(psnr: float, baseline: float | None) -> str:
    if math.isinf(psnr):
        return "equal to the original"
    gain = "" if baseline is None or math.isinf(baseline) else f" ({psnr - baseline:+.2f})"
    return f"{psnr:.2f} dB{gain}"


def _wxh(size: Size) -> str:
    return f"{size[1]}x{size[0]}"
