"""Image files: identified by content, decoded to the end, written completely or not at all."""

from __future__ import annotations

import os
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from tfsr.errors import ImageError
from tfsr.images.atomic import write_atomically
from tfsr.images.decoded_image import DecodedImage
from tfsr.images.decoding import DAMAGED, SMALL, decode, image_errors
from tfsr.images.encoding import encode
from tfsr.images.exif import orientation_of, upright_size
from tfsr.images.formats import (
    FORMATS,
    LISTED,
    LISTED_SUFFIXES,
    OTHER_IMAGES,
    SUFFIXES,
    check_writable_format,
)
from tfsr.images.limits import BoundedFile, check_file, count_images
from tfsr.images.pixel_types import check_rgb
from tfsr.images.png_chunks import SIGNATURE, readable_png
from tfsr.images.signalling import signalled_by_avif
from tfsr.images.tiff import UnopenedTiff, is_tiff
from tfsr.interruptible import interruptible

# `warnings.catch_warnings` swaps a global: two threads inside it can leave it swapped for good.
_WARNINGS_LOCK = threading.Lock()


@dataclass(frozen=True)
class Header:
    """(H, W) of the upright image and the number of images, known before decoding."""

    size: tuple[int, int]
    frames: int


def read(path: str | os.PathLike[str]) -> np.ndarray:
    """Read an image as 8-bit RGB, as for training and metrics.

    As `read_image`; then alpha is dropped, 16 bits become 8 and grey becomes RGB. ICC profiles
    are not applied. Returns (H, W, 3) uint8.

    Example:
        >>> tfsr.images.read("face.png").shape
        (48, 48, 3)
    """
    return read_image(path).in_8_bits().rgb


def read_image(path: str | os.PathLike[str]) -> DecodedImage:
    """Read an image file with its depth, alpha, profile and EXIF, upright.

    The content decides the format, not the suffix. The file is decoded to its last row, so one that
    was cut short is an error. Of an animation, the first frame is read.

    Raises:
        ImageError: no readable file, an unknown format, damage, or more than Pillow's limit against
            decompression bombs (178,956,970 pixels).

    Example:
        >>> image = tfsr.images.read_image("photo.jpg")
        >>> image.size, image.depth
        ((80, 96), 8)
    """
    with opened(path) as image:
        return decode(image, os.fspath(path))


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read an image's size without decoding its pixels; errors as of `read_image`."""
    with opened(path) as image:
        return header_of(image)


def header_of(image: Image.Image) -> Header:
    """The header of a file as Pillow opened it."""
    # Pillow reports the size of a TIFF file after turning.
    orientation = 1 if image.format == "TIFF" else orientation_of(image)
    # The other images of a camera's MPO are previews of the first.
    frames = 1 if image.format == "MPO" else count_images(image)
    return Header(upright_size(*image.size, orientation), frames)


def write(path: str | os.PathLike[str], image: np.ndarray) -> None:
    """Write an (H, W, 3) uint8 image; otherwise as `write_image`.

    Example:
        >>> tfsr.images.write("grey.png", np.full((4, 4, 3), 128, np.uint8))
    """
    check_rgb(image, np.uint8)
    write_image(path, DecodedImage(image))


class OutputExists(ImageError):
    """A file that may not be replaced has the name of an output."""


def write_image(
    path: str | os.PathLike[str],
    image: DecodedImage,
    quality: int | None = None,
    overwrite: bool = True,
) -> tuple[str, ...]:
    """Write an image in the format of the path's suffix.

    PNG, TIFF and BMP are lossless; JPEG, WebP and AVIF have high quality, and no chroma subsampling
    where the format allows it. The same image gives the same bytes. A failure leaves the previous
    file as it was.

    Args:
        path: the file; .png, .jpg, .jpeg, .webp, .tif, .tiff, .bmp or .avif, in any case.
        image: the image.
        quality: int. 1 to 100, for lossy formats. Defaults to 95, of AVIF 90.
        overwrite: bool. Whether a file is replaced that exists when the new one is complete.
            Defaults to True.

    Returns:
        Notes on what the format cannot store.

    Raises:
        ImageError: an unknown suffix, a side too long for the format, a failed write, or a file
            that may not be replaced.

    Example:
        >>> image = tfsr.images.DecodedImage(np.zeros((4, 4, 3), np.uint16))
        >>> tfsr.images.write_image("black.jpg", image)
        ('JPEG stores 8 of its 16 bits',)
    """
    content, notes = encode_image(path, image, quality)
    write_file(path, content, overwrite)
    return notes


def encode_image(
    path: str | os.PathLike[str], image: DecodedImage, quality: int | None = None
) -> tuple[bytes | memoryview, tuple[str, ...]]:
    """Return the bytes that `write_image` writes, and its notes; errors as of `write_image`."""
    image_format = FORMATS[check_writable_format(path, image.size)]
    with writing(path):
        if image.size[0] * image.size[1] < SMALL:
            return encode(image, image_format, quality)
        return interruptible(encode, image, image_format, quality)


def write_file(
    path: str | os.PathLike[str], content: bytes | memoryview, overwrite: bool = True
) -> None:
    """Write an encoded file completely or not at all.

    Raises:
        OutputExists: one exists that may not be replaced.
        ImageError: it cannot be written.
    """
    with writing(path):
        try:
            write_atomically(os.fspath(path), content, replace=overwrite)
        except FileExistsError as error:
            raise OutputExists(
                f"{os.fspath(path)}: exists since this began; it is unchanged"
            ) from error


def list_images(
    folder: str | os.PathLike[str],
    recursive: bool = False,
    on_error: Callable[[Path, ImageError], None] | None = None,
    on_skipped: Callable[[Path], None] | None = None,
) -> list[Path]:
    """List the images of a folder by suffix, in the order of their names.

    Hidden files and folders are skipped: archives made on a Mac have a `._name.png`, which is no
    image, beside each `name.png`.

    Args:
        folder: the folder.
        recursive: bool. Whether subfolders are listed too, except links. Defaults to False.
        on_skipped: called with each image of a format that is not read, such as HEIC.
        on_error: called with each subfolder that cannot be read; by default the error is raised.

    Raises:
        ImageError: the folder cannot be read or contains no image.

    Example:
        >>> [path.name for path in tfsr.images.list_images("faces")]
        ['0.png', '1.png', '2.png', '3.png']
    """
    top = os.fspath(folder)
    failed: list[str] = []

    def report(error: OSError) -> None:
        failure = ImageError(f"{error.filename}: cannot be listed: {error.strerror}")
        if on_error is None or error.filename == top:
            raise failure from error
        failed.append(error.filename)
        on_error(Path(error.filename), failure)

    images: list[Path] = []
    with image_errors(top, "cannot be listed"):  # a null character in the path
        for inner, folders, names in os.walk(top, onerror=report):
            folders[:] = sorted(name for name in folders if recursive and name[0] != ".")
            paths = [Path(inner, name) for name in sorted(names) if name[0] != "."]
            images += [path for path in paths if path.suffix.lower() in SUFFIXES]
            if on_skipped is not None:
                for path in paths:
                    if path.suffix.lower() in OTHER_IMAGES:
                        on_skipped(path)
    if not images and not failed:
        raise ImageError(
            f"{top}: no image in it; it must contain {', '.join(LISTED_SUFFIXES)} files"
        )
    return images


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Image.Image]:
    """Open a file by Pillow; any failure, also in the body, is an ImageError."""
    name = os.fspath(path)
    with image_errors(name, "cannot be read"):
        # Checked before opening: opening a named pipe would wait for its writer for ever.
        status = os.stat(name)
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise ImageError(f"{name}: it is {kind}; give one image file")
        if status.st_size == 0:
            raise ImageError(f"{name}: the file is empty; give a {LISTED} image")
        file = BoundedFile(name)
    with file, image_errors(name, DAMAGED):
        check_file(file)
        # Pillow warns at half its limit, and raises at the limit, which is the guard.
        content, info = _readable(file)
        with _WARNINGS_LOCK, warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image: Image.Image
            try:
                image = Image.open(content, formats=tuple(FORMATS))
            except UnidentifiedImageError:
                file.seek(0)
                if not is_tiff(file.read(4)):
                    raise
                image = UnopenedTiff(name)
        image.info.update(info)
        with image:
            yield image


def _readable(file: BinaryIO) -> tuple[BinaryIO, dict[str, Any]]:
    """The file as Pillow can read it, and what Pillow does not read."""
    head = file.read(12)
    file.seek(0)
    if head.startswith(SIGNATURE):
        return readable_png(file)
    return file, signalled_by_avif(file) if head[4:8] == b"ftyp" else {}


def writing(path: str | os.PathLike[str]) -> AbstractContextManager[None]:
    """Turn whatever goes wrong while a file is encoded and written into an ImageError."""
    return image_errors(path, "cannot be written")
