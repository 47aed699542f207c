"""Files that hold several pictures: animations, and the pages of a TIFF file."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass

import numpy as np

from tfsr.errors import ImageError
from tfsr.images.decoding import decode
from tfsr.images.encoding import fit_for, for_pillow, save_options
from tfsr.images.files import opened, writing
from tfsr.images.formats import FORMATS, check_writable_format
from tfsr.images.picture import Picture
from tfsr.images.temporary import write_atomically


@dataclass(frozen=True)
class Frames:
    """Pictures of one size, one after the other.

    Attributes:
        pictures: at least one.
        durations: milliseconds that each is shown; 0 where nothing is said.
        loop: how often the whole is shown; 0 is for ever.
    """

    pictures: tuple[Picture, ...]
    durations: tuple[float, ...]
    loop: int = 0


def read_frames(path: str | os.PathLike[str]) -> Frames:
    """Read every picture of a file.

    Raises:
        ImageError: as `tfsr.images.files.read_picture`; or they have several sizes.
    """
    name = os.fspath(path)
    pictures, durations = [], []
    with opened(path) as file:
        loop = int(file.info.get("loop", 0))
        for frame in range(getattr(file, "n_frames", 1)):
            pictures.append(decode(file, name, frame))
            durations.append(float(file.info.get("duration", 0)))
    if len({picture.size for picture in pictures}) > 1:
        raise ImageError(f"{name}: its pictures have several sizes; save each to its own file")
    return Frames(tuple(pictures), tuple(durations), loop)


def check_holds_frames(path: str | os.PathLike[str]) -> None:
    """Raise unless a file's format holds several pictures.

    Raises:
        ImageError: if it does not.
    """
    if not FORMATS[check_writable_format(path)].frames:
        able = ", ".join(entry.name for entry in FORMATS.values() if entry.frames)
        raise ImageError(f"{os.fspath(path)}: this format holds one picture; those are {able}")


def write_frames(
    path: str | os.PathLike[str], frames: Frames, quality: int | None = None
) -> tuple[str, ...]:
    """Write several pictures into one file, as `tfsr.images.files.write_picture` writes one.

    Raises:
        ImageError: as there, or the format holds one picture only.
    """
    check_holds_frames(path)
    image_format = FORMATS[check_writable_format(path, frames.pictures[0].size)]
    pictures = frames.pictures
    # Pillow holds 16 bits of grey alone, and takes the differences of animations for 8 bits.
    if image_format.name != "TIFF" or not all(_is_deep_grey(picture) for picture in pictures):
        note = "several pictures are written with 8 of their 16 bits"
        pictures = tuple(picture.in_8_bits(note) for picture in pictures)
    fitting = [fit_for(picture, image_format) for picture in pictures]
    options = save_options(fitting[0], image_format, quality)
    if image_format.name != "TIFF":
        options.update(duration=[round(time) for time in frames.durations], loop=frames.loop)
    encoded = io.BytesIO()
    with writing(path):
        first, *others = [for_pillow(picture) for picture in _of_one_kind(fitting)]
        first.save(encoded, image_format.name, save_all=True, append_images=others, **options)
        write_atomically(os.fspath(path), encoded.getbuffer())
    lost = [
        note
        for before, after in zip(frames.pictures, fitting, strict=True)
        for note in after.notes[len(before.notes) :]
    ]
    return tuple(dict.fromkeys(lost))


def _is_deep_grey(picture: Picture) -> bool:
    return picture.depth == 16 and picture.pixels.shape[2] == 1


def _of_one_kind(pictures: list[Picture]) -> list[Picture]:
    """The same pictures with the same channels."""
    grey = all(picture.is_grey for picture in pictures)
    transparent = any(picture.alpha is not None for picture in pictures)
    return [picture.changed(pixels=_channels(picture, grey, transparent)) for picture in pictures]


def _channels(picture: Picture, grey: bool, transparent: bool) -> np.ndarray:
    colours = picture.rgb[..., :1] if grey else picture.rgb
    if not transparent:
        return np.ascontiguousarray(colours)
    alpha = picture.alpha
    if alpha is None:
        alpha = np.full(picture.size, np.iinfo(picture.pixels.dtype).max, picture.pixels.dtype)
    return np.concatenate([colours, alpha[..., None]], axis=-1)
