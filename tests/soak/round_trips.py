"""Metadata and colours from file to file: formats, depths, chunks and profiles."""

import itertools
import tempfile
import zlib
from pathlib import Path

import numpy as np
import odd_files
from odd_files import ALPHA, DEEP, DEEP_ALPHA, GREY, RGB, RGBA, chunk
from PIL import ExifTags, Image

_KINDS = {
    "grey": GREY,
    "grey-alpha": np.concatenate([GREY, ALPHA], -1),
    "rgb": RGB,
    "rgba": RGBA,
    "grey16": odd_files.DEEP_GREY,
    "grey-alpha16": DEEP_ALPHA[..., 2:],
    "rgb16": DEEP,
    "rgba16": DEEP_ALPHA,
}
_CHUNKS = {
    "none": b"",
    "linear": chunk(b"gAMA", (100000).to_bytes(4)),
    "p3": chunk(b"cICP", bytes([12, 13, 0, 1])),
    "profile": chunk(b"iCCP", b"x\0\0" + zlib.compress(odd_files.PROFILE)),
}
_XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" dc:rights="me" tiff:Orientation="1"/>'
_TARGETS = ("png", "tif", "jpg", "webp", "avif", "bmp")
_LOSSLESS, _DEEP = ("png", "tif", "bmp"), ("png", "tif")


def main():
    """Check every combination; returns the number of findings, and prints each."""
    findings = 0
    with tempfile.TemporaryDirectory() as folder:
        for kind, chunks, target, structure in itertools.product(
            _KINDS, _CHUNKS, _TARGETS, (False, True)
        ):
            try:
                _check(Path(folder), kind, chunks, target, structure)
            except Exception as error:
                findings += 1
                print(f"{kind}, {chunks} to {target}: {type(error).__name__}: {error}")
    print(f"round trips: {findings} findings")
    return findings


def _check(folder, kind, chunks, target, structure):
    """Read a PNG file with metadata, write it in twice the size, and compare the copy."""
    from tfsr.images import read_image, write_image

    pixels, source = _KINDS[kind], folder / "a.png"
    source.write_bytes(_png(pixels, _CHUNKS[chunks], structure))
    image = read_image(source)
    np.testing.assert_array_equal(image.pixels, pixels)
    assert (image.profile is None) == (chunks == "none"), "profile"
    large = image.changed(pixels=image.pixels.repeat(2, 0).repeat(2, 1))
    copy_path = folder / f"b.{target}"
    notes = "; ".join(write_image(copy_path, large))
    copy = read_image(copy_path)
    assert copy.size == large.size, "size"
    deep = image.depth == 16 and target in _DEEP
    assert copy.depth == (16 if deep else 8), "depth"
    if target in _LOSSLESS and (image.alpha is None or target != "bmp"):
        expected = large if deep else large.in_8_bits()
        np.testing.assert_array_equal(copy.rgb, expected.rgb)
    same = copy.profile == image.profile
    assert same or "profile" in notes, f"profile: {notes}"
    assert copy.metadata.xmp is not None or "XMP" in notes, "XMP"
    with Image.open(copy_path) as file:
        exif = file.getexif()
        dpi = file.info.get("dpi") or (exif.get(ExifTags.Base.XResolution),)
        assert dpi[0] and abs(float(dpi[0]) - 300) < 0.1, "resolution"
        maker = exif.get(ExifTags.Base.Make)
        assert maker == "Maker" or "EXIF" in notes, f"EXIF: {notes}"
        assert exif.get(ExifTags.Base.ImageWidth, 32) == 32, "width in EXIF"


def _png(pixels, chunks, structure):
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Maker"
    if structure:
        exif[ExifTags.Base.ImageWidth], exif[ExifTags.Base.ImageLength] = 16, 12
        exif[ExifTags.Base.BitsPerSample] = (8, 8, 8)
    more = chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    more += chunk(b"pHYs", (11811).to_bytes(4) * 2 + b"\1")
    more += chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + _XMP)
    deep = pixels.dtype == np.uint16
    content = odd_files.deep_png(pixels) if deep else odd_files.encoded(pixels)
    at = content.index(b"IDAT") - 4
    return content[:at] + chunks + more + content[at:]
