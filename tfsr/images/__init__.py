"""Image files, conversion between 8 bits and floats, and resizing."""

from tfsr.images.decoded_image import DecodedImage
from tfsr.images.files import list_images, read, read_image, write, write_image
from tfsr.images.formats import check_writable_format
from tfsr.images.pixel_types import to_float, to_uint8
from tfsr.images.resizing import resize

__all__ = [
    "DecodedImage",
    "check_writable_format",
    "list_images",
    "read",
    "read_image",
    "resize",
    "to_float",
    "to_uint8",
    "write",
    "write_image",
]
