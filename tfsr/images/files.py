"""Image files in and out: found by content, decoded to the end, written whole or not at all."""

from __future__ import annotations

import os
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from tfsr.errors import ImageError, TfsrError
from tfsr.images.atomic import write_atomically
from tfsr.images.decoded_image import DecodedImage
from tfsr.images.decoding import decode
from tfsr.images.encoding import encode
from tfsr.images.exif import is_turned, orientation_of
from tfsr.images.formats import FORMATS, LISTED, SUFFIXES, check_writable_format
from tfsr.images.pixels import check_uint8

# `warnings.catch_warnings` swaps a global: two threads inside it can leave it swapped for good.
_WARNINGS_LOCK = threading.Lock()


@dataclass(frozen=True)
class Header:
    """What a file says before its pixels are decoded.

    Attributes:
        size: (H, W) of the upright image.
        frames: how many images it holds.
    """

    size: tuple[int, int]
    frames: int


def read(path: str | os.PathLike[str]) -> np.ndarray:
    """Read an image as 8-bit RGB: what models are trained on and measured with.

    As `read_image`; then alpha is dropped, 16 bits become 8 and grey becomes RGB. ICC profiles
    are not applied.

    Args:
        path: the file.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ImageError: as `read_image`.
    """
    return read_image(path).in_8_bits().rgb


def read_image(path: str | os.PathLike[str]) -> DecodedImage:
    """Read an image file, whatever its suffix says, with its depth, alpha, profile and EXIF.

    The file is decoded to its last row, so one that was cut short is an error and not a half-grey
    image. Of an animation, the first frame is read. Images are turned upright as their EXIF
    orientation says.

    Args:
        path: the file.

    Raises:
        ImageError: no readable file there, not one of the formats, damaged, or larger than Pillow's
            limit against decompression bombs (178,956,970 pixels).
    """
    with opened(path) as image:
        return decode(image, os.fspath(path))


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read how large an image is, and leave its pixels where they are.

    Raises:
        ImageError: as `read_image`, but for damage further on.
    """
    with opened(path) as image:
        width, height = image.size
        # Pillow tells the size of a TIFF file as it will be after turning.
        if image.format != "TIFF" and is_turned(orientation_of(image)):
            width, height = height, width
        # The other images of a camera's MPO are previews of the first.
        frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
        return Header((height, width), frames)


def write(path: str | os.PathLike[str], image: np.ndarray) -> None:
    """Write an 8-bit RGB image, in the format its suffix names; see `write_image`.

    Args:
        path: the file; its suffix is one of `SUFFIXES`, in any case.
        image: (H, W, 3) uint8 RGB.

    Raises:
        ImageError: as `write_image`.
        InvalidArgument: not an 8-bit RGB image.
    """
    check_uint8(image)
    write_image(path, DecodedImage(image))


def write_image(
    path: str | os.PathLike[str], image: DecodedImage, quality: int | None = None
) -> tuple[str, ...]:
    """Write an image, in the format its suffix names.

    PNG, TIFF and BMP are lossless; JPEG, WebP and AVIF are of high quality, with all of the colour
    where the format allows it. The same image gives the same bytes. The file appears complete or
    not at all: it is written under a temporary name in the same folder and renamed, and what was
    there before survives a failure.

    Args:
        path: the file; its suffix is one of `SUFFIXES`, in any case.
        image: what to write.
        quality: int. 1 to 100, for the formats that lose something. Defaults to the format's own.

    Returns:
        What the format could not hold, a few words each.

    Raises:
        ImageError: another suffix, a side longer than the format allows, or the file system
            refuses.
    """
    image_format = FORMATS[check_writable_format(path, image.size)]
    with writing(path):
        content, lost = encode(image, image_format, quality)
        write_atomically(os.fspath(path), content)
    return lost


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Tell what goes wrong while a file is encoded and written.

    Raises:
        ImageError: with the file's name and the reason.
    """
    name = os.fspath(path)
    try:
        yield
    except (FileNotFoundError, FileExistsError, NotADirectoryError, PermissionError) as error:
        raise ImageError(
            f"{name}: cannot be written: {_reason(error)}; its folder must exist and be writable"
        ) from error
    except (TfsrError, MemoryError):
        raise
    # Encoders raise OSError and ValueError by design, others over metadata that they cannot place.
    except Exception as error:
        raise ImageError(f"{name}: cannot be written: {_reason(error)}") from error


def list_images(
    folder: str | os.PathLike[str],
    recursive: bool = False,
    fail: Callable[[Path, ImageError], None] | None = None,
) -> list[Path]:
    """List the images of a folder, by suffix, in the order of their names.

    Hidden files and folders are left out (archives made on a Mac bring a `._name.png` for each
    `name.png`, which is no image).

    Args:
        folder: the folder.
        recursive: bool. Whether its folders are entered, those that links lead to excepted: they
            may lead in circles. Defaults to False.
        fail: what is told of a folder in the folder that cannot be read, and the error; the rest is
            listed. Defaults to raising it.

    Returns:
        Paths, at least one.

    Raises:
        ImageError: the folder cannot be read or holds no image.
    """
    failed: list[Path] = []

    def tell(inner: Path, error: ImageError) -> None:
        if fail is None:
            raise error
        failed.append(inner)
        fail(inner, error)

    paths = _listed(Path(folder), recursive, tell)
    if not paths and not failed:
        raise ImageError(
            f"{os.fspath(folder)}: no image in it; it must hold {', '.join(SUFFIXES)} files"
        )
    return paths


def _listed(folder: Path, recursive: bool, fail: Callable[[Path, ImageError], None]) -> list[Path]:
    """The images of a folder, then those of its folders."""
    images: list[Path] = []
    folders: list[Path] = []
    try:
        entries = sorted(folder.iterdir(), key=lambda path: path.name)
    except (OSError, ValueError) as error:
        raise ImageError(f"{folder}: cannot be listed: {_reason(error)}") from error
    for path in entries:
        if path.name.startswith("."):
            continue
        if os.path.isdir(path):
            if recursive and not path.is_symlink():
                folders.append(path)
        elif path.suffix.lower() in SUFFIXES:
            images.append(path)
    for inner in folders:
        try:
            images += _listed(inner, recursive, fail)
        except ImageError as error:
            fail(inner, error)
    return images


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Image.Image]:
    """A file as Pillow opens it, and one error for all that may be wrong with it."""
    name = os.fspath(path)
    try:
        # Looked at before it is opened: opening a named pipe would wait for its writer for ever.
        status = os.stat(name)
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(f"{name}: it is a folder; give one image file")
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{name}: it is not a regular file; give an image file")
        if status.st_size == 0:
            raise ImageError(f"{name}: the file is empty; give a {LISTED} image")
        file = open(name, "rb")
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise ImageError(f"{name}: cannot be read: {_reason(error)}") from error
    with file, reading(name):
        # Pillow warns at half its limit and raises at the limit: the error is the guard, and a
        # large image in between is nothing a user did wrong.
        with _WARNINGS_LOCK, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(file, formats=tuple(FORMATS))
        with image:
            yield image


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Tell what goes wrong while Pillow opens and decodes an image.

    Raises:
        ImageError: with the image's name and the reason.
    """
    try:
        yield
    except TfsrError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name}: its content is not a {LISTED} image that can be read, or its header is "
            "damaged"
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


def _reason(error: Exception) -> str:
    # str() of an OSError repeats the path, or names the temporary file; strerror does neither.
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(reason.split())[:200] or type(error).__name__
