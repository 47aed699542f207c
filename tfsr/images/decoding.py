"""From what Pillow opened to a `Image`: modes, depth, orientation, profile and EXIF."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

from tfsr.errors import ImageError
from tfsr.images import bit_depth
from tfsr.images.decoded_image import DecodedImage
from tfsr.images.exif import kept_exif, orientation_of, upright

_SIMPLE = ("L", "LA", "RGB", "RGBA")


def decode(opened: Image.Image, name: str, frame: int | None = None) -> DecodedImage:
    """Decode to the last row what Pillow opened.

    Args:
        opened: from `Image.open`, its file still open.
        name: of the file, for messages.
        frame: of an animation; None for a file's only or first image.

    Raises:
        ImageError: if the pixels are not of a kind that is an image.
        Exception: whatever Pillow raises when the file is damaged.
    """
    if frame is not None:
        opened.seek(frame)
    is_deep = bit_depth.is_deep(opened)
    orientation = orientation_of(opened)
    opened.load()
    if opened.format == "PNG":
        orientation = orientation_of(opened)
    notes: list[str] = []
    profile = opened.info.get("icc_profile") or None
    exif, readable = kept_exif(opened)
    if not readable:
        notes.append("its EXIF is damaged and was left out")
    pixels = bit_depth.read(opened, name) if is_deep and frame is None else None
    if pixels is None:
        if opened.format == "TIFF":
            orientation = 1  # Pillow has turned it already.
        if is_deep:
            notes.append("its 16 bits were read as 8")
        if opened.mode == "CMYK":
            notes.append("CMYK was converted to RGB")
            converted, profile = _from_cmyk(opened, profile), None
        else:
            converted = opened
        pixels = _pixels(converted, name)
    if pixels.dtype == np.uint16:
        pixels = bit_depth.with_key(pixels, opened.info.get("transparency"))
    return DecodedImage(upright(pixels, orientation), profile, exif, tuple(notes))


def _pixels(image: Image.Image, name: str) -> np.ndarray:
    """(H, W, channels) of an image of any mode."""
    mode = image.mode
    if mode.startswith("I;16"):
        return bit_depth.grey(image)
    if mode in ("I", "F", "LAB", "HSV"):
        kind = {"LAB": "Lab", "HSV": "HSV"}.get(mode, "32-bit")
        raise ImageError(
            f"{name}: its pixels are {kind} numbers; save it with 8 or 16 bits, grey or RGB"
        )
    transparent = image.has_transparency_data
    if mode in ("1", "L", "LA", "La"):
        wanted = "LA" if transparent else "L"
    else:
        wanted = "RGBA" if transparent else "RGB"
    if mode not in _SIMPLE or mode != wanted:
        image = image.convert(wanted)
    pixels = np.array(image)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _from_cmyk(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB through the image's own profile to sRGB; without one, as Pillow reckons."""
    if profile is not None:
        try:
            inks = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            to_rgb = ImageCms.buildTransform(inks, ImageCms.createProfile("sRGB"), "CMYK", "RGB")
            converted = ImageCms.applyTransform(image, to_rgb)
            if converted is not None:
                return converted
        # A profile that cannot be used says nothing about the colours.
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    return image.convert("RGB")
