"""From Pillow's images to `DecodedImage`: modes, depth, orientation, profile and EXIF."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from tfsr.errors import ImageError, TfsrError
from tfsr.images.bit_depth import add_keyed_alpha, grey_levels, is_16_bit, read_16_bit
from tfsr.images.decoded_image import DecodedImage, is_grey
from tfsr.images.exif import orientation_of, portable_exif, upright
from tfsr.images.formats import LISTED
from tfsr.images.limits import check_decoding
from tfsr.images.metadata import GAIN_MAP_NOTE, has_gain_map, metadata_of
from tfsr.images.signalling import NOTES, colours_of
from tfsr.images.tiff import is_read_apart, read_tiff
from tfsr.interruptible import interruptible

DAMAGED = "damaged or cut short"

# Pixels that are decoded, or encoded, sooner than anybody could wish to interrupt.
SMALL = 2**20


def from_pillow(image: Image.Image, name: str) -> DecodedImage:
    """Convert Pillow's image, or its current frame, with metadata; the original does not change.

    Raises:
        ImageError: unsupported pixels, or a damaged file; the message begins with `name`.
    """
    with image_errors(name, DAMAGED):
        # Given a frame, `decode` does not read 16 bits from the file, which may have changed.
        return decode(image, name, image.tell())


def decode(image: Image.Image, name: str, frame: int | None = None) -> DecodedImage:
    """Decode an opened file to its last row; call it inside `image_errors`.

    Args:
        image: from `Image.open`, its file still open.
        name: path of the file.
        frame: of an animation; None for the only or first image of a file.
    """
    if image.width * image.height < SMALL:
        return _decode(image, name, frame)
    return interruptible(_decode, image, name, frame)


def _decode(image: Image.Image, name: str, frame: int | None) -> DecodedImage:
    if frame is not None:
        image.seek(frame)
    check_decoding(image)
    deep, orientation = is_16_bit(image), orientation_of(image)
    apart = frame is None and image.format == "TIFF" and is_read_apart(image)
    if not apart:
        image.load()
    if image.format == "PNG":
        orientation = orientation_of(image)
    exif, readable = portable_exif(image)
    notes = [*image.info.get(NOTES, ())]
    if not readable:
        notes.append("EXIF is damaged and was dropped")
    pixels = read_16_bit(image, name) if deep and frame is None else None
    if apart:
        pixels, told = read_tiff(name, image.size)
        notes += told
        if image.mode == "CMYK":
            image, pixels = _as_cmyk(upright(pixels, orientation), image), None
    converted = pixels is None and image.mode == "CMYK"
    if pixels is None:
        if image.format == "TIFF":
            orientation = 1  # Pillow has turned it already.
        if deep:
            notes.append("16 bits were read as 8")
        if image.mode == "CMYK":
            notes.append("CMYK was converted to RGB")
            image = _cmyk_to_rgb(image, image.info.get("icc_profile") or None)
        pixels = _pixels_of(image, name)
    if pixels.dtype == np.uint16:
        pixels = add_keyed_alpha(pixels, image.info.get("transparency"))
    profile = None
    if not converted:
        profile, stated = colours_of(image, name, is_grey(pixels))
        notes += stated
    metadata, told = metadata_of(image)
    if told or has_gain_map(image):
        notes.append(GAIN_MAP_NOTE)
    return DecodedImage(upright(pixels, orientation), profile, exif, tuple(notes), metadata)


def _pixels_of(image: Image.Image, name: str) -> np.ndarray:
    mode = image.mode
    if mode.startswith("I;16"):
        return grey_levels(image)
    if mode in ("I", "F", "LAB", "HSV"):
        kind = {"LAB": "Lab", "HSV": "HSV"}.get(mode, "32-bit")
        raise ImageError(f"{name}: its pixels are {kind}; save it with 8 or 16 bits, grey or RGB")
    wanted = "L" if mode in ("1", "L", "LA", "La") else "RGB"
    if image.has_transparency_data:
        wanted += "A"
    pixels = np.array(image if mode == wanted else image.convert(wanted))
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _as_cmyk(pixels: np.ndarray, image: Image.Image) -> Image.Image:
    """Pillow's image of CMYK pixels, with the profile and format of another one."""
    levels = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
    made = Image.frombytes("CMYK", (levels.shape[1], levels.shape[0]), levels.tobytes())
    made.info, made.format = image.info, image.format
    return made


def _cmyk_to_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert to sRGB through the image's profile, or by Pillow's formula without a usable one."""
    if profile is not None:
        with suppress(ImageCms.PyCMSError, OSError, ValueError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            to_rgb = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), "CMYK", "RGB")
            converted = ImageCms.applyTransform(image, to_rgb)
            if converted is not None:
                return converted
    return image.convert("RGB")


@contextmanager
def image_errors(path: str | os.PathLike[str], failure: str) -> Iterator[None]:
    """Turn any error into an ImageError of one line: path, failure and reason."""
    try:
        yield
    except TfsrError:
        raise
    # Pillow raises OSError and SyntaxError over damaged bytes by design, and struct.error,
    # EOFError, IndexError and others by accident.
    except Exception as error:
        # str() of an OSError repeats the path, or names the temporary file; strerror does neither.
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        message = f"{failure}: {' '.join(reason.split())[:200] or type(error).__name__}"
        if isinstance(error, UnidentifiedImageError):
            message = f"not a {LISTED} image, or its header is damaged"
        elif isinstance(error, Image.DecompressionBombError):
            limit = 2 * (Image.MAX_IMAGE_PIXELS or 0)
            message = f"more than {limit} pixels; reduce or crop it with another program first"
        elif isinstance(error, MemoryError):
            message = "not enough memory"
        raise ImageError(f"{os.fspath(path)}: {message}") from error
