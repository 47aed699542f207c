"""Limits on what a file makes its decoder read and allocate, beside those of its pixels.

Pillow's limit counts the pixels that a header declares. A damaged or hostile file may declare few
and have a decoder read gigabytes, or decode the same pixels a thousand times.
"""

from __future__ import annotations

import io
import os
import re
import struct
from collections.abc import Iterator
from typing import Any

from PIL import Image

from tfsr.errors import ImageError

MAX_IMAGES = 10_000
"""Images in a file, pages of TIFF among them."""

# Layers that editors keep in TIFF files are the largest metadata of photographs.
_MAX_METADATA = 256 * 2**20
# Enough for 16-bit RGBA without compression.
_BYTES_PER_PIXEL = 8

# A scan of a JPEG file passes over the whole image. Encoders write about 10, by hand up to 100.
_MIN_SCANS, _MAX_SCANS, _MAX_SCANNED_PIXELS = 20, 1000, 2_000_000_000
# Neither a level of 255 nor a restart marker, which stand within a scan.
_JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_SOS, _EOI, _WITHOUT_SEGMENT = 0xDA, 0xD9, (0x01, 0xD8)
_PROGRESSIVE = (0xC2, 0xC6, 0xCA, 0xCE)
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_JPEG_BLOCK = 2**16

_WIDTH, _HEIGHT, _TILE_WIDTH, _TILE_HEIGHT = 256, 257, 322, 323
_DEPTHS = (32997, 32998)  # of the image and of its tiles
# Tags that libraries would have to agree about if a directory had one twice.
_STRUCTURE = {_WIDTH, _HEIGHT, 258, 259, 262, 273, 277, 278, 279, 284, 322, 323, 324, 325, *_DEPTHS}
# Strips, tiles and colour maps; each value becomes a Python object.
_MAX_TIFF_VALUES = 2**18
_BYTE_TYPES = (1, 2, 6, 7)
_INTEGER_BYTES = {1: 1, 3: 2, 4: 4, 16: 8}  # of a value that stands in the directory itself
_MAX_TILE_PIXELS = 2**24


class BoundedFile(io.BufferedReader):
    """A file of which no more can be read than its image explains.

    Args:
        path: the file.

    Raises:
        OSError: as of `open`.
        ImageError: from `read`, beyond the limit.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(io.FileIO(path))
        self.path, self._left = os.fspath(path), _MAX_METADATA

    def allow(self, width: int, height: int) -> None:
        """Allow as much again as the pixels of one more image explain."""
        self._left += width * height * _BYTES_PER_PIXEL

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as files do."""
        if size is None or size < 0:
            # Formats that are read whole: known from the file's size before any of it is read.
            size = os.fstat(self.fileno()).st_size - self.tell()
        if size > self._left:
            # No decoder asks for more than there is, except in a damaged file.
            size = min(size, os.fstat(self.fileno()).st_size - self.tell())
        self._left -= size
        if self._left < 0:
            raise ImageError(
                f"{self.path}: more data than an image of its size has: it is damaged, or holds "
                "something else too"
            )
        return super().read(size)


def check_file(file: BoundedFile) -> None:
    """Check what Pillow would follow without limits when it opens the file.

    Raises:
        ImageError: a TIFF directory that no writer makes.
    """
    signature = file.read(4)
    file.seek(0)
    if signature[:2] in (b"II", b"MM"):
        for _ in _tiff_directories(file):
            pass
        file.seek(0)


def check_decoding(image: Image.Image) -> None:
    """Check, before an opened image or frame is decoded, what its header does not say.

    Raises:
        ImageError: a JPEG file of too many scans.
    """
    file: Any = getattr(image, "fp", None)
    if not isinstance(file, BoundedFile):
        return
    file.allow(*image.size)
    if image.format in ("JPEG", "MPO"):
        position = file.tell()
        try:
            _check_scans(file, image.width * image.height)
        finally:
            file.seek(position)


def count_images(image: Image.Image) -> int:
    """Return the number of images of an opened file."""
    file: Any = getattr(image, "fp", None)
    if image.format != "TIFF" or not isinstance(file, BoundedFile):
        return getattr(image, "n_frames", 1)
    position = file.tell()
    try:
        return sum(1 for _ in _tiff_directories(file))
    finally:
        file.seek(position)


def _check_scans(file: BoundedFile, pixels: int) -> None:
    most = max(_MIN_SCANS, min(_MAX_SCANS, _MAX_SCANNED_PIXELS // pixels))
    scans, progressive, components = 0, False, 0
    for marker, head in _jpeg_segments(file):
        if marker in _FRAMES and len(head) > 7:
            progressive, components = marker in _PROGRESSIVE, head[7]
        elif marker == _SOS:
            scans += 1
            if not progressive and head[2:3] == bytes([components]):
                return  # Its only scan.
            if scans > most:
                raise ImageError(
                    f"{file.path}: an image of {pixels} pixels in more than {most} scans; save it "
                    "as a JPEG file that is not progressive"
                )


def _jpeg_segments(file: BoundedFile) -> Iterator[tuple[int, bytes]]:
    """The markers of the first image of a JPEG file, each with the start of its segment."""
    position, start, block = 0, 0, b""
    while True:
        found = _JPEG_MARKER.search(block, position - start)
        if found is None or found.end() + 8 > len(block):
            # Not by `read`: these bytes are counted when they are decoded.
            position = start + found.start() if found else max(position, start + len(block) - 1)
            file.seek(position)
            start, block = position, file.read1(_JPEG_BLOCK)
            found = _JPEG_MARKER.search(block)
            if found is None and len(block) > 1:
                continue
        if found is None:
            return
        marker, head = block[found.end() - 1], block[found.end() : found.end() + 8]
        position = start + found.end()
        if marker == _EOI:
            return
        if marker not in _WITHOUT_SEGMENT:
            yield marker, head
            position += max(int.from_bytes(head[:2], "big"), 2)


def _tiff_directories(file: BoundedFile) -> Iterator[int]:
    """Walk the directories of a TIFF file, checking each."""
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    head = file.read1(16)
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"\x2b\x00", b"\x00\x2b")
    count_format, entry, offset_format = (
        ("Q", struct.Struct(order + "HHQ8s"), "Q")
        if big
        else ("H", struct.Struct(order + "HHI4s"), "I")
    )
    try:
        (offset,) = struct.unpack_from(order + offset_format, head, 8 if big else 4)
        seen: set[int] = set()
        while offset and offset not in seen and offset < size:
            if len(seen) == MAX_IMAGES:
                raise ImageError(
                    f"{file.path}: more than {MAX_IMAGES} images; split it with another program"
                )
            seen.add(offset)
            file.seek(offset)
            (count,) = struct.unpack(order + count_format, file.read(8 if big else 2))
            if count > 0xFFFF:
                return  # Damaged; Pillow says how.
            entries = file.read(count * entry.size)
            _check_directory(file, order, [*entry.iter_unpack(entries)])
            yield offset
            (offset,) = struct.unpack(order + offset_format, file.read(8 if big else 4))
    except struct.error:
        return  # Cut short; Pillow says how.


def _check_directory(
    file: BoundedFile, order: str, entries: list[tuple[int, int, int, bytes]]
) -> None:
    values: dict[int, int] = {}
    for tag, kind, count, content in entries:
        if kind not in _BYTE_TYPES and count > _MAX_TIFF_VALUES:
            raise ImageError(
                f"{file.path}: {count} values in TIFF tag {tag}; at most {_MAX_TIFF_VALUES} are "
                "read: save it in fewer strips or tiles"
            )
        if tag not in _STRUCTURE:
            continue
        if tag in values:
            raise ImageError(f"{file.path}: damaged: TIFF tag {tag} stands there twice")
        stored = content[: _INTEGER_BYTES.get(kind, 4)]
        values[tag] = int.from_bytes(stored, "little" if order == "<" else "big")
    for tag in _DEPTHS:
        if values.get(tag, 1) != 1:
            raise ImageError(
                f"{file.path}: a volume of {values[tag]} layers (TIFF tag {tag}); save one layer "
                "as an image"
            )
    tile = values.get(_TILE_WIDTH, 0) * values.get(_TILE_HEIGHT, 0)
    if tile > max(_MAX_TILE_PIXELS, 4 * values.get(_WIDTH, 0) * values.get(_HEIGHT, 0)):
        raise ImageError(
            f"{file.path}: damaged: tiles of {values[_TILE_WIDTH]}x{values[_TILE_HEIGHT]} pixels"
        )
