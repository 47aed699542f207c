"""Whether an image file is complete, without decoding it where its format tells."""

from __future__ import annotations

import os

from tfsr.errors import ImageError
from tfsr.images.files import read_header, read_image


def is_complete(path: str | os.PathLike[str], size: tuple[int, int], several: bool = False) -> bool:
    """Whether a file holds a complete image of (H, W), or `several` of them.

    PNG and JPEG have an end marker, WebP and BMP state their length; other formats are decoded.
    """
    try:
        header = read_header(path)
        if header.size != size or (header.frames > 1) != several:
            return False
        with open(path, "rb") as file:
            start, length = file.read(8), file.seek(0, os.SEEK_END)
            file.seek(max(0, length - 12))
            end = file.read()
        if start.startswith(b"\x89PNG"):
            return end == b"\0\0\0\0IEND\xaeB`\x82"
        if start.startswith(b"\xff\xd8"):
            return end.endswith(b"\xff\xd9")
        if start.startswith(b"RIFF"):
            return length >= 8 + int.from_bytes(start[4:8], "little")
        if start.startswith(b"BM"):
            return length >= int.from_bytes(start[2:6], "little")
        read_image(path)
    except (ImageError, OSError):
        return False
    return True
