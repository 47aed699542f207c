"""16 bits a channel in colour, which Pillow would cut to 8 without a word."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from tfsr.errors import ImageError
from tfsr.images.decoded_image import DecodedImage

_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262
_WHITE_IS_ZERO = 0


def is_deep(opened: Image.Image) -> bool:
    """Whether an opened file holds 16 bits a channel that its mode does not; before `load`."""
    if opened.mode.startswith("I"):
        return False
    if opened.format == "TIFF":
        return 16 in (getattr(opened, "tag_v2", {}).get(_BITS_PER_SAMPLE) or ())
    return any(";16" in str(tile[3]) for tile in getattr(opened, "tile", ()))


def grey(opened: Image.Image) -> np.ndarray:
    """(H, W, 1) uint16 of what Pillow holds as 16 bits of grey, black being 0.

    Pillow leaves 12 bits of a TIFF file as they are, and 16 bits whose white is 0.
    """
    levels = np.asarray(opened).astype(np.uint32)
    tags = getattr(opened, "tag_v2", {})
    if tags.get(_BITS_PER_SAMPLE) == (12,):
        levels = (levels * 65535 + 2047) // 4095
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        levels = 65535 - levels
    return levels.astype(np.uint16)[..., None]


def with_key(pixels: np.ndarray, key: Any) -> np.ndarray:
    """Pixels with an alpha that hides one colour, as a PNG file may ask.

    Args:
        pixels: (H, W, 1 or 3) uint16.
        key: its level, or its three; anything else changes nothing.
    """
    channels = pixels.shape[2]
    hidden = (key,) if isinstance(key, int) else key
    if not isinstance(hidden, tuple) or len(hidden) != channels or channels not in (1, 3):
        return pixels
    alpha = np.where((pixels == np.array(hidden)).all(axis=-1, keepdims=True), 0, 65535)
    return np.concatenate([pixels, alpha.astype(np.uint16)], axis=-1)


def read(opened: Image.Image, name: str) -> np.ndarray | None:
    """(H, W, channels) uint16 of the first image of a PNG or TIFF file, as stored.

    Returns:
        None where it is compressed in a way that only Pillow can read, or in CMYK.

    Raises:
        Exception: what the decoder raises when the file is damaged.
    """
    if opened.format == "PNG":
        import tensorflow as tf

        with open(name, "rb") as file, tf.device("CPU"):
            return tf.io.decode_png(file.read(), dtype=tf.uint16).numpy()
    if opened.format == "TIFF" and opened.mode in ("RGB", "RGBA"):
        return _read_tiff(name, len(opened.getbands()))
    return None


def _read_tiff(name: str, channels: int) -> np.ndarray | None:
    import tifffile

    with tifffile.TiffFile(name) as file:
        page: Any = file.pages[0]
        in_planes = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
        try:
            pixels = page.asarray()
        except ValueError as error:  # A compression that needs other programs.
            if in_planes:
                # Pillow takes their bytes for those of 8 bits.
                raise ImageError(
                    f"{name}: planes of 16 bits in this compression cannot be read; save it with "
                    "another one, or with 8 bits"
                ) from error
            return None
        if in_planes:
            pixels = np.moveaxis(pixels, 0, -1)
        premultiplied = tifffile.EXTRASAMPLE.ASSOCALPHA in page.extrasamples
    if pixels.ndim != 3 or pixels.dtype != np.uint16 or pixels.shape[2] < channels:
        return None
    pixels = pixels[..., :channels]
    return _straight(pixels) if premultiplied and channels == 4 else pixels


def _straight(pixels: np.ndarray) -> np.ndarray:
    """Colours that were multiplied by alpha, divided by it."""
    alpha = pixels[..., 3:].astype(np.float32)
    colours = pixels[..., :3] * (np.float32(65535) / np.maximum(alpha, 1))
    colours = np.minimum(np.floor(colours + 0.5), 65535).astype(np.uint16)
    return np.concatenate([colours, pixels[..., 3:]], axis=-1)


def encode_png(image: DecodedImage) -> bytes:
    """A PNG file of an image of 16 bits, with its profile and EXIF."""
    import tensorflow as tf

    with tf.device("CPU"):
        encoded = tf.io.encode_png(image.pixels).numpy()
    chunks = b""
    if image.profile:
        chunks += _chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(image.profile))
    if image.exif:
        chunks += _chunk(b"eXIf", image.exif.removeprefix(b"Exif\0\0"))
    header = 8 + 25  # the signature and IHDR, which comes first
    return encoded[:header] + chunks + encoded[header:]


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def encode_tiff(image: DecodedImage) -> bytes:
    """A TIFF file of a colour image of 16 bits, with its profile."""
    import io

    import tifffile

    encoded = io.BytesIO()
    tifffile.imwrite(
        encoded,
        image.pixels,
        photometric="minisblack" if image.is_grey else "rgb",
        planarconfig="contig",
        extrasamples=["unassalpha"] if image.alpha is not None else None,
        compression="zlib",
        predictor=True,
        iccprofile=image.profile,
        metadata=None,
        software=False,
    )
    return encoded.getvalue()
