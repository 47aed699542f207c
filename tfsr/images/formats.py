"""The formats read and written: an allow-list, and what each of them can hold."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import features

from tfsr.errors import ImageError, InvalidArgument, did_you_mean


@dataclass(frozen=True)
class Format:
    """What a format can hold.

    Attributes:
        name: Pillow's name of it.
        suffixes: of its files, the usual one first.
        max_side: the longest side in pixels that its encoder takes.
        alpha: whether it holds transparency.
        grey: whether it holds one channel of grey, and not RGB of three equal ones.
        deep: whether it holds 16 bits a channel.
        frames: whether it holds several images.
        metadata: whether it holds ICC profiles and EXIF.
        options: for the encoder.
    """

    name: str
    suffixes: tuple[str, ...]
    max_side: int
    alpha: bool = False
    grey: bool = True
    deep: bool = False
    frames: bool = False
    metadata: bool = True
    options: dict[str, Any] = field(default_factory=dict)


# Pillow opens some forty formats, several through programs or code that nobody has looked at for
# years. Only these are ever handed to it, found by content and not by suffix. Sides: 65500 is
# libjpeg's JPEG_MAX_DIMENSION (the format itself would allow 65535), 16383 is WebP's 14 bits, 32768
# is what libavif's decoder takes. Qualities are for photographs people look at: hardly visible
# loss, and all of the colour where the format allows it. AVIF in one thread and one tile gives the
# same bytes on every machine.
_ALL = (
    Format("PNG", (".png",), 2**31 - 1, alpha=True, deep=True, frames=True),
    Format("JPEG", (".jpg", ".jpeg"), 65500, options={"quality": 95, "subsampling": "4:4:4"}),
    Format("WEBP", (".webp",), 16383, alpha=True, grey=False, frames=True, options={"quality": 95}),
    Format(
        "TIFF",
        (".tif", ".tiff"),
        2**31 - 1,
        alpha=True,
        deep=True,
        frames=True,
        options={"compression": "tiff_adobe_deflate"},
    ),
    Format("BMP", (".bmp",), 2**31 - 1, metadata=False),
    Format(
        "AVIF",
        (".avif",),
        32768,
        alpha=True,
        grey=False,
        frames=True,
        options={"quality": 90, "subsampling": "4:4:4", "max_threads": 1, "autotiling": False},
    ),
)
# Pillow may have been built without these two.
_OPTIONAL = {"WEBP": "webp", "AVIF": "avif"}

FORMATS = {
    entry.name: entry
    for entry in _ALL
    if entry.name not in _OPTIONAL or features.check(_OPTIONAL[entry.name])
}
SUFFIXES = {suffix: entry.name for entry in FORMATS.values() for suffix in entry.suffixes}
NAMES = {suffix[1:]: suffix for suffix in SUFFIXES}
"""What formats are called on the command line, and their suffixes."""

*_FIRST, _LAST = FORMATS
LISTED = f"{', '.join(_FIRST)} or {_LAST}"
"""The formats in words."""


def suffix_of_format(name: str) -> str:
    """The suffix of a format's files: ".png" of "png".

    Raises:
        InvalidArgument: if it is none of the formats.
    """
    if name.lower() not in NAMES:
        raise InvalidArgument(
            f"--format must be one of {', '.join(NAMES)}; got {name!r}." + did_you_mean(name, NAMES)
        )
    return NAMES[name.lower()]


def check_writable_format(path: str | os.PathLike[str], size: tuple[int, int] | None = None) -> str:
    """Tell whether `write` will know the format, before any work is spent on the image.

    Args:
        path: the file to be written. Nothing is created, nor need its folder exist.
        size: (H, W) of the image, or None when it is not known yet. Defaults to None.

    Returns:
        Pillow's name of the format, a key of `FORMATS`.

    Raises:
        ImageError: the suffix is not one of ours, or a side is longer than the format allows.
    """
    name = os.fspath(path)
    suffix = Path(name).suffix
    image_format = SUFFIXES.get(suffix.lower())
    if image_format is None:
        raise ImageError(
            f"{name}: the suffix must be one of {', '.join(SUFFIXES)}; received '{suffix}'."
            + did_you_mean(suffix, SUFFIXES)
        )
    limit = FORMATS[image_format].max_side
    if size is not None and max(size) > limit:
        raise ImageError(
            f"{name}: an image of {size[1]}x{size[0]} does not fit in {image_format}, whose "
            f"longest side is {limit} pixels; use .png"
        )
    return image_format
