"""Pillow's images, which people have at hand, to pictures and back."""

from __future__ import annotations

from PIL import Image

from tfsr.images.decoding import decode
from tfsr.images.encoding import for_pillow
from tfsr.images.exif import exif_for_size
from tfsr.images.files import reading
from tfsr.images.picture import Picture


def from_pillow(image: Image.Image, name: str) -> Picture:
    """A picture of what Pillow holds, with its profile and EXIF, upright; the image stays as it is.

    Args:
        image: of any mode of 8 bits or fewer a channel, or of 16 bits of grey. Of an animation, the
            frame that it is at.
        name: what messages call it.

    Raises:
        ImageError: if its pixels are of another kind, or its file is damaged.
    """
    with reading(name):
        # With its frame told, no file is looked at for 16 bits that Pillow does not hold.
        return decode(image, name, image.tell())


def to_pillow(picture: Picture) -> Image.Image:
    """Pillow's image of a picture, with its profile and EXIF.

    Raises:
        InvalidArgument: if it is in colour and has 16 bits a channel, which Pillow cannot hold.
    """
    image = for_pillow(picture)
    if picture.profile:
        image.info["icc_profile"] = picture.profile
    if picture.exif:
        image.info["exif"] = exif_for_size(picture.exif, picture.size)
    return image
