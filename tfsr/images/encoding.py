"""From a `Image` to a file's bytes, and what the format could not hold."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from tfsr.images import bit_depth
from tfsr.images.decoded_image import DecodedImage
from tfsr.images.exif import exif_for_size, has_directories
from tfsr.images.formats import Format
from tfsr.images.transparency import on_white

# A JPEG segment's length has 16 bits, two of its bytes are the length.
_MOST_EXIF_IN_JPEG = 65533


def encode(
    image: DecodedImage, image_format: Format, quality: int | None = None
) -> tuple[bytes | memoryview, tuple[str, ...]]:
    """Encode an image.

    Args:
        image: what to encode.
        image_format: from `FORMATS`.
        quality: int. 1 to 100, for the formats that lose something.

    Returns:
        The bytes, and what the format could not hold: a few words each.

    Raises:
        OSError, ValueError: if the encoder refuses.
    """
    fitting = fit_for(image, image_format)
    lost = fitting.notes[len(image.notes) :]
    if not _held_by_pillow(fitting):
        make = bit_depth.encode_png if image_format.name == "PNG" else bit_depth.encode_tiff
        return make(fitting), lost
    encoded = io.BytesIO()
    options = save_options(fitting, image_format, quality)
    for_pillow(fitting).save(encoded, image_format.name, **options)
    return encoded.getbuffer(), lost


def fit_for(image: DecodedImage, image_format: Format) -> DecodedImage:
    """The image as the format can hold it; a note is added for each thing it cannot."""
    name = image_format.name
    of_grey = image.profile is not None and image.profile[16:20] == b"GRAY"
    if image.alpha is not None and not image_format.alpha:
        opaque = bool((image.alpha == np.iinfo(image.pixels.dtype).max).all())
        note = "" if opaque else f"{name} holds no transparency: laid on white"
        image = image.changed(note, pixels=on_white(image.pixels))
    if not image_format.deep:
        image = image.in_8_bits(f"{name} holds 8 of its 16 bits")
    if name == "TIFF" and image.depth == 16 and image.pixels.shape[2] == 2:
        # Pillow reads no such TIFF.
        pixels = np.concatenate([image.rgb, image.pixels[..., 1:]], axis=-1)
        image = image.changed("grey with 16-bit transparency is RGB in TIFF", pixels=pixels)
    if of_grey and not (image.is_grey and image_format.grey):
        image = image.changed(f"no grey profile for what {name} holds as RGB", profile=None)
    if not image_format.metadata and (image.profile or image.exif):
        note = f"{name} holds neither colour profile nor EXIF"
        image = image.changed(note, profile=None, exif=None)
    if image.exif:
        exif = exif_for_size(image.exif, image.size)
        if name == "TIFF" and not _held_by_pillow(image):
            image = image.changed("EXIF is not written into TIFF of 16-bit colours", exif=None)
        elif name == "JPEG" and len(exif) > _MOST_EXIF_IN_JPEG:
            image = image.changed("its EXIF is too long for JPEG", exif=None)
        else:
            image = image.changed(exif=exif)
    return image


def for_pillow(image: DecodedImage) -> Image.Image:
    """An image that Pillow can hold."""
    pixels = image.pixels
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def save_options(
    image: DecodedImage, image_format: Format, quality: int | None = None
) -> dict[str, Any]:
    """What Pillow's encoder is told."""
    options = dict(image_format.options)
    if quality is not None and "quality" in options:
        options["quality"] = quality
    if image.profile:
        options["icc_profile"] = image.profile
    if image.exif:
        options["exif"] = image.exif
        if image_format.name == "TIFF" and has_directories(image.exif):
            # Pillow cannot write both.
            del options["compression"]
    return options


def _held_by_pillow(image: DecodedImage) -> bool:
    return image.depth == 8 or image.pixels.shape[2] == 1
