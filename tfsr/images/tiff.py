"""TIFF files that Pillow reads with fewer bits, with wrong colours, or not at all."""

from __future__ import annotations

import io
import logging
import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image

from tfsr.errors import ImageError
from tfsr.images.bounded_decoding import COMPRESSIONS, tiff_page, tiff_segments
from tfsr.images.pixel_types import from_levels

_BITS_PER_SAMPLE, _PHOTOMETRIC, _PLANAR_CONFIGURATION = 258, 262, 284
_PREMULTIPLIED, _STRAIGHT = 1, 2
# LZW, PackBits and Zstandard, by libtiff, which Pillow brings: it decodes no more than the pixels.
_BY_LIBTIFF = (5, 32773, 50000)
_CHANNELS = {"MINISBLACK": 1, "MINISWHITE": 1, "RGB": 3, "SEPARATED": 4}


class UnopenedTiff(Image.Image):
    """The header of a TIFF file that Pillow cannot open, and `read_tiff` can read.

    Args:
        name: of the file.

    Raises:
        ImageError: a file that cannot be read, with the reason.
    """

    format = "TIFF"

    def __init__(self, name: str) -> None:
        super().__init__()
        with _first_page(name) as page:
            _layout(page, name)
            self._size = page.imagewidth, page.imagelength
            self._mode = "RGB" if _CHANNELS[page.photometric.name] == 3 else "L"
            if page.iccprofile:
                self.info["icc_profile"] = page.iccprofile
        if self.width * self.height > 2 * (Image.MAX_IMAGE_PIXELS or math.inf):
            raise Image.DecompressionBombError

    def load(self) -> None:
        """Do nothing: there is nothing to load."""


def is_tiff(head: bytes) -> bool:
    """Whether a file begins as TIFF files do."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def is_read_apart(image: Image.Image) -> bool:
    """Whether Pillow would read a TIFF file wrongly, or with fewer bits; ask before loading."""
    if isinstance(image, UnopenedTiff):
        return True
    tags = getattr(image, "tag_v2", {})
    several = image.mode in ("LA", "RGB", "RGBA", "CMYK")
    several = several and tags.get(_PHOTOMETRIC) in (0, 1, 2, 5)
    deep = 16 in (tags.get(_BITS_PER_SAMPLE) or ())
    planar = tags.get(_PLANAR_CONFIGURATION) == 2 and image.mode != "RGB"
    return several and (deep or planar)


def read_tiff(name: str, size: tuple[int, int]) -> tuple[np.ndarray, tuple[str, ...]]:
    """(H, W, channels) uint8 or uint16 of the first image of a file, as stored, and notes.

    Channels are grey, RGB or CMYK, and straight alpha.

    Args:
        name: of the file.
        size: (W, H) that was checked against the limits.

    Raises:
        ImageError: pixels of a kind that is not supported, with its name, or of another size.
    """
    with _first_page(name) as page:
        colours, alpha = _layout(page, name)
        if (page.imagewidth, page.imagelength) != size:
            raise ImageError(f"{name}: damaged: it states several sizes")
        ends = np.add(page.dataoffsets, page.databytecounts)
        if not len(ends) or ends.max() > page.parent.filehandle.size:
            raise ImageError(f"{name}: damaged or cut short: its pixels end beyond the file")
        pixels = _pixels(page)
        kept = colours + bool(alpha)
        dropped = page.samplesperpixel > kept
        pixels = pixels[..., :kept]
        if page.photometric.name == "MINISWHITE":
            pixels = np.concatenate([~pixels[..., :1], pixels[..., 1:]], axis=-1)
    if alpha == _PREMULTIPLIED:
        pixels = _straight(pixels)
    notes = ("channels beside the colours were dropped",) if dropped else ()
    return np.ascontiguousarray(pixels), notes


@contextmanager
def _first_page(name: str) -> Iterator[Any]:
    # What it warns of would be printed where an application has set up no logging.
    logging.getLogger("tifffile").addHandler(logging.NullHandler())
    import tifffile

    with tifffile.TiffFile(name) as file:
        yield file.pages[0]


def _layout(page: Any, name: str) -> tuple[int, int]:
    """The number of a page's colours, and the kind of its alpha or 0."""
    photometric = getattr(page.photometric, "name", str(page.photometric))
    colours = _CHANNELS.get(photometric)
    reason = ""
    if page.sampleformat not in (1, 4):
        kind = "signed integers" if page.sampleformat == 2 else "floating point"
        reason = f"its pixels are {kind}"
    elif colours is None:
        reason = f"its colours are {photometric}"
    elif page.bitspersample not in (8, 16):
        reason = f"its pixels have {page.bitspersample} bits a channel"
    elif page.compression not in (*COMPRESSIONS, *_BY_LIBTIFF):
        kind = getattr(page.compression, "name", f"number {page.compression}")
        reason = f"its compression, {kind}, is not supported with these pixels"
    elif page.samplesperpixel < colours or page.imagedepth != 1:
        reason = f"{page.samplesperpixel} channels of {photometric} are not supported"
    if reason or colours is None:
        raise ImageError(f"{name}: {reason}; save it with 8 or 16 bits, grey or RGB")
    extra = [int(kind) for kind in page.extrasamples[:1]]
    is_alpha = colours < 4 and extra and extra[0] in (_PREMULTIPLIED, _STRAIGHT)
    return colours, extra[0] if is_alpha else 0


def _pixels(page: Any) -> np.ndarray:
    """(H, W, samples) of a page."""
    if page.compression in _BY_LIBTIFF:
        return _by_libtiff(page)
    pixels = tiff_page(page)
    pixels = pixels.reshape(
        (page.samplesperpixel, page.imagelength, page.imagewidth)
        if page.planarconfig == 2
        else (page.imagelength, page.imagewidth, page.samplesperpixel)
    )
    return np.moveaxis(pixels, 0, -1) if page.planarconfig == 2 else pixels


def _by_libtiff(page: Any) -> np.ndarray:
    """The same, one channel as wide as all: so Pillow keeps the bits of each."""
    height, width, samples = page.imagelength, page.imagewidth, page.samplesperpixel
    segments = tiff_segments(page)
    if page.planarconfig == 2:
        each = len(segments) // samples
        planes = [segments[i * each : (i + 1) * each] for i in range(samples)]
        return np.stack([_plane(page, plane, width, 1) for plane in planes], axis=-1)
    levels = _plane(page, segments, width * samples, samples)
    if page.predictor == 2:
        # libtiff added neighbours up; differences are between pixels, not between their samples.
        step = page.tilewidth * samples if page.is_tiled else width * samples
        for start in range(0, width * samples, step):
            part = levels[:, start : start + step]
            differences = np.diff(part, axis=1, prepend=part.dtype.type(0))
            by_sample = differences.reshape(height, -1, samples)
            added = np.cumsum(by_sample, axis=1, dtype=part.dtype)
            levels[:, start : start + step] = added.reshape(height, -1)
    return levels.reshape(height, width, samples)


def _plane(page: Any, segments: list[bytes], width: int, samples: int) -> np.ndarray:
    """(H, width) of the segments of a file whose only channel they are."""
    byteorder = page.parent.byteorder
    layout = {278: page.rowsperstrip}
    where, sizes = 273, 279
    if page.is_tiled:
        layout = {322: page.tilewidth * samples, 323: page.tilelength}
        where, sizes = 324, 325
    offsets = np.cumsum([8, *map(len, segments)])
    tags = {
        256: [width],
        257: [page.imagelength],
        258: [page.bitspersample],
        259: [int(page.compression)],
        262: [1],
        266: [int(page.fillorder)],
        where: list(offsets[:-1]),
        277: [1],
        **{tag: [value] for tag, value in layout.items()},
        sizes: [*map(len, segments)],
        317: [int(page.predictor)],
    }
    entries, arrays = b"", b""
    start = int(offsets[-1]) + 2 + 12 * len(tags) + 4
    for tag, values in sorted(tags.items()):
        content = struct.pack(f"{byteorder}{len(values)}I", *values)
        if len(values) > 1:
            place = struct.pack(f"{byteorder}I", start + len(arrays))
            arrays += content
            content = place
        entries += struct.pack(f"{byteorder}HHI", tag, 4, len(values)) + content
    head = struct.pack(f"{byteorder}2sHI", b"II" if byteorder == "<" else b"MM", 42, offsets[-1])
    directory = struct.pack(f"{byteorder}H", len(tags)) + entries + bytes(4)
    content = head + b"".join(segments) + directory + arrays
    with Image.open(io.BytesIO(content), formats=("TIFF",)) as image:
        levels = np.array(image)
    return levels.astype(np.uint16 if page.bitspersample == 16 else np.uint8)


def _straight(pixels: np.ndarray) -> np.ndarray:
    """Divide colours by the alpha that they are multiplied by."""
    most = np.float32(np.iinfo(pixels.dtype).max)
    scale = most / np.maximum(pixels[..., -1:].astype(np.float32), 1)
    colours = from_levels(pixels[..., :-1] * scale, pixels.dtype)
    return np.concatenate([colours, pixels[..., -1:]], axis=-1)
