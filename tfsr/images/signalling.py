"""What a file says of its colours by other means than an ICC profile."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, BinaryIO

from PIL import Image

from tfsr.errors import ImageError
from tfsr.images.profiles import HDR_TRANSFERS, ColourSpace, space_of_cicp

CICP, DEPTH, NOTES = "tfsr_cicp", "tfsr_depth", "tfsr_notes"
"""Keys of Pillow's `info`: (primaries, transfer) as of H.273, bits a channel, notes on reading."""

_TRANSFER_FUNCTION, _WHITE_POINT, _PRIMARIES = 301, 318, 319  # tags of TIFF

_MAX_META = 2**22  # bytes of an AVIF file's description; photographs have a few hundred


def signalled_by_avif(file: BinaryIO) -> dict[str, Any]:
    """Entries for Pillow's `info`, of the properties of the primary item; ISO 23008-12."""
    try:
        for kind, length in _top_boxes(file):
            if kind == b"meta" and length <= _MAX_META:
                return _of_meta(file.read(length))
    except (ValueError, IndexError, KeyError, struct.error):
        pass  # Damaged; Pillow says so if it matters.
    finally:
        file.seek(0)
    return {}


def colours_of(image: Image.Image, name: str, grey: bool) -> tuple[bytes | None, tuple[str, ...]]:
    """ICC profile of an image, stated or made of what else its file says, and notes.

    Args:
        image: as Pillow decoded it.
        name: of the file.
        grey: whether its pixels are grey.

    Raises:
        ImageError: high dynamic range.
    """
    info = image.info
    depth = info.get(DEPTH, 8)
    notes = [f"{depth} bits were read as 8"] if image.format == "AVIF" and depth > 8 else []
    stated, cicp = info.get("icc_profile") or None, info.get(CICP)
    # PNG's cICP takes precedence over a profile, AVIF's profile over its code points.
    if cicp is not None and (stated is None or image.format == "PNG"):
        primaries, transfer = cicp
        if transfer in HDR_TRANSFERS:
            raise ImageError(
                f"{name}: its dynamic range is high ({HDR_TRANSFERS[transfer]}), which is not "
                "supported; convert it to standard dynamic range first"
            )
        space = space_of_cicp(primaries, transfer)
    elif stated is not None:
        return stated, tuple(notes)
    elif image.format == "TIFF":
        space, dropped = _of_tags(getattr(image, "tag_v2", {}))
        notes += dropped
    else:
        space = _of_chunks(info)
        if image.format == "AVIF":
            # Pillow does not tell what the AV1 stream itself says.
            notes.append("it states its colours in its video stream alone: taken for sRGB")
    profile = None
    if space is None or not space.is_srgb:
        profile = None if space is None else space.profile(grey)
        if profile is None:
            notes.append("the colours that it states are not supported: taken for sRGB")
    return profile, tuple(notes)


def _of_chunks(info: dict[Any, Any]) -> ColourSpace:
    """Of PNG's gAMA and cHRM, which sRGB overrides."""
    gamma, points = info.get("gamma"), info.get("chromaticity")
    if "srgb" in info or (gamma is None and points is None):
        return ColourSpace()
    primaries: tuple[Any, ...] = ()
    if points is not None and len(points) == 8:
        primaries = tuple(zip(points[::2], points[1::2], strict=True))
    space = ColourSpace(*primaries)
    return replace(space, gamma=1 / gamma) if gamma else space


def _of_tags(tags: Any) -> tuple[ColourSpace, list[str]]:
    """Of TIFF's white point, primaries and transfer function, and notes."""
    space = ColourSpace()
    with suppress(TypeError, ValueError, ZeroDivisionError):
        x, y = map(float, tags.get(_WHITE_POINT, space.white))
        space = replace(space, white=(x, y))
    with suppress(TypeError, ValueError, ZeroDivisionError):
        points = [float(value) for value in tags.get(_PRIMARIES, ())]
        red, green, blue = zip(points[::2], points[1::2], strict=True)
        space = replace(space, red=red, green=green, blue=blue)
    note = "its transfer function was dropped: taken for that of sRGB"
    return space, [note] if _TRANSFER_FUNCTION in tags else []


def _top_boxes(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Type and length of each box of the file, which stands at its content."""
    file.seek(0)
    while True:
        start = file.tell()
        length, kind = struct.unpack(">I4s", file.read(8))
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8))
        end = start + length
        if end <= file.tell():  # 0: to the end of the file.
            return
        yield kind, end - file.tell()
        file.seek(end)


def _of_meta(meta: bytes) -> dict[str, Any]:
    inner = dict(_boxes(meta[4:]))
    properties = dict(_boxes(inner[b"iprp"]))
    kinds = list(_boxes(properties[b"ipco"]))
    long = inner[b"pitm"][0] > 0
    (primary,) = struct.unpack_from(">I" if long else ">H", inner[b"pitm"], 4)
    found: dict[str, Any] = {}
    for index in _associations(properties[b"ipma"]).get(primary, ()):
        kind, content = kinds[index - 1]
        if kind == b"colr" and content[:4] == b"nclx":
            found[CICP] = struct.unpack_from(">HH", content, 4)
        elif kind == b"av1C":
            found[DEPTH] = (8, 10, 12)[(content[2] >> 6 & 1) + (content[2] >> 5 & 1)]
        elif kind == b"pixi":
            found[DEPTH] = max(content[5:], default=8)
    return found


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    while len(content) >= 8:
        length, kind = struct.unpack_from(">I4s", content)
        if length < 8:
            return
        yield kind, content[8:length]
        content = content[length:]


def _associations(content: bytes) -> dict[int, list[int]]:
    """The numbers of each item's properties, counted from 1."""
    long_item, long_index = content[0] > 0, content[3] & 1
    (count,) = struct.unpack_from(">I", content, 4)
    at, found = 8, {}
    for _ in range(count):
        (item,) = struct.unpack_from(">I" if long_item else ">H", content, at)
        at += 4 if long_item else 2
        number, at = content[at], at + 1
        width = 2 if long_index else 1
        values = content[at : at + number * width]
        at += number * width
        if long_index:
            indices = [value & 0x7FFF for value in struct.unpack(f">{number}H", values)]
        else:
            indices = [value & 0x7F for value in values]
        found[item] = [index for index in indices if index]
    return found
