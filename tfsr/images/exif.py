"""EXIF: the orientation of an image, and the block that goes into its copies."""

from __future__ import annotations

import math
from contextlib import suppress
from numbers import Real
from typing import Any

import numpy as np
from PIL import ExifTags, Image

_Tag = ExifTags.Base
_TRANSPOSED = (5, 6, 7, 8)
_RESOLUTION = (_Tag.XResolution, _Tag.YResolution, _Tag.ResolutionUnit)
# In a TIFF file the first EXIF directory also says how the pixels are stored, which must neither
# leave it nor enter it from another file. These tags describe the image.
_DESCRIPTIVE = {
    *(_Tag.DocumentName, _Tag.ImageDescription, _Tag.Make, _Tag.Model, _Tag.PageName),
    *_RESOLUTION,
    *(_Tag.Software, _Tag.DateTime, _Tag.Artist, _Tag.HostComputer, _Tag.Copyright),
    *(_Tag.Rating, _Tag.RatingPercent, _Tag.ImageID, _Tag.DateTimeOriginal),
    *(_Tag.XPTitle, _Tag.XPComment, _Tag.XPAuthor, _Tag.XPKeywords, _Tag.XPSubject),
    # What photographs are taken with, which belongs in the directory below, and is found here too.
    *(_Tag.ExposureTime, _Tag.FNumber, *range(_Tag.ExposureProgram, _Tag.Interlace)),
    *(*range(_Tag.TimeZoneOffset, 0x8836), *range(_Tag.ExifVersion, _Tag.FlashPixVersion)),
    *(_Tag.ExifOffset, _Tag.GPSInfo),
}
_DIRECTORIES = (_Tag.ExifOffset, _Tag.GPSInfo)
# Where the directories state the size of the image: tags of its height and its width.
_SIDES = {
    None: (_Tag.ImageLength, _Tag.ImageWidth),
    ExifTags.IFD.Exif: (_Tag.ExifImageHeight, _Tag.ExifImageWidth),
    ExifTags.IFD.Interop: (_Tag.RelatedImageLength, _Tag.RelatedImageWidth),
}


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8, or 1 if invalid; a PNG file may state it after its pixels."""
    try:
        found = _exif_of(image).get(_Tag.Orientation, 1)
    # Pillow raises anything over damaged EXIF; the pixels may still be good.
    except Exception:
        return 1
    return found if found in range(1, 9) else 1


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """(H, W) of the upright image."""
    return (width, height) if orientation in _TRANSPOSED else (height, width)


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn (H, W, channels) upright; Exif 2.32, section 4.6.4."""
    if orientation in _TRANSPOSED:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def portable_exif(image: Image.Image) -> tuple[bytes | None, bool]:
    """(EXIF block without orientation and preview or None if empty, whether EXIF was readable).

    The preview is in the second directory, which Pillow does not write. Tags that it cannot write
    are left out: other programs write wrong types.
    """
    try:
        exif = _exif_of(image)
        if not exif and image.info.get("exif"):
            return None, False
        dropped = set(exif) - _DESCRIPTIVE if image.format == "TIFF" else set()
        # Without a unit it is no resolution, and many TIFF files have such a one.
        if image.format == "TIFF" and exif.get(_Tag.ResolutionUnit) not in (2, 3):
            dropped |= {*_RESOLUTION}
        return _encoded(exif, dropped | {_Tag.Orientation}), True
    except Exception:
        return None, False


def _encoded(exif: Image.Exif, dropped: set[int]) -> bytes | None:
    """The block without some tags, nor those that cannot be written; None if nothing is left."""
    kept = Image.Exif()
    kept.endian = exif.endian
    for tag in sorted(set(exif) - dropped):
        with suppress(Exception):
            kept[tag] = exif.get_ifd(tag) if tag in _DIRECTORIES else exif[tag]
    with suppress(Exception):
        return kept.tobytes() if kept else None
    for tag in list(kept):
        if tag in _DIRECTORIES:
            kept[tag] = {
                inner: value for inner, value in kept[tag].items() if _fits({tag: {inner: value}})
            }
        if not _fits({tag: kept[tag]}):
            del kept[tag]
    return kept.tobytes() if kept else None


def _fits(tags: dict[int, Any]) -> bool:
    """Whether tags, with directories as mappings, can be written."""
    exif = Image.Exif()
    try:
        exif.update(tags)
        exif.tobytes()
    except Exception:
        return False
    return True


def _exif_of(image: Image.Image) -> Image.Exif:
    # The override for PNG would decode all pixels to look for EXIF after them.
    return Image.Image.getexif(image)


def exif_for(content: bytes, size: tuple[int, int], image_format: str = "") -> bytes | None:
    """Return the block as it describes an image of (H, W) in a format, or None if nothing is left.

    Image sizes that it states become those of the image. TIFF takes descriptive tags alone.
    """
    exif = Image.Exif()
    try:
        exif.load(content)
        undescriptive = _undescriptive(exif) if image_format == "TIFF" else set()
        for tag in undescriptive:
            del exif[tag]
        changed = bool(undescriptive)
        for directory, tags in _SIDES.items():
            stated = exif if directory is None else _below(exif, directory)
            for tag, side in zip(tags, size, strict=True):
                if tag in stated:
                    stated[tag] = side
                    changed = True
        if not changed:
            return content
        return exif.tobytes() if exif else None
    except Exception:  # Damaged; see `orientation_of`.
        return None if image_format == "TIFF" else content


def with_tags(content: bytes | None, tags: dict[int, Any]) -> bytes | None:
    """Return a block with more tags in its first directory; those that it has stay."""
    exif = Image.Exif()
    with suppress(Exception):
        if content:
            exif.load(content)
        for directory in set(_DIRECTORIES) & set(exif):
            exif.get_ifd(directory)
        for tag, value in tags.items():
            if tag not in exif:
                exif[tag] = value
        return exif.tobytes()
    return content


def resolution_of(content: bytes) -> tuple[float, float, int] | None:
    """Pixels in a unit along both axes, and TIFF's number of the unit, if the block says so."""
    exif = Image.Exif()
    with suppress(Exception):
        exif.load(content)
        if _has_resolution(exif):
            across, down, unit = (exif[tag] for tag in _RESOLUTION)
            return float(across), float(down), int(unit)
    return None


def describes_more(content: bytes) -> bool:
    """Whether the block says more than the resolution."""
    exif = Image.Exif()
    with suppress(Exception):
        exif.load(content)
        return bool(set(exif) - {*_RESOLUTION})
    return True


def _has_resolution(exif: Image.Exif) -> bool:
    values: list[Any] = [exif.get(tag) for tag in _RESOLUTION]
    usable = all(isinstance(value, Real) and 0 < float(value) < math.inf for value in values)
    return usable and values[2] in (1, 2, 3)


def _undescriptive(exif: Image.Exif) -> set[int]:
    """The tags of the first directory that a TIFF file must not take over."""
    # libtiff refuses a resolution that is none, and prints a line about negative numbers.
    kept = _DESCRIPTIVE if _has_resolution(exif) else _DESCRIPTIVE - {*_RESOLUTION}
    negative = {tag for tag, value in exif.items() if isinstance(value, Real) and value < 0}
    return (set(exif) - kept) | negative


def _below(exif: Image.Exif, directory: int) -> Any:
    """A directory of EXIF below the first; empty if there is none."""
    if _Tag.ExifOffset not in exif:
        return {}
    details = exif.get_ifd(ExifTags.IFD.Exif)
    if directory == ExifTags.IFD.Exif:
        return details
    return exif.get_ifd(directory) if directory in details else {}


def has_directories(content: bytes) -> bool:
    """Whether the block has directories below the first: for the camera or the place."""
    exif = Image.Exif()
    exif.load(content)
    return _Tag.ExifOffset in exif or _Tag.GPSInfo in exif
