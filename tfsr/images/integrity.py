"""Whether a file is whole, without decoding it where its format tells."""

from __future__ import annotations

import os

from tfsr.errors import ImageError
from tfsr.images.files import read_header, read_image

_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_JPEG_END = b"\xff\xd9"


def is_integer(path: str | os.PathLike[str], size: tuple[int, int], several: bool = False) -> bool:
    """Whether a file holds an image of (H, W) to its end.

    PNG and JPEG say at their end that they are whole, WebP and BMP at their beginning how long they
    are; the others are decoded.

    Args:
        path: the file.
        size: (H, W) that the image must have.
        several: bool. Whether it must be several images, and not one. Defaults to False.
    """
    try:
        header = read_header(path)
        if header.size != size or (header.frames > 1) != several:
            return False
        ends = _ends_well(path)
        if ends is None:
            read_image(path)
    except (ImageError, OSError):
        return False
    return ends is not False


def _ends_well(path: str | os.PathLike[str]) -> bool | None:
    """Whether the file ends as its format says; None if it does not say."""
    with open(path, "rb") as file:
        start = file.read(12)
        length = file.seek(0, os.SEEK_END)
        file.seek(max(0, length - len(_PNG_END)))
        end = file.read()
    if start.startswith(b"\x89PNG"):
        return end == _PNG_END
    if start.startswith(b"\xff\xd8"):
        return end.endswith(_JPEG_END)
    if start.startswith(b"RIFF"):
        return length >= 8 + int.from_bytes(start[4:8], "little")
    if start.startswith(b"BM"):
        return length >= int.from_bytes(start[2:6], "little")
    return None
