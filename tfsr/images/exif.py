"""EXIF: the orientation of an image, and the block that goes into its copies."""

from __future__ import annotations

import numpy as np
from PIL import ExifTags, Image

_Tag = ExifTags.Base
_TRANSPOSED = (5, 6, 7, 8)
# The first EXIF directory of a TIFF file also says how its pixels are stored, which must not reach
# another file. These tags describe the image.
_DESCRIPTIVE = {
    *(_Tag.ImageDescription, _Tag.Make, _Tag.Model, _Tag.Software, _Tag.DateTime, _Tag.Artist),
    *(_Tag.Copyright, _Tag.ExifOffset, _Tag.GPSInfo),
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

    The preview is in the second directory, which Pillow does not write.
    """
    try:
        exif = _exif_of(image)
        if not exif and image.info.get("exif"):
            return None, False
        undescriptive = set(exif) - _DESCRIPTIVE if image.format == "TIFF" else set()
        dropped = undescriptive | (set(exif) & {_Tag.Orientation})
        removed = {tag: exif.pop(tag) for tag in dropped}
        try:
            return exif.tobytes() if exif else None, True
        finally:
            exif.update(removed)  # It belongs to the image.
    except Exception:
        return None, False


def _exif_of(image: Image.Image) -> Image.Exif:
    # The override for PNG would decode all pixels to look for EXIF after them.
    return Image.Image.getexif(image)


def exif_for_size(content: bytes, size: tuple[int, int]) -> bytes:
    """Return the block with its image size, if it states one, changed to (H, W)."""
    exif = Image.Exif()
    try:
        exif.load(content)
        if _Tag.ExifOffset not in exif:
            return content
        details = exif.get_ifd(ExifTags.IFD.Exif)
        for tag, side in zip((_Tag.ExifImageHeight, _Tag.ExifImageWidth), size, strict=True):
            if tag in details:
                details[tag] = side
        return exif.tobytes()
    except Exception:  # Damaged; see `orientation_of`.
        return content


def has_directories(content: bytes) -> bool:
    """Whether the block has directories below the first: for the camera or the place."""
    exif = Image.Exif()
    exif.load(content)
    return _Tag.ExifOffset in exif or _Tag.GPSInfo in exif
