"""Chunks of PNG files that Pillow does not read, or over which it refuses the whole file."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from tfsr.images.signalling import CICP, NOTES

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
# What says nothing of the pixels: a wrong checksum is no reason to refuse those.
_DESCRIPTIVE = (*_TEXTS, b"eXIf", b"pHYs", b"tIME")
_MAX_BY_PILLOW = 2**20  # bytes of a profile or a text, PngImagePlugin.MAX_TEXT_CHUNK
_MAX_PROFILE = 2**24
_OVERHEAD = 12  # bytes of a chunk beside its content


def readable_png(file: BinaryIO) -> tuple[BinaryIO, dict[str, Any]]:
    """Return the file as Pillow can read it, and entries for its `info`."""
    info: dict[str, Any] = {}
    notes: list[str] = []
    dropped: list[tuple[int, int]] = []
    for start, length, kind in _chunks(file):
        note = ""
        if kind == b"cICP" and length == 4:
            primaries, transfer, _, _ = file.read(4)
            info[CICP] = primaries, transfer
        elif kind in _DESCRIPTIVE and not _is_sound(file, length, kind):
            note = f"{kind.decode()} has a wrong checksum and was dropped"
        elif kind in _TEXTS and _text_length(file, start, length, kind) > _MAX_BY_PILLOW:
            note = "a text of more than 1 MiB was dropped"
        elif kind == b"iCCP":
            profile = _inflated(_content(file, start, length), 1, _MAX_PROFILE)
            if len(profile) > _MAX_PROFILE:
                note = "its colour profile of more than 16 MiB was dropped"
            elif len(profile) > _MAX_BY_PILLOW and _is_sound(file, length, kind, start):
                info["icc_profile"] = profile
                dropped.append((start, length))
        if note:
            notes.append(note)
            dropped.append((start, length))
    file.seek(0)
    if notes:
        info[NOTES] = tuple(notes)
    return (_without(file, dropped) if dropped else file), info


def _chunks(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Start, length and type of each chunk, the file standing at its content."""
    start = len(SIGNATURE)
    while True:
        file.seek(start)
        head = file.read(8)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head)
        yield start, length, kind
        if kind == b"IEND":
            return
        start += length + _OVERHEAD


def _content(file: BinaryIO, start: int, length: int) -> bytes:
    file.seek(start + 8)
    return file.read(length)


def _is_sound(file: BinaryIO, length: int, kind: bytes, start: int | None = None) -> bool:
    """Whether a chunk's checksum is right; the file stands at its content, or it has a start."""
    if start is not None:
        file.seek(start + 8)
    content, stated = file.read(length), file.read(4)
    return struct.pack(">I", zlib.crc32(content, zlib.crc32(kind))) == stated


def _text_length(file: BinaryIO, start: int, length: int, kind: bytes) -> int:
    """Bytes of a text, or more than the most that Pillow takes."""
    if kind == b"tEXt" or length > _MAX_BY_PILLOW:
        return length
    content = _content(file, start, length)
    if kind == b"zTXt":
        return len(_inflated(content, 1, _MAX_BY_PILLOW))
    keyword, _, rest = content.partition(b"\0")
    if not rest or not rest[0]:
        return length
    # Behind the method stand the language and the translated keyword.
    return len(_inflated(rest[2:].partition(b"\0")[2], 0, _MAX_BY_PILLOW))


def _inflated(content: bytes, method: int, limit: int) -> bytes:
    """What is compressed behind a name and the `method` bytes of the compression, or its begin.

    At most one byte more than the limit; nothing if it is damaged, which Pillow reports.
    """
    try:
        compressed = content.partition(b"\0")[2][method:]
        return zlib.decompressobj().decompress(compressed, limit + 1)
    except zlib.error:
        return b""


def _without(file: BinaryIO, dropped: list[tuple[int, int]]) -> BinaryIO:
    kept, position = io.BytesIO(), 0
    for start, length in sorted(dropped):
        file.seek(position)
        kept.write(file.read(start - position))
        position = start + length + _OVERHEAD
    file.seek(position)
    kept.write(file.read())
    kept.seek(0)
    return kept
