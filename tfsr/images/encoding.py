"""From a `Picture` to a file's bytes, and what the format could not hold."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from tfsr.images import deep
from tfsr.images.exif import exif_for_size, has_directories
from tfsr.images.formats import Format
from tfsr.images.picture import Picture
from tfsr.images.transparency import on_white

# A JPEG segment's length has 16 bits, two of its bytes are the length.
_MOST_EXIF_IN_JPEG = 65533


def encode(
    picture: Picture, image_format: Format, quality: int | None = None
) -> tuple[bytes | memoryview, tuple[str, ...]]:
    """Encode a picture.

    Args:
        picture: what to encode.
        image_format: from `FORMATS`.
        quality: int. 1 to 100, for the formats that lose something.

    Returns:
        The bytes, and what the format could not hold: a few words each.

    Raises:
        OSError, ValueError: if the encoder refuses.
    """
    fitting = fit_for(picture, image_format)
    lost = fitting.notes[len(picture.notes) :]
    if not _held_by_pillow(fitting):
        make = deep.encode_png if image_format.name == "PNG" else deep.encode_tiff
        return make(fitting), lost
    encoded = io.BytesIO()
    options = save_options(fitting, image_format, quality)
    for_pillow(fitting).save(encoded, image_format.name, **options)
    return encoded.getbuffer(), lost


def fit_for(picture: Picture, image_format: Format) -> Picture:
    """The picture as the format can hold it; a note is added for each thing it cannot."""
    name = image_format.name
    of_grey = picture.profile is not None and picture.profile[16:20] == b"GRAY"
    if picture.alpha is not None and not image_format.alpha:
        opaque = bool((picture.alpha == np.iinfo(picture.pixels.dtype).max).all())
        note = "" if opaque else f"{name} holds no transparency: laid on white"
        picture = picture.changed(note, pixels=on_white(picture.pixels))
    if not image_format.deep:
        picture = picture.in_8_bits(f"{name} holds 8 of its 16 bits")
    if name == "TIFF" and picture.depth == 16 and picture.pixels.shape[2] == 2:
        # Pillow reads no such TIFF.
        pixels = np.concatenate([picture.rgb, picture.pixels[..., 1:]], axis=-1)
        picture = picture.changed("grey with 16-bit transparency is RGB in TIFF", pixels=pixels)
    if of_grey and not (picture.is_grey and image_format.grey):
        picture = picture.changed(f"no grey profile for what {name} holds as RGB", profile=None)
    if not image_format.metadata and (picture.profile or picture.exif):
        note = f"{name} holds neither colour profile nor EXIF"
        picture = picture.changed(note, profile=None, exif=None)
    if picture.exif:
        exif = exif_for_size(picture.exif, picture.size)
        if name == "TIFF" and not _held_by_pillow(picture):
            picture = picture.changed("EXIF is not written into TIFF of 16-bit colours", exif=None)
        elif name == "JPEG" and len(exif) > _MOST_EXIF_IN_JPEG:
            picture = picture.changed("its EXIF is too long for JPEG", exif=None)
        else:
            picture = picture.changed(exif=exif)
    return picture


def for_pillow(picture: Picture) -> Image.Image:
    """A picture that Pillow can hold."""
    pixels = picture.pixels
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def save_options(
    picture: Picture, image_format: Format, quality: int | None = None
) -> dict[str, Any]:
    """What Pillow's encoder is told."""
    options = dict(image_format.options)
    if quality is not None and "quality" in options:
        options["quality"] = quality
    if picture.profile:
        options["icc_profile"] = picture.profile
    if picture.exif:
        options["exif"] = picture.exif
        if image_format.name == "TIFF" and has_directories(picture.exif):
            # Pillow cannot write both.
            del options["compression"]
    return options


def _held_by_pillow(picture: Picture) -> bool:
    return picture.depth == 8 or picture.pixels.shape[2] == 1
