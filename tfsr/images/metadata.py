"""What a file says of its image beside colours and EXIF: resolution, XMP, IPTC and texts."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image, PngImagePlugin

from tfsr.images.exif import with_tags

XMP_KEYWORD = "XML:com.adobe.xmp"

_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296
XML_PACKET, IPTC_NAA = 700, 33723
"""TIFF's tags of XMP and IPTC."""
_INCH = 2
# Of PNG's keywords, those that EXIF has tags for, where PNG's texts are not stored.
_TAGS_OF_TEXTS = {"Copyright": 33432, "Author": 315, "Description": 270}
_WITH_EXIF = ("JPEG", "WEBP", "TIFF", "AVIF")
_IPTC = 0x0404
# The length of a JPEG segment is stored in 16 bits and includes its own two bytes.
_MAX_IN_JPEG = 65533
_MAX_XMP_IN_JPEG = _MAX_IN_JPEG - len(b"http://ns.adobe.com/xap/1.0/\0")
_GAIN_MAP = b"hdrgm:"
GAIN_MAP_NOTE = "its gain map was dropped: the output has standard dynamic range"

# What XMP says of the size and of other images in the file; as attributes or as elements.
_VALUE = rb"""((?:=\s*["']|>)\s*)\d+"""
_OF_OTHER_IMAGES = re.compile(
    rb"""\s(?:hdrgm|GCamera):[\w]+\s*=\s*("[^"]*"|'[^']*')"""
    rb"""|<(hdrgm:\w+|Container:Directory|GContainer:Directory|GCamera:\w+)\b.*?</\2\s*>""",
    re.DOTALL,
)


@dataclass(frozen=True)
class Metadata:
    """Metadata that goes into copies as it is, but for sizes and orientation.

    Attributes:
        dpi: pixels an inch, (across, down). A copy has the same, so that it prints larger.
        xmp: the XMP packet.
        iptc: the IPTC block.
        texts: keywords and texts; JPEG's comment is "Comment".
    """

    dpi: tuple[float, float] | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    texts: tuple[tuple[str, str], ...] = ()


def metadata_of(image: Image.Image) -> tuple[Metadata, tuple[str, ...]]:
    """The metadata of an image as Pillow decoded it, and notes."""
    info = image.info
    xmp = info.get("xmp")
    xmp = xmp.encode() if isinstance(xmp, str) else xmp
    notes: tuple[str, ...] = ()
    if isinstance(xmp, bytes) and _GAIN_MAP in xmp:
        notes = (GAIN_MAP_NOTE,)
    photoshop = info.get("photoshop")
    iptc = photoshop.get(_IPTC) if isinstance(photoshop, dict) else None
    if image.format == "TIFF":
        iptc = _iptc_of(getattr(image, "tag_v2", {}))
    return (
        Metadata(_dpi_of(image), xmp or None, iptc or None, tuple(_texts_of(image))),
        notes,
    )


def _iptc_of(tags: Any) -> bytes | None:
    """Of a TIFF file, where some programs call the bytes longs."""
    with suppress(Exception):
        found = tags.get(IPTC_NAA)
        found = (
            found if isinstance(found, bytes) else b"".join(n.to_bytes(4, "little") for n in found)
        )
        return found if found[:1] == b"\x1c" else None
    return None


def has_gain_map(image: Image.Image) -> bool:
    """Whether the second image of an MPO file is a gain map; ask when the pixels were read."""
    with suppress(Exception):
        if image.format == "MPO" and getattr(image, "n_frames", 1) > 1:
            image.seek(1)
            return image.mode == "L"
    return False


def _dpi_of(image: Image.Image) -> tuple[float, float] | None:
    dpi: Any = image.info.get("dpi")
    # Pillow makes one up for JPEG files with EXIF.
    stated = image.format not in ("JPEG", "MPO") or image.info.get("jfif_unit") in (1, 2)
    with suppress(TypeError, ValueError):
        across, down = (float(value) for value in dpi)
        if stated and all(1 < value < 1e5 for value in (across, down)):
            return across, down
    return None


def _texts_of(image: Image.Image) -> Iterator[tuple[str, str]]:
    if comment := image.info.get("comment"):
        text = comment if isinstance(comment, str) else comment.decode("utf-8", "replace")
        yield "Comment", text
    if image.format == "PNG":
        for keyword, text in image.info.items():
            if not (isinstance(keyword, str) and isinstance(text, str) and 0 < len(keyword) < 80):
                continue
            if keyword != "comment" and not keyword.startswith(("XML:", "Raw profile")):
                yield keyword, str(text)


def fitted(metadata: Metadata, size: tuple[int, int], name: str) -> tuple[Metadata, str]:
    """The metadata as a format stores it for an image of (H, W), and a note on what is lost."""
    lost = []
    if metadata.xmp is not None:
        metadata = replace(metadata, xmp=_xmp_for(metadata.xmp, size))
        if name == "BMP" or (name == "JPEG" and len(metadata.xmp or b"") > _MAX_XMP_IN_JPEG):
            metadata = replace(metadata, xmp=None)
            lost.append("XMP")
    most = {"JPEG": _MAX_IN_JPEG - 40, "TIFF": math.inf}.get(name, 0)
    if metadata.iptc is not None and len(metadata.iptc) > most:
        metadata = replace(metadata, iptc=None)
        lost.append("IPTC")
    if metadata.texts and name != "PNG":
        kept = [(word, text) for word, text in metadata.texts if word == "Comment"]
        kept = [pair for pair in kept[:1] if name == "JPEG" and len(pair[1].encode()) < 65000]
        in_exif = _TAGS_OF_TEXTS if name in _WITH_EXIF else {}
        lost += [
            f"text {pair[0]}"
            for pair in metadata.texts
            if pair not in kept and pair[0] not in in_exif
        ]
        metadata = replace(metadata, texts=tuple(kept))
    note = f"{name} does not store its {', '.join(lost)}" if lost else ""
    return metadata, note


def _xmp_for(xmp: bytes, size: tuple[int, int]) -> bytes:
    height, width = size
    if b"hdrgm" in xmp or b"Container" in xmp or b"GCamera" in xmp:
        xmp = _OF_OTHER_IMAGES.sub(b"", xmp)
    for names, value in (
        (rb"tiff:Orientation", 1),
        (rb"(?:tiff:ImageWidth|exif:PixelXDimension)", width),
        (rb"(?:tiff:ImageLength|exif:PixelYDimension)", height),
    ):
        xmp = re.sub(rb"(" + names + rb")" + _VALUE, rb"\g<1>\g<2>%d" % value, xmp)
    return xmp


def exif_with(
    metadata: Metadata, texts: tuple[tuple[str, str], ...], exif: bytes | None, name: str
) -> bytes | None:
    """The EXIF block with what a format stores there: resolution, rights, of TIFF XMP and IPTC."""
    tags: dict[int, Any] = {}
    if name in _WITH_EXIF:
        tags = {_TAGS_OF_TEXTS[word]: text for word, text in texts if word in _TAGS_OF_TEXTS}
    if metadata.dpi is not None and name in ("WEBP", "AVIF"):
        across, down = metadata.dpi
        tags |= {_X_RESOLUTION: across, _Y_RESOLUTION: down, _RESOLUTION_UNIT: _INCH}
    if name == "TIFF":
        stored = {XML_PACKET: metadata.xmp, IPTC_NAA: metadata.iptc}
        tags |= {tag: content for tag, content in stored.items() if content is not None}
    return with_tags(exif, tags) if tags else exif


def options_for(metadata: Metadata, name: str) -> dict[str, Any]:
    """Keyword arguments for Pillow's encoder."""
    options: dict[str, Any] = {}
    if metadata.dpi is not None and name in ("JPEG", "PNG", "TIFF", "BMP"):
        options["dpi"] = metadata.dpi
    if metadata.xmp is not None and name in ("JPEG", "WEBP", "AVIF"):
        options["xmp"] = metadata.xmp
    if name == "JPEG":
        if metadata.texts:
            options["comment"] = metadata.texts[0][1]
        if metadata.iptc is not None:
            block = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", _IPTC, 0, len(metadata.iptc))
            block += metadata.iptc + bytes(len(metadata.iptc) % 2)
            options["extra"] = b"\xff\xed" + struct.pack(">H", len(block) + 2) + block
    if name == "PNG" and (metadata.xmp is not None or metadata.texts):
        options["pnginfo"] = png_info(metadata)
    return options


def png_info(metadata: Metadata) -> PngImagePlugin.PngInfo:
    """Chunks of texts and XMP."""
    chunks = PngImagePlugin.PngInfo()
    if metadata.xmp is not None:
        chunks.add_itxt(XMP_KEYWORD, metadata.xmp.decode("utf-8", "replace"))
    for keyword, text in metadata.texts:
        chunks.add_text(keyword, text)
    return chunks


def pixels_per_metre(metadata: Metadata) -> bytes | None:
    """The content of PNG's pHYs chunk."""
    if metadata.dpi is None:
        return None
    return struct.pack(">IIB", *(math.floor(value / 0.0254 + 0.5) for value in metadata.dpi), 1)
