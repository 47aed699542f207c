"""Resolution, XMP, IPTC, texts and rights, from file to file."""

import io
import struct

import numpy as np
import odd_files
import pytest
from odd_files import RGB, chunk
from PIL import Image

from tfsr.images import DecodedImage, read_image, write_image

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:rights="me" tiff:Orientation="6" '
    b'tiff:ImageWidth="16"><tiff:ImageLength>12</tiff:ImageLength></rdf:Description></rdf:RDF>'
    b"</x:xmpmeta>"
)
GAIN = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description hdrgm:Version="1.0" '
    b'hdrgm:GainMapMax="2" dc:rights="me"><hdrgm:Gamma><rdf:Seq/></hdrgm:Gamma>'
    b"</rdf:Description></x:xmpmeta>"
)
IPTC = b"\x1c\x02t\0\x06(c) me"
ALL = ["jpg", "png", "webp", "tif", "avif"]


def segment(marker, content):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


def jpeg(path, xmp=XMP, **options):
    """A JPEG file with resolution, XMP, IPTC and a comment."""
    file = io.BytesIO()
    Image.fromarray(RGB).save(file, "JPEG", dpi=(300, 200), comment="hello", **options)
    content, block = file.getvalue(), b"Photoshop 3.0\x008BIM\x04\x04\0\0"
    block += struct.pack(">I", len(IPTC)) + IPTC + bytes(len(IPTC) % 2)
    more = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp) + segment(0xED, block)
    path.write_bytes(content[:20] + more + content[20:])
    return path


def large(image, dtype=np.uint8):
    pixels = np.repeat(np.repeat(image.pixels, 2, 0), 2, 1).astype(dtype)
    return image.changed(pixels=pixels * (257 if dtype == np.uint16 else 1))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("target", ALL)
def test_resolution_and_xmp_are_kept(target, dtype, tmp_path):
    image = read_image(jpeg(tmp_path / "a.jpg"))
    assert image.size == (16, 12)  # XMP's orientation counts.
    write_image(tmp_path / f"b.{target}", large(image, dtype))
    with Image.open(tmp_path / f"b.{target}") as file:
        assert file.size == (24, 32)
        found = file.info.get("dpi") or tuple(file.getexif()[tag] for tag in (282, 283))
        np.testing.assert_allclose([*map(float, found)], (300, 200), rtol=1e-4)
        xmp = file.info["xmp"]
    assert b'dc:rights="me"' in xmp and b'tiff:Orientation="1"' in xmp
    assert b'ImageWidth="24"' in xmp and b"<tiff:ImageLength>32<" in xmp
    assert read_image(tmp_path / f"b.{target}").size == (32, 24)


def test_a_jpeg_file_keeps_its_iptc_and_comment(tmp_path):
    image = read_image(jpeg(tmp_path / "a.jpg"))
    assert write_image(tmp_path / "b.jpg", image) == ()
    with Image.open(tmp_path / "b.jpg") as file:
        assert file.info["comment"] == b"hello"
        assert file.info["photoshop"][0x0404] == IPTC
    assert write_image(tmp_path / "b.png", image) == ("PNG does not store its IPTC",)
    with Image.open(tmp_path / "b.png") as file:
        assert file.info["Comment"] == "hello"
    (note,) = write_image(tmp_path / "b.webp", image)
    assert note == "WEBP does not store its IPTC, text Comment"
    (note,) = write_image(tmp_path / "b.jpg", image.changed(metadata=long_xmp(image)))
    assert note == "JPEG does not store its XMP"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("with_exif", [False, True])
def test_iptc_goes_into_tiff_and_back(dtype, with_exif, tmp_path):
    image = read_image(jpeg(tmp_path / "a.jpg"))
    image = image.changed(pixels=image.pixels.astype(dtype), exif=image.exif if with_exif else None)
    notes = write_image(tmp_path / "b.tif", image)
    assert "IPTC" not in "".join(notes)
    copy = read_image(tmp_path / "b.tif")
    assert copy.metadata.iptc == IPTC and copy.pixels.dtype == dtype
    np.testing.assert_array_equal(copy.pixels, image.pixels)
    write_image(tmp_path / "c.jpg", copy)
    assert read_image(tmp_path / "c.jpg").metadata.iptc == IPTC


def long_xmp(image):
    metadata = image.metadata
    return type(metadata)(metadata.dpi, metadata.xmp + b" " * 70_000, metadata.iptc)


@pytest.mark.parametrize("pixels", [RGB, odd_files.DEEP])
def test_png_texts_stay_and_rights_go_into_exif(pixels, tmp_path):
    content = odd_files.encoded(pixels) if pixels.dtype == np.uint8 else odd_files.deep_png(pixels)
    texts = chunk(b"tEXt", b"Copyright\0(c) Somebody") + chunk(
        b"iTXt", "Title\0\0\0\0\0ünï 顔".encode()
    )
    at = content.index(b"IDAT") - 4
    (tmp_path / "a.png").write_bytes(content[:at] + texts + content[at:])
    image = read_image(tmp_path / "a.png")
    assert write_image(tmp_path / "b.png", image) == ()
    with Image.open(tmp_path / "b.png") as file:
        assert file.info["Copyright"] == "(c) Somebody" and file.info["Title"] == "ünï 顔"
    notes = write_image(tmp_path / "b.jpg", image)
    assert notes[-1] == "JPEG does not store its text Title"
    with Image.open(tmp_path / "b.jpg") as file:
        assert file.getexif()[33432] == "(c) Somebody"


def test_gain_maps_are_told(tmp_path):
    image = read_image(jpeg(tmp_path / "a.jpg", GAIN))
    assert "its gain map was dropped" in image.notes[0]
    write_image(tmp_path / "b.jpg", image)
    with Image.open(tmp_path / "b.jpg") as file:
        assert b"hdrgm:" not in file.info["xmp"] and b'dc:rights="me"' in file.info["xmp"]
    picture = Image.fromarray(RGB)
    gain = picture.convert("L").resize((8, 6))
    picture.save(tmp_path / "c.jpg", "MPO", save_all=True, append_images=[gain])
    assert "its gain map was dropped" in read_image(tmp_path / "c.jpg").notes[0]
    picture.save(tmp_path / "d.jpg", "MPO", save_all=True, append_images=[picture])
    image = read_image(tmp_path / "d.jpg")
    assert image.notes == ()
    with Image.open(tmp_path / "d.jpg") as file:
        np.testing.assert_array_equal(image.pixels, np.asarray(file))


def test_without_metadata_nothing_is_added(tmp_path):
    for suffix in ALL:
        write_image(tmp_path / f"a.{suffix}", DecodedImage(RGB))
        image = read_image(tmp_path / f"a.{suffix}")
        assert image.metadata == DecodedImage(RGB).metadata and image.exif is None
