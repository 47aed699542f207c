"""Pictures in and out: files, 8-bit and float pixels, resizing."""

from tfsr.images.files import list_images, read, read_picture, write, write_picture
from tfsr.images.formats import check_writable_format
from tfsr.images.picture import Picture
from tfsr.images.pixels import to_float, to_uint8
from tfsr.images.resizing import resize

__all__ = [
    "Picture",
    "check_writable_format",
    "list_images",
    "read",
    "read_picture",
    "resize",
    "to_float",
    "to_uint8",
    "write",
    "write_picture",
]
