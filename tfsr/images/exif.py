"""EXIF: which way is up, and what else is worth keeping."""

from __future__ import annotations

import struct

import numpy as np
from PIL import ExifTags, Image

_ORIENTATION = ExifTags.Base.Orientation
_TURNED = (5, 6, 7, 8)
# In a TIFF file, EXIF's first directory is the one that says how the pixels are stored, which must
# not reach another file. These tags describe the image.
_DESCRIPTIVE = {
    *(ExifTags.Base.ImageDescription, ExifTags.Base.Make, ExifTags.Base.Model),
    *(ExifTags.Base.Software, ExifTags.Base.DateTime, ExifTags.Base.Artist),
    *(ExifTags.Base.Copyright, ExifTags.Base.ExifOffset, ExifTags.Base.GPSInfo),
}


def orientation_of(image: Image.Image) -> int:
    """EXIF's number for which way is up: 1 to 8, and 1 where nothing sensible is said.

    A PNG file may say it after its pixels, and is asked again once it is loaded.
    """
    try:
        found = _exif_of(image).get(_ORIENTATION, 1)
    # Damaged EXIF makes Pillow raise whatever it meets; the pixels may be as good as ever.
    except Exception:
        return 1
    return found if found in range(1, 9) else 1


def is_turned(orientation: int) -> bool:
    """Whether width and height change places."""
    return orientation in _TURNED


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Pixels as they are meant to be seen, from (H, W, channels) as they are stored.

    Reference:
        Exif 2.32, section 4.6.4: where row 0 and column 0 of the stored image lie.
    """
    if orientation in _TURNED:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def kept_exif(image: Image.Image) -> tuple[bytes | None, bool]:
    """(the EXIF block less orientation and preview, whether it could be read).

    The preview goes since it shows the small image; where there is nothing else, the block is
    None.
    """
    try:
        exif = _exif_of(image)
        if not exif and image.info.get("exif"):
            return None, False
        left_out = [tag for tag in exif if tag == _ORIENTATION or not _describes(tag, image)]
        removed = {tag: exif.pop(tag) for tag in left_out}
        try:
            content = exif.tobytes() if exif else None
        finally:
            exif.update(removed)  # It is the image's own.
    except Exception:
        return None, False
    # Pillow writes the first directory and what hangs from it; the preview is in the second.
    return content, True


def _describes(tag: int, image: Image.Image) -> bool:
    return image.format != "TIFF" or tag in _DESCRIPTIVE


def _exif_of(image: Image.Image) -> Image.Exif:
    # The method of PNG images would decode all pixels to look for EXIF after them.
    return Image.Image.getexif(image)


def exif_for_size(content: bytes, size: tuple[int, int]) -> bytes:
    """The block with the image's new (H, W) where it tells its size."""
    exif = Image.Exif()
    try:
        exif.load(content)
        if ExifTags.Base.ExifOffset not in exif:
            return content
        details = exif.get_ifd(ExifTags.IFD.Exif)
        for tag, side in (
            (ExifTags.Base.ExifImageWidth, size[1]),
            (ExifTags.Base.ExifImageHeight, size[0]),
        ):
            if tag in details:
                details[tag] = side
        return exif.tobytes()
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, struct.error):
        return content


def has_directories(content: bytes) -> bool:
    """Whether the block has directories below the first one: of the camera or of the place."""
    exif = Image.Exif()
    exif.load(content)
    return ExifTags.Base.ExifOffset in exif or ExifTags.Base.GPSInfo in exif
