"""From `DecodedImage` to a file's bytes or to Pillow, reporting what the format cannot store."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from tfsr.images import bit_depth
from tfsr.images.decoded_image import DecodedImage
from tfsr.images.exif import describes_more, exif_for, has_directories
from tfsr.images.formats import Format
from tfsr.images.metadata import exif_with, fitted, options_for
from tfsr.images.profiles import rgb_profile_of_grey
from tfsr.images.transparency import composite_on_white

# The length of a JPEG segment is stored in 16 bits and includes its own two bytes.
_MAX_EXIF_IN_JPEG = 65533


def encode(
    image: DecodedImage, image_format: Format, quality: int | None = None
) -> tuple[bytes | memoryview, tuple[str, ...]]:
    """Encode an image: (bytes, notes on what the format cannot store).

    Raises:
        Exception: OSError or ValueError if the encoder refuses, others over odd metadata.
    """
    fit = fit_to_format(image, image_format)
    notes = fit.notes[len(image.notes) :]
    if not _fits_pillow(fit):
        make = bit_depth.encode_png if image_format.name == "PNG" else bit_depth.encode_tiff
        return make(fit), notes
    try:
        return _encode_by_pillow(fit, image_format, quality), notes
    except Exception:
        if not fit.exif:
            raise
        # Metadata of other programs' making may be too odd for an encoder.
        content = _encode_by_pillow(fit.changed(exif=None), image_format, quality)
        return content, (*notes, f"its EXIF cannot be stored in {image_format.name}")


def _encode_by_pillow(
    image: DecodedImage, image_format: Format, quality: int | None
) -> bytes | memoryview:
    encoded = io.BytesIO()
    options = save_options(image, image_format, quality)
    as_pillow(image).save(encoded, image_format.name, **options)
    return encoded.getbuffer()


def fit_to_format(image: DecodedImage, image_format: Format) -> DecodedImage:
    """Convert an image to what the format can store, with a note on each loss."""
    name = image_format.name
    grey_profile = image.profile is not None and image.profile[16:20] == b"GRAY"
    if image.alpha is not None and not image_format.alpha:
        opaque = bool((image.alpha == np.iinfo(image.pixels.dtype).max).all())
        note = "" if opaque else f"{name} has no transparency: composited on white"
        image = image.changed(note, pixels=composite_on_white(image.pixels))
    if not image_format.deep:
        image = image.in_8_bits(f"{name} stores 8 of its 16 bits")
    if name == "TIFF" and image.depth == 16 and image.pixels.shape[2] == 2:
        # Pillow cannot read such a TIFF.
        pixels = np.concatenate([image.rgb, image.pixels[..., 1:]], axis=-1)
        image = image.changed("16-bit grey with transparency is RGB in TIFF", pixels=pixels)
    if grey_profile and image_format.metadata and not (image.is_grey and image_format.grey):
        image = _without_grey_profile(image, f"its grey profile does not fit {name}'s RGB")
    if not image_format.metadata and (image.profile or image.exif):
        note = f"{name} stores neither colour profile nor EXIF"
        image = image.changed(note, profile=None, exif=None)
    texts = image.metadata.texts
    metadata, note = fitted(image.metadata, image.size, name)
    image = image.changed(note, metadata=metadata)
    if image.exif:
        exif = exif_for(image.exif, image.size, name)
        if name == "TIFF" and not _fits_pillow(image):
            if exif is None or describes_more(exif):
                image = image.changed("EXIF is not stored in TIFF of 16-bit colours")
        elif name == "JPEG" and exif and len(exif) > _MAX_EXIF_IN_JPEG:
            image = image.changed("its EXIF is too long for JPEG", exif=None)
        else:
            image = image.changed(exif=exif)
    return image.changed(exif=exif_with(metadata, texts, image.exif, name))


def _without_grey_profile(image: DecodedImage, reason: str) -> DecodedImage:
    """Say the colours of an image with a grey profile in RGB: in sRGB, or 16 bits by a profile."""
    profile = image.profile or b""
    if image.depth == 8 and not image.is_grey:  # A profile that never was its own.
        return image.changed(reason, profile=None)
    if image.depth == 16:
        return image.changed(reason, profile=rgb_profile_of_grey(profile))
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        to_rgb = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), "L", "RGB")
        grey = Image.fromarray(np.ascontiguousarray(image.pixels[..., 0]))
        colours = np.asarray(ImageCms.applyTransform(grey, to_rgb))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image.changed(reason, profile=None)
    pixels = colours if image.alpha is None else np.dstack([colours, image.alpha])
    return image.changed(f"{reason}: converted to sRGB", pixels=pixels, profile=None)


def to_pillow(image: DecodedImage) -> Image.Image:
    """Convert to Pillow's image, with profile and EXIF; TypeError for 16-bit colour."""
    converted = as_pillow(image)
    if image.profile:
        converted.info["icc_profile"] = image.profile
    if image.metadata.dpi is not None:
        converted.info["dpi"] = image.metadata.dpi
    if image.exif:
        converted.info["exif"] = exif_for(image.exif, image.size)
    return converted


def as_pillow(image: DecodedImage) -> Image.Image:
    """Convert the pixels alone to Pillow's image."""
    pixels = image.pixels
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def save_options(image: DecodedImage, image_format: Format, quality: int | None) -> dict[str, Any]:
    """Keyword arguments for Pillow's encoder."""
    options = {**image_format.options, **options_for(image.metadata, image_format.name)}
    if quality is not None and "quality" in options:
        options["quality"] = quality
    if image.profile:
        options["icc_profile"] = image.profile
    if image.exif:
        options["exif"] = image.exif
        if image_format.name == "TIFF" and has_directories(image.exif):
            del options["compression"]  # Pillow cannot write both.
    return options


def _fits_pillow(image: DecodedImage) -> bool:
    return image.depth == 8 or image.pixels.shape[2] == 1
