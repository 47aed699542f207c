"""PNG files with chunks that other readers refuse."""

import struct
import zlib

import numpy as np
import odd_files
import pytest
import tiny
from odd_files import PROFILE, RGB, chunk

from tfsr.images import DecodedImage, read_image, write_image
from tfsr.images.files import read_header

LONG = np.random.default_rng(0).integers(97, 123, 1_300_000, np.uint8).tobytes()


def large_profile(length):
    """The sRGB profile with a private tag of random bytes."""
    (count,) = struct.unpack(">I", PROFILE[128:132])
    entries = [struct.unpack(">4sII", PROFILE[132 + 12 * i : 144 + 12 * i]) for i in range(count)]
    rest = PROFILE[132 + 12 * count :]
    more = b"data\0\0\0\0\0\0\0\1" + np.random.default_rng(1).bytes(length)
    start = 144 + 12 * count + len(rest)
    table = b"".join(struct.pack(">4sII", name, at + 12, size) for name, at, size in entries)
    table += struct.pack(">4sII", b"zzzz", start, len(more))
    content = PROFILE[4:128] + struct.pack(">I", count + 1) + table + rest + more
    return struct.pack(">I", 4 + len(content)) + content


def damaged(kind, content):
    whole = chunk(kind, content)
    return whole[:-1] + bytes([whole[-1] ^ 1])


def write_png(path, *chunks, late=False, pixels=RGB):
    content = odd_files.deep_png(pixels) if pixels.dtype == np.uint16 else odd_files.encoded(pixels)
    at = content.index(b"IEND" if late else b"IDAT") - 4
    path.write_bytes(content[:at] + b"".join(chunks) + content[at:])
    return path


TOO_LONG = "a text of more than 1 MiB was dropped"
CHUNKS = {
    "long-ztxt": (chunk(b"zTXt", b"workflow\0\0" + zlib.compress(LONG)), TOO_LONG),
    "long-itxt": (chunk(b"iTXt", b"prompt\0\1\0en\0x\0" + zlib.compress(LONG)), TOO_LONG),
    "long-text": (chunk(b"tEXt", b"prompt\0" + LONG), TOO_LONG),
    "bomb": (chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000), 9)), TOO_LONG),
    "damaged-text": (damaged(b"tEXt", b"Comment\0hello"), "tEXt has a wrong checksum"),
    "damaged-time": (damaged(b"tIME", bytes(7)), "tIME has a wrong checksum"),
}


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("name", CHUNKS)
def test_texts_are_no_reason_to_refuse_pixels(name, depth, late, tmp_path):
    content, note = CHUNKS[name]
    pixels = RGB if depth == 8 else odd_files.DEEP
    path = write_png(tmp_path / "a.png", content, late=late, pixels=pixels)
    assert read_header(path).size == (12, 16)
    image = read_image(path)
    np.testing.assert_array_equal(image.pixels, pixels)
    assert any(note in found for found in image.notes)


@pytest.mark.parametrize("depth", [8, 16])
def test_large_profiles_are_kept(depth, tmp_path):
    profile = large_profile(1_200_000)
    pixels = RGB if depth == 8 else odd_files.DEEP
    write_image(tmp_path / "a.png", DecodedImage(pixels, profile))
    image = read_image(tmp_path / "a.png")
    assert image.profile == profile and image.notes == ()
    np.testing.assert_array_equal(image.pixels, pixels)
    bomb = chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(2**24 + 1), 9))
    image = read_image(write_png(tmp_path / "b.png", bomb))
    assert image.profile is None
    assert image.notes == ("its colour profile of more than 16 MiB was dropped",)


def test_a_file_is_read_as_it_is_where_nothing_is_odd(tmp_path):
    text = chunk(b"tEXt", b"Comment\0hello") + chunk(b"zTXt", b"b\0\0" + zlib.compress(b"short"))
    image = read_image(write_png(tmp_path / "a.png", text, pixels=tiny.image(9, 7)))
    assert image.notes == ()
    np.testing.assert_array_equal(image.pixels, tiny.image(9, 7))
