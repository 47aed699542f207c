"""Files of 16 bits a channel, which Pillow supports for grey alone."""

from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import putchunk

from tfsr.images.bounded_decoding import essential_png
from tfsr.images.decoded_image import DecodedImage
from tfsr.images.exif import resolution_of
from tfsr.images.metadata import IPTC_NAA, XML_PACKET, pixels_per_metre, png_info

_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262
_WHITE_IS_ZERO = 0


def is_16_bit(image: Image.Image) -> bool:
    """Whether a file has 16 bits a channel that Pillow would cut to 8; ask before loading."""
    if image.mode.startswith("I"):
        return False
    if image.format == "TIFF":
        return 16 in (getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE) or ())
    return any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))


def grey_levels(image: Image.Image) -> np.ndarray:
    """(H, W, 1) uint16 of Pillow's 16-bit grey, with the scale and polarity of TIFF applied."""
    levels = np.asarray(image).astype(np.uint32)
    tags = getattr(image, "tag_v2", {})
    if tags.get(_BITS_PER_SAMPLE) == (12,):
        levels = (levels * 65535 + 2047) // 4095
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        levels = 65535 - levels
    return levels.astype(np.uint16)[..., None]


def add_keyed_alpha(pixels: np.ndarray, key: Any) -> np.ndarray:
    """Add the alpha of a 16-bit PNG file that declares one level or colour transparent."""
    channels = pixels.shape[2]
    hidden = (key,) if isinstance(key, int) else key
    if not isinstance(hidden, tuple) or len(hidden) != channels or channels not in (1, 3):
        return pixels
    alpha = np.where((pixels == np.array(hidden)).all(axis=-1, keepdims=True), 0, 65535)
    return np.concatenate([pixels, alpha.astype(np.uint16)], axis=-1)


def read_16_bit(image: Image.Image, name: str) -> np.ndarray | None:
    """(H, W, channels) uint16 of the first image of a file; None if only Pillow can read it."""
    if image.format == "PNG":
        import tensorflow as tf

        with open(name, "rb") as file, tf.device("CPU"):
            content = essential_png(file, image.height, 8 * image.width)
            return tf.io.decode_png(content, dtype=tf.uint16).numpy()
    return None


def encode_png(image: DecodedImage) -> bytes:
    """Encode a 16-bit image as PNG, with its profile and EXIF."""
    import tensorflow as tf

    with tf.device("CPU"):
        encoded = tf.io.encode_png(image.pixels).numpy()
    header = 8 + 25  # the signature and the IHDR chunk, which comes first
    file = io.BytesIO()
    file.write(encoded[:header])
    if image.profile:
        putchunk(file, b"iCCP", b"ICC Profile\0\0" + zlib.compress(image.profile))
    if image.exif:
        putchunk(file, b"eXIf", image.exif.removeprefix(b"Exif\0\0"))
    if resolution := pixels_per_metre(image.metadata):
        putchunk(file, b"pHYs", resolution)
    for kind, content, *_ in png_info(image.metadata).chunks:
        putchunk(file, kind, content)
    file.write(encoded[header:])
    return file.getvalue()


def encode_tiff(image: DecodedImage) -> bytes:
    """Encode a 16-bit image as TIFF, with its profile and resolution."""
    import tifffile

    across, down, unit = resolution_of(image.exif or b"") or (1, 1, 1)
    if image.metadata.dpi is not None:
        across, down, unit = *image.metadata.dpi, 2
    stored = {XML_PACKET: (1, image.metadata.xmp), IPTC_NAA: (7, image.metadata.iptc)}

    encoded = io.BytesIO()
    tifffile.imwrite(
        *(encoded, image.pixels),
        photometric="minisblack" if image.is_grey else "rgb",
        planarconfig="contig",
        extrasamples=["unassalpha"] if image.alpha is not None else None,
        compression="zlib",
        predictor=True,
        iccprofile=image.profile,
        resolution=(across, down),
        resolutionunit=unit,
        extratags=[
            (tag, kind, len(content), content, True)
            for tag, (kind, content) in stored.items()
            if content is not None
        ],
        metadata=None,
        software=False,
    )
    return encoded.getvalue()
