"""Decoding that stops at the size an image has, whatever its compressed data contain."""

from __future__ import annotations

import lzma
import math
import os
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import IO, Any

import numpy as np

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")

_NONE = 1
# xz -9 needs 65 MiB, and a file may ask for 4 GiB.
_LZMA_MEMORY = 2**27
_DECOMPRESSORS: dict[int, Callable[[], Any]] = {
    8: zlib.decompressobj,
    32946: zlib.decompressobj,
    34925: partial(lzma.LZMADecompressor, memlimit=_LZMA_MEMORY),
}
COMPRESSIONS = (_NONE, *_DECOMPRESSORS)
"""Of TIFF pages that `tiff_page` reads, whatever else tifffile could."""


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

    Args:
        page: of a compression in `COMPRESSIONS`.

    Raises:
        ValueError: damaged data.
    """
    if page.is_contiguous:  # Without compression, in one piece: exactly its pixels are read.
        return page.asarray()
    decompressor = _DECOMPRESSORS.get(page.compression)
    # What is left to tifffile: byte order, predictor and where a segment lies.
    page.compression = _NONE
    pixels = np.zeros(page.shaped, page.dtype)
    size, reading = _segment_bytes(page), threading.Lock()

    def decode(index: int) -> None:
        with reading:
            content = _segment(page, index, size)
        if decompressor is not None:
            content = decompressor().decompress(content, size)
        decoded, (plane, depth, top, left, _), _ = page.decode(content, index)
        place = pixels[plane, depth:, top:, left:]
        decoded = decoded[tuple(map(slice, place.shape))]
        place[tuple(map(slice, decoded.shape))] = decoded

    decode(0)  # tifffile makes what it decodes with on first use.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for _ in threads.map(decode, range(1, math.prod(page.chunked))):
            pass
    return pixels.reshape(page.shape)


def tiff_segments(page: Any) -> list[bytes]:
    """Return the strips or tiles of a page of tifffile as they are stored.

    Raises:
        ValueError: fewer than the page has.
    """
    size = _segment_bytes(page)
    return [_segment(page, index, size) for index in range(math.prod(page.chunked))]


def _segment_bytes(page: Any) -> int:
    """The bytes of a strip or tile that is decoded."""
    segment = (
        (page.tiledepth, page.tilelength, page.tilewidth)
        if page.is_tiled
        else (1, min(page.rowsperstrip, page.imagelength), page.imagewidth)
    )
    samples = page.samplesperpixel if page.planarconfig == 1 else 1
    return math.ceil(math.prod(segment) * samples * page.bitspersample / 8)


def _segment(page: Any, index: int, size: int) -> bytes:
    if index >= min(len(page.dataoffsets), len(page.databytecounts)):
        raise ValueError("fewer strips or tiles than it states")
    file = page.parent.filehandle
    file.seek(page.dataoffsets[index])
    # Data that do not compress become a little longer.
    return file.read(min(page.databytecounts[index], 2 * size + 2**10))
