"""Pictures in and out: files, 8-bit and float pixels, resizing, degradations."""

from tfsr.images.files import check_writable_format, list_images, read, write
from tfsr.images.pixels import to_float, to_uint8
from tfsr.images.resizing import resize

__all__ = [
    "check_writable_format",
    "list_images",
    "read",
    "resize",
    "to_float",
    "to_uint8",
    "write",
]
