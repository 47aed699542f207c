"""The file formats read and written, and what each can store."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import features

from tfsr.errors import ImageError, check_choice, did_you_mean


@dataclass(frozen=True)
class Format:
    """What a format can store."""

    name: str  # as Pillow spells it
    suffixes: tuple[str, ...]
    other_suffixes: tuple[str, ...] = ()  # that are understood, and not listed
    max_side: int = 2**31 - 1  # in pixels, of its encoder
    alpha: bool = False
    grey: bool = True  # a single channel
    deep: bool = False  # 16 bits a channel
    frames: bool = False  # several images
    metadata: bool = True  # ICC profiles and EXIF
    options: dict[str, Any] = field(default_factory=dict)  # for the encoder


# An allow-list: Pillow opens some forty formats, several by code that nobody maintains. Sides:
# 65500 is libjpeg's JPEG_MAX_DIMENSION (the format itself would allow 65535), 16383 is WebP's 14
# bits, 32768 is the limit of libavif's decoder. Qualities are for photographs: hardly visible loss,
# no chroma subsampling where the format allows it. AVIF in one thread and one tile gives the same
# bytes on every machine.
_AVIF = {"quality": 90, "subsampling": "4:4:4", "max_threads": 1, "autotiling": False}
_JPEG = {"quality": 95, "subsampling": "4:4:4"}
_TIFF = {"compression": "tiff_adobe_deflate"}
_ALL = (
    Format("PNG", (".png",), alpha=True, deep=True, frames=True),
    Format("JPEG", (".jpg", ".jpeg"), (".jfif", ".jpe"), 65500, options=_JPEG),
    Format(
        "WEBP", (".webp",), (), 16383, alpha=True, grey=False, frames=True, options={"quality": 95}
    ),
    Format("TIFF", (".tif", ".tiff"), alpha=True, deep=True, frames=True, options=_TIFF),
    Format("BMP", (".bmp",), metadata=False),
    Format("AVIF", (".avif",), (), 32768, alpha=True, grey=False, frames=True, options=_AVIF),
)

# Pillow may have been built without WebP and AVIF.
FORMATS = {
    entry.name: entry
    for entry in _ALL
    if entry.name not in ("WEBP", "AVIF") or features.check(entry.name.lower())
}
LISTED_SUFFIXES = {suffix: entry.name for entry in FORMATS.values() for suffix in entry.suffixes}
SUFFIXES = LISTED_SUFFIXES | {
    suffix: entry.name for entry in FORMATS.values() for suffix in entry.other_suffixes
}
# Of images that are not read.
OTHER_IMAGES = {
    *(".heic", ".heif", ".hif", ".gif", ".jxl", ".jp2", ".j2k", ".psd", ".svg", ".ico", ".tga"),
    *(".exr", ".hdr", ".ppm", ".pgm", ".pbm", ".pnm", ".jxr", ".dng", ".cr2", ".cr3", ".nef"),
    *(".arw", ".orf", ".rw2", ".raf", ".raw", ".qoi", ".eps"),
}
LISTED = ", ".join([*FORMATS][:-1]) + f" or {[*FORMATS][-1]}"


def suffix_of_format(name: str) -> str:
    """Return the suffix of a format named on the command line: ".png" for "png"."""
    check_choice("format", name.lower(), [suffix[1:] for suffix in LISTED_SUFFIXES])
    return f".{name.lower()}"


def check_writable_format(path: str | os.PathLike[str], size: tuple[int, int] | None = None) -> str:
    """Check that a path's format can store an image of (H, W), before any work is spent on it.

    Returns:
        Pillow's name of the format.

    Raises:
        ImageError: an unknown suffix, or a side longer than the format allows.

    Example:
        >>> tfsr.images.check_writable_format("out/face.jpg", (256, 256))
        'JPEG'
    """
    name = os.fspath(path)
    suffix = Path(name).suffix
    image_format = SUFFIXES.get(suffix.lower())
    if image_format is None:
        raise ImageError(
            f"{name}: the suffix must be one of {', '.join(LISTED_SUFFIXES)}; received '{suffix}'."
            + did_you_mean(suffix, SUFFIXES)
        )
    limit = FORMATS[image_format].max_side
    if size is not None and max(size) > limit:
        raise ImageError(
            f"{name}: an image of {size[1]}x{size[0]} does not fit in {image_format}, whose "
            f"longest side is {limit} pixels; use .png"
        )
    return image_format
