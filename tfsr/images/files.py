"""Picture files in and out: an allow-list of formats, full decoding, atomic writing."""

import io
import os
import secrets
import stat
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from tfsr.errors import ImageError, did_you_mean
from tfsr.images.pixels import check_uint8

# Pillow opens some forty formats, several through programs or code that nobody has looked at for
# years. Only these are ever handed to it, found by content and not by suffix.
FORMATS = ("PNG", "JPEG", "WEBP")
SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}

# Longest side each encoder takes, in pixels: 65500 is libjpeg's JPEG_MAX_DIMENSION (the format
# itself would allow 65535), 16383 is WebP's 14 bits.
MAX_SIDE = {"PNG": 2**31 - 1, "JPEG": 65500, "WEBP": 16383}

# Photographs people look at: no chroma subsampling, hardly visible loss. WebP is lossy too, since
# whoever wants every pixel kept has PNG.
SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "JPEG": {"quality": 95, "subsampling": "4:4:4"},
    "WEBP": {"quality": 95},
}

# `warnings.catch_warnings` swaps a global: two threads inside it can leave it swapped for good.
_WARNINGS_LOCK = threading.Lock()


def read(path: str | os.PathLike[str]) -> np.ndarray:
    """Read a PNG, JPEG or WebP file, whatever its suffix says.

    The file is decoded to its last row, so one that was cut short is an error and not a half-grey
    picture. Of an animation, the first frame is read. Pictures are turned upright as their EXIF
    orientation says; alpha is dropped, 16 bits become 8, and ICC profiles are not applied.

    Args:
        path: the file.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ImageError: no readable file there, not one of the three formats, damaged, or larger than
            Pillow's limit against decompression bombs (178,956,970 pixels).
    """
    name = os.fspath(path)
    try:
        # Looked at before it is opened: opening a named pipe would wait for its writer for ever.
        status = os.stat(name)
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(f"{name}: it is a folder; give one picture file")
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{name}: it is not a regular file; give a picture file")
        if status.st_size == 0:
            raise ImageError(f"{name}: the file is empty; give a PNG, JPEG or WebP picture")
        file = open(name, "rb")
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise ImageError(f"{name}: cannot be read: {_reason(error)}") from error
    with file:
        return _decode(file, name)


def write(path: str | os.PathLike[str], image: np.ndarray) -> None:
    """Write a picture, in the format its suffix names.

    PNG is lossless; JPEG is quality 95 without chroma subsampling; WebP is lossy, quality 95. The
    same picture gives the same bytes. The file appears complete or not at all: it is written under
    a temporary name in the same folder and renamed, and what was there before survives a failure.

    Args:
        path: the file; its suffix is .png, .jpg, .jpeg or .webp, in any case.
        image: (H, W, 3) uint8 RGB.

    Raises:
        ImageError: another suffix, a side longer than the format allows (JPEG 65500, WebP 16383),
            or the file system refuses.
        InvalidArgument: not an 8-bit RGB picture.
    """
    check_uint8(image)
    height, width = image.shape[:2]
    image_format = check_writable_format(path, (height, width))
    name = os.fspath(path)
    encoded = io.BytesIO()
    try:
        Image.fromarray(image).save(encoded, image_format, **SAVE_OPTIONS[image_format])
        write_atomically(name, encoded.getbuffer())
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        raise ImageError(
            f"{name}: cannot be written: {_reason(error)}; its folder must exist and be writable"
        ) from error
    except (OSError, ValueError) as error:
        raise ImageError(f"{name}: cannot be written: {_reason(error)}") from error


def check_writable_format(path: str | os.PathLike[str], size: tuple[int, int] | None = None) -> str:
    """Tell whether `write` will know the format, before any work is spent on the picture.

    Args:
        path: the file to be written. Nothing is created, nor need its folder exist.
        size: (H, W) of the picture, or None when it is not known yet. Defaults to None.

    Returns:
        Pillow's name of the format: `"PNG"`, `"JPEG"` or `"WEBP"`.

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
    limit = MAX_SIDE[image_format]
    if size is not None and max(size) > limit:
        raise ImageError(
            f"{name}: a picture of {size[1]}x{size[0]} does not fit in {image_format}, whose "
            f"longest side is {limit} pixels; use .png"
        )
    return image_format


def list_images(folder: str | os.PathLike[str]) -> list[Path]:
    """List the pictures of a folder, by suffix, in the order of their names.

    Subfolders are not entered; hidden files are left out (archives made on a Mac bring a
    `._name.png` for each `name.png`, which is no picture).

    Args:
        folder: the folder.

    Returns:
        Paths, at least one.

    Raises:
        ImageError: the folder cannot be read or holds no picture.
    """
    name = os.fspath(folder)
    try:
        paths = [
            path
            for path in Path(name).iterdir()
            if path.suffix.lower() in SUFFIXES
            and not path.name.startswith(".")
            and not path.is_dir()
        ]
    except (OSError, ValueError) as error:
        raise ImageError(f"{name}: cannot be listed: {_reason(error)}") from error
    if not paths:
        raise ImageError(f"{name}: no picture in it; it must hold {', '.join(SUFFIXES)} files")
    return sorted(paths, key=lambda path: path.name)


def _decode(file: io.BufferedReader, name: str) -> np.ndarray:
    try:
        # Pillow warns at half its limit and raises at the limit: the error is the guard, and a
        # large picture in between is nothing a user did wrong.
        with _WARNINGS_LOCK, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(file, formats=FORMATS)
        with picture:
            picture.load()
            return np.array(_to_rgb(picture))
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name}: its content is not a PNG, JPEG or WebP picture, or its header is damaged"
        ) from error
    except Image.DecompressionBombError as error:
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        raise ImageError(
            f"{name}: more than {limit} pixels; reduce or cut it with another program first"
        ) from error
    except MemoryError as error:
        raise ImageError(f"{name}: decoding needs more memory than there is") from error
    # Damaged bytes make Pillow raise OSError and SyntaxError by design, and struct.error,
    # EOFError, IndexError and others by accident. All of them mean the same to the user.
    except Exception as error:
        raise ImageError(f"{name}: damaged or cut short: {_reason(error)}") from error


def _to_rgb(picture: Image.Image) -> Image.Image:
    """Upright 8-bit RGB. What is transparent shows its own colour, and profiles are not applied."""
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I;16"):
        # Pillow would clip 16-bit grey at 255: white, nearly everywhere.
        levels = np.asarray(upright, np.float64) * (255 / 65535)
        upright = Image.fromarray(np.round(levels).astype(np.uint8))
    return upright.convert("RGB")


def write_atomically(name: str, content: bytes | memoryview) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    # The temporary name is short whatever the picture's is, as names are limited to 255 bytes. It
    # is not made by `tempfile`, which would leave the file readable by its owner only.
    temporary = Path(name).parent / f".tfsr-{secrets.token_hex(8)}.tmp"
    file = open(temporary, "xb")
    try:
        with file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, name)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _reason(error: Exception) -> str:
    # str() of an OSError repeats the path, or names the temporary file; strerror does neither.
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(reason.split()) or type(error).__name__
