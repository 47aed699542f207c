"""Files of several images: animations, and the pages of a TIFF file."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass

from PIL import Image

from tfsr.errors import ImageError
from tfsr.images.decoded_image import DecodedImage
from tfsr.images.decoding import decode
from tfsr.images.encoding import as_pillow, fit_to_format, save_options
from tfsr.images.files import encode_image, opened, writing
from tfsr.images.formats import FORMATS, check_writable_format
from tfsr.images.limits import count_images


@dataclass(frozen=True)
class Frames:
    """Images of one size in a sequence, at least one.

    With `has_cover`, the first is shown where animations are not, and is no part of this one.
    """

    images: tuple[DecodedImage, ...]
    durations: tuple[float, ...]  # in milliseconds; 0 where unknown
    loop: int = 0  # repetitions; 0 is endless
    has_cover: bool = False


def read_frames(path: str | os.PathLike[str]) -> Frames:
    """Read every image of a file; an ImageError as of `read_image`, or if they differ in size."""
    with opened(path) as file:
        return decode_frames(file, os.fspath(path))


def decode_frames(file: Image.Image, name: str) -> Frames:
    """Decode every image of a file as Pillow opened it; errors as of `read_frames`."""
    images, durations = [], []
    loop = int(file.info.get("loop", 0))
    for frame in range(count_images(file)):
        images.append(decode(file, name, frame))
        durations.append(float(file.info.get("duration", 0)))
    if len({image.size for image in images}) > 1:
        raise ImageError(f"{name}: its images have several sizes; save each to its own file")
    return Frames(tuple(images), tuple(durations), loop, _has_cover(file))


def _has_cover(file: Image.Image) -> bool:
    return file.format == "PNG" and bool(file.info.get("default_image"))


def check_holds_frames(path: str | os.PathLike[str]) -> None:
    """Raise an ImageError unless a path's format can store several images."""
    if not FORMATS[check_writable_format(path)].frames:
        able = ", ".join(entry.name for entry in FORMATS.values() if entry.frames)
        raise ImageError(f"{os.fspath(path)}: this format holds one image; use one of {able}")


def encode_frames(
    path: str | os.PathLike[str], frames: Frames, quality: int | None = None
) -> tuple[bytes | memoryview, tuple[str, ...]]:
    """Encode one image or several for one file; arguments and errors as of `write_image`.

    Returns:
        The file's bytes, and notes on what its format cannot store.
    """
    if len(frames.images) == 1:
        return encode_image(path, frames.images[0], quality)
    check_holds_frames(path)
    image_format = FORMATS[check_writable_format(path, frames.images[0].size)]
    images, durations = frames.images, frames.durations
    dropped: tuple[str, ...] = ()
    if frames.has_cover:
        durations = durations[1:]
        if image_format.name != "PNG":
            images, dropped = images[1:], ("its cover, no part of the animation, was dropped",)
    # Pillow has 16 bits for grey alone, and not for the differences between animation frames.
    deep_grey = all(image.depth == 16 and image.pixels.shape[2] == 1 for image in images)
    if image_format.name != "TIFF" or not deep_grey:
        note = "several images are stored with 8 of their 16 bits"
        images = tuple(image.in_8_bits(note) for image in images)
    fitted = [fit_to_format(image, image_format) for image in images]
    options = save_options(fitted[0], image_format, quality)
    if image_format.name != "TIFF":
        options.update(duration=[round(time) for time in durations], loop=frames.loop)
    if image_format.name == "PNG":
        options.update(default_image=frames.has_cover)
    encoded = io.BytesIO()
    with writing(path):
        first, *others = _with_same_mode([as_pillow(image) for image in fitted])
        first.save(encoded, image_format.name, save_all=True, append_images=others, **options)
    sources = frames.images[-len(fitted) :]
    pairs = zip(sources, fitted, strict=True)
    notes = [note for before, after in pairs for note in after.notes[len(before.notes) :]]
    return encoded.getbuffer(), tuple(dict.fromkeys([*dropped, *notes]))


def _with_same_mode(images: list[Image.Image]) -> list[Image.Image]:
    modes = {image.mode for image in images}
    if len(modes) == 1:
        return images
    mode = "RGB" if any(mode.startswith("RGB") for mode in modes) else "L"
    if any(mode.endswith("A") for mode in modes):
        mode += "A"
    return [image.convert(mode) for image in images]
