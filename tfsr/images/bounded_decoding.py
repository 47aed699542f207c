"""Decoding that stops at the size an image has, whatever its compressed data contain."""

from __future__ import annotations

import lzma
import math
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any

import numpy as np

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")

_NONE = 1
_DECOMPRESSORS: dict[int, Callable[[], Any]] = {
    8: zlib.decompressobj,
    32946: zlib.decompressobj,
    34925: lzma.LZMADecompressor,
}


def essential_png(file: IO[bytes], height: int, row_bytes: int) -> bytes:
    """Return the chunks of a PNG file that state its pixels.

    Args:
        file: at its beginning.
        height: of the image.
        row_bytes: of a row without compression.

    Raises:
        ValueError: more compressed data than pixels can need.
    """
    # Interlaced files have more rows than the image; each row has a byte for its filter.
    left = 2 * height * (row_bytes + 16) + 2**16
    content = [file.read(len(_PNG_SIGNATURE))]
    while header := file.read(8):
        kind, length = header[4:], int.from_bytes(header[:4], "big")
        if kind not in _PNG_CHUNKS:
            file.seek(length + 4, 1)
            continue
        left -= length
        if left < 0:
            raise ValueError("more compressed data than its pixels can need")
        content += [header, file.read(length + 4)]
        if kind == b"IEND":
            break
    return b"".join(content)


def tiff_page(page: Any) -> np.ndarray:
    """Return the pixels of a page of tifffile, as its `asarray` does.

    Raises:
        ValueError: a compression that needs other programs, or damaged data.
    """
    if page.is_contiguous:  # Without compression, in one piece: exactly its pixels are read.
        return page.asarray()
    segment = (
        (page.tiledepth, page.tilelength, page.tilewidth)
        if page.is_tiled
        else (1, min(page.rowsperstrip, page.imagelength), page.imagewidth)
    )
    samples = page.samplesperpixel if page.planarconfig == 1 else 1
    size = math.ceil(math.prod(segment) * samples * page.bitspersample / 8)
    decompressor = _DECOMPRESSORS.get(page.compression)
    if decompressor is None and page.compression != _NONE:
        return page.asarray()
    # What is left to tifffile: byte order, predictor and where a segment lies.
    page.compression = _NONE
    pixels = np.zeros(page.shaped, page.dtype)
    for index, content in enumerate(_segments(page, size)):
        if decompressor is not None:
            content = decompressor().decompress(content, size)
        decoded, (plane, depth, top, left, _), _ = page.decode(content, index)
        place = pixels[plane, depth:, top:, left:]
        decoded = decoded[tuple(map(slice, place.shape))]
        place[tuple(map(slice, decoded.shape))] = decoded
    return pixels.reshape(page.shape)


def _segments(page: Any, size: int) -> Iterator[bytes]:
    file = page.parent.filehandle
    for offset, length in zip(page.dataoffsets, page.databytecounts, strict=True):
        file.seek(offset)
        # Data that do not compress become a little longer.
        yield file.read(min(length, 2 * size + 2**16))
