"""Small image files that would make a decoder read, allocate or compute far more than their pixels.

`make` writes them to a folder. `REFUSED` has a word of each one's message; `IMAGES` are those whose
pixels are right though something beside them is not.
"""

import io
import lzma
import struct
import zlib

import numpy as np
import odd_files
from PIL import Image

_CODES = {"B": 1, "H": 3, "I": 4}


def tiff(tags, *strips, order="<", pages=1):
    """A TIFF file: {tag: (type code, values)}, strips or tiles stored first."""
    body, offsets = bytearray(8), []
    for strip in strips:
        offsets.append(len(body))
        body += strip
    if strips and 273 not in tags and 324 not in tags:
        place, lengths = (324, 325) if 322 in tags else (273, 279)
        tags = {**tags, place: ("I", offsets), lengths: ("I", [len(strip) for strip in strips])}
    entries = b""
    for tag, (code, values) in sorted(tags.items()):
        content = struct.pack(f"{order}{len(values)}{code}", *values)
        if len(content) > 4:
            content, place = struct.pack(order + "I", len(body)), content
            body += place
        kind = struct.pack(f"{order}HHI", tag, _CODES[code], len(values))
        entries += kind + content.ljust(4, b"\0")
    struct.pack_into(order + "2sHI", body, 0, b"II" if order == "<" else b"MM", 42, len(body))
    for page in range(pages):
        length = 2 + len(entries) + 4
        following = len(body) + length if page + 1 < pages else 0
        body += struct.pack(order + "H", len(entries) // 12) + entries
        body += struct.pack(order + "I", following)
    return bytes(body)


def structure(compression, width=16, height=16, **more):
    tags = {256: ("I", [width]), 257: ("I", [height]), 258: ("H", [16] * 3)}
    tags |= {259: ("H", [compression]), 262: ("H", [2]), 277: ("H", [3]), 278: ("I", [height])}
    return tags | {int(tag[1:]): value for tag, value in more.items()}


PIXELS = np.arange(16 * 16 * 3, dtype="<u2").reshape(16, 16, 3) * 80
RAW = PIXELS.tobytes()


def _longer(compressor, gigabytes=0.25):
    """The pixels, and zeros after them."""
    zeros, content = bytes(2**20), [compressor.compress(RAW)]
    content += [compressor.compress(zeros) for _ in range(int(gigabytes * 1024))]
    return b"".join([*content, compressor.flush()])


def _packed():
    """The pixels as PackBits, and a million runs of zeros after them."""
    rows = (b"\x7f" + RAW[i : i + 128] for i in range(0, len(RAW), 128))
    return b"".join(rows) + b"\x81\0" * 10**6


def _with_dictionary(power=40):
    """The pixels as xz that asks for a dictionary of 4 GiB to decompress them."""
    content = bytearray(lzma.compress(RAW, preset=0))
    # The block's header: its length, flags, LZMA2, one byte of properties, which is the size.
    length = 4 * (content[12] + 1)
    content[16] = power
    check = zlib.crc32(content[12 : 8 + length])
    content[8 + length : 12 + length] = struct.pack("<I", check)
    return bytes(content)


def progressive(side, scans):
    """A grey JPEG file whose last scan is repeated."""
    file = io.BytesIO()
    Image.new("L", (side, side), 90).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * scans + content[-2:]


def swollen_png(before, size=2**31 - 2):
    """A 16-bit PNG file with an unknown chunk of 2 GiB: its content up to it, and what follows."""
    content = odd_files.deep_png(odd_files.DEEP)
    place = content.index(b"IDAT" if before else b"IEND") - 4
    return content[:place] + struct.pack(">I4s", size, b"juNk"), size + 4, content[place:]


def twice(tag=256, value=60_000):
    """A TIFF file that states its width twice."""
    content = tiff(structure(1), RAW)
    start = struct.unpack_from("<I", content, 4)[0]
    (count,) = struct.unpack_from("<H", content, start)
    entry = struct.pack("<HHII", tag, 4, 1, value)
    head, entries = content[:start], content[start + 2 : start + 2 + 12 * count]
    return head + struct.pack("<H", count + 1) + entries[:12] + entry + entries[12:] + bytes(4)


# Functions that make the content: that of some takes seconds.
IMAGES = {
    "deflated.tif": (lambda: tiff(structure(8), _longer(zlib.compressobj())), PIXELS),
    "lzma.tif": (lambda: tiff(structure(34925), _longer(lzma.LZMACompressor(preset=0))), PIXELS),
    "packed.tif": (lambda: tiff(structure(32773), _packed()), PIXELS),
    "few-scans.jpg": (lambda: progressive(64, 60), None),
}
REFUSED = {
    "dictionary.tif": (
        lambda: tiff(structure(34925), _with_dictionary()),
        "emory usage limit exceeded",
    ),
    "jpeg2000.tif": (lambda: tiff(structure(34712), RAW), "compression, JPEG2000"),
    "missing-strip.tif": (
        lambda: tiff(structure(8, _278=("I", [8])), zlib.compress(RAW[: len(RAW) // 2])),
        "fewer strips",
    ),
    "depth.tif": (
        lambda: tiff(structure(8, _32997=("I", [4_000_000])), zlib.compress(RAW)),
        "volume",
    ),
    "big-endian-depth.tif": (
        lambda: tiff(structure(8, _32997=("H", [9])), b"", order=">"),
        "volume",
    ),
    "strips.tif": (
        lambda: tiff(structure(1, _273=("I", [8] * 300_000), _279=("I", [1536] * 300_000)), RAW),
        "300000 values",
    ),
    "tile.tif": (
        lambda: tiff(structure(8, _322=("I", [60_000]), _323=("I", [60_000])), zlib.compress(RAW)),
        "60000x60000",
    ),
    "pages.tif": (lambda: tiff(structure(1), RAW, pages=10_001), "more than 10000 images"),
    "scans.jpg": (lambda: progressive(64, 1100), "more than 1000 scans"),
    "large-scans.jpg": (lambda: progressive(5000, 90), "more than 80 scans"),
    "twice.tif": (twice, "twice"),
}


def make(folder):
    """Write every file and return their paths."""
    folder.mkdir()
    for name, (content, _) in {**IMAGES, **REFUSED}.items():
        (folder / name).write_bytes(content())
    return [folder / name for name in (*IMAGES, *REFUSED)]
