"""Files that hold several images: animations, and the pages of a TIFF file."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass

import numpy as np

from tfsr.errors import ImageError
from tfsr.images.atomic import write_atomically
from tfsr.images.decoded_image import DecodedImage
from tfsr.images.decoding import decode
from tfsr.images.encoding import fit_for, for_pillow, save_options
from tfsr.images.files import opened, writing
from tfsr.images.formats import FORMATS, check_writable_format


@dataclass(frozen=True)
class Frames:
    """Images of one size, one after the other.

    Attributes:
        images: at least one.
        durations: milliseconds that each is shown; 0 where nothing is said.
        loop: how often the whole is shown; 0 is for ever.
    """

    images: tuple[DecodedImage, ...]
    durations: tuple[float, ...]
    loop: int = 0


def read_frames(path: str | os.PathLike[str]) -> Frames:
    """Read every image of a file.

    Raises:
        ImageError: as `tfsr.images.files.read_image`; or they have several sizes.
    """
    name = os.fspath(path)
    images, durations = [], []
    with opened(path) as file:
        loop = int(file.info.get("loop", 0))
        for frame in range(getattr(file, "n_frames", 1)):
            images.append(decode(file, name, frame))
            durations.append(float(file.info.get("duration", 0)))
    if len({image.size for image in images}) > 1:
        raise ImageError(f"{name}: its images have several sizes; save each to its own file")
    return Frames(tuple(images), tuple(durations), loop)


def check_holds_frames(path: str | os.PathLike[str]) -> None:
    """Raise unless a file's format holds several images.

    Raises:
        ImageError: if it does not.
    """
    if not FORMATS[check_writable_format(path)].frames:
        able = ", ".join(entry.name for entry in FORMATS.values() if entry.frames)
        raise ImageError(f"{os.fspath(path)}: this format holds one image; those are {able}")


def write_frames(
    path: str | os.PathLike[str], frames: Frames, quality: int | None = None
) -> tuple[str, ...]:
    """Write several images into one file, as `tfsr.images.files.write_image` writes one.

    Raises:
        ImageError: as there, or the format holds one image only.
    """
    check_holds_frames(path)
    image_format = FORMATS[check_writable_format(path, frames.images[0].size)]
    images = frames.images
    # Pillow holds 16 bits of grey alone, and takes the differences of animations for 8 bits.
    if image_format.name != "TIFF" or not all(_is_deep_grey(image) for image in images):
        note = "several images are written with 8 of their 16 bits"
        images = tuple(image.in_8_bits(note) for image in images)
    fitting = [fit_for(image, image_format) for image in images]
    options = save_options(fitting[0], image_format, quality)
    if image_format.name != "TIFF":
        options.update(duration=[round(time) for time in frames.durations], loop=frames.loop)
    encoded = io.BytesIO()
    with writing(path):
        first, *others = [for_pillow(image) for image in _of_one_kind(fitting)]
        first.save(encoded, image_format.name, save_all=True, append_images=others, **options)
        write_atomically(os.fspath(path), encoded.getbuffer())
    lost = [
        note
        for before, after in zip(frames.images, fitting, strict=True)
        for note in after.notes[len(before.notes) :]
    ]
    return tuple(dict.fromkeys(lost))


def _is_deep_grey(image: DecodedImage) -> bool:
    return image.depth == 16 and image.pixels.shape[2] == 1


def _of_one_kind(images: list[DecodedImage]) -> list[DecodedImage]:
    """The same images with the same channels."""
    grey = all(image.is_grey for image in images)
    transparent = any(image.alpha is not None for image in images)
    return [image.changed(pixels=_channels(image, grey, transparent)) for image in images]


def _channels(image: DecodedImage, grey: bool, transparent: bool) -> np.ndarray:
    colours = image.rgb[..., :1] if grey else image.rgb
    if not transparent:
        return np.ascontiguousarray(colours)
    alpha = image.alpha
    if alpha is None:
        alpha = np.full(image.size, np.iinfo(image.pixels.dtype).max, image.pixels.dtype)
    return np.concatenate([colours, alpha[..., None]], axis=-1)
