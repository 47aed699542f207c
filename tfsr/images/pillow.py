"""Pillow's images, which people have at hand, to images and back."""

from __future__ import annotations

from PIL import Image

from tfsr.images.decoded_image import DecodedImage
from tfsr.images.decoding import decode
from tfsr.images.encoding import for_pillow
from tfsr.images.exif import exif_for_size
from tfsr.images.files import reading


def from_pillow(image: Image.Image, name: str) -> DecodedImage:
    """An image of what Pillow holds, with its profile and EXIF, upright; the image stays as it is.

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


def to_pillow(pixels: DecodedImage) -> Image.Image:
    """Pillow's image of an image, with its profile and EXIF.

    Raises:
        InvalidArgument: if it is in colour and has 16 bits a channel, which Pillow cannot hold.
    """
    image = for_pillow(pixels)
    if pixels.profile:
        image.info["icc_profile"] = pixels.profile
    if pixels.exif:
        image.info["exif"] = exif_for_size(pixels.exif, pixels.size)
    return image
