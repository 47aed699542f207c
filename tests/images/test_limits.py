"""Files that would make a decoder read, allocate or compute far more than their pixels explain."""

import json
import subprocess
import sys

import hostile_images
import numpy as np
import odd_files
import pytest

from tfsr.errors import ImageError
from tfsr.images import read_image
from tfsr.images.files import read_header
from tfsr.images.frames import read_frames

# Pillow and NumPy alone take about 130 MiB.
_MOST = 2**30


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """What a process of its own makes of every file, and the most memory that it took."""
    folder = tmp_path_factory.mktemp("hostile") / "in"
    hostile_images.make(folder)
    for name, before in (("before.png", True), ("after.png", False)):
        head, gap, tail = hostile_images.swollen_png(before)
        with open(folder / name, "wb") as file:
            file.write(head)
            file.seek(gap, 1)
            file.write(tail)
    for name in ("lossy.webp", "photo.avif", "photo.jpg"):
        _with_tail(folder / name, odd_files.IMAGES[name][0])
    program = (
        "import json, pathlib, sys\n"
        "from tfsr.errors import ImageError\n"
        "from tfsr.images import read_image\n"
        "records = {}\n"
        "for path in pathlib.Path(sys.argv[1]).iterdir():\n"
        "    try:\n"
        "        records[path.name] = read_image(path).pixels.tolist()\n"
        "    except ImageError as error:\n"
        "        records[path.name] = str(error)\n"
        # Of this program alone: `getrusage` includes the process that started it.
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "most = int(status.split('VmHWM:')[1].split()[0])\n"
        "print(json.dumps({'most': 1024 * most, 'files': records}))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return json.loads(run.stdout)


def _with_tail(path, content):
    with open(path, "wb") as file:
        file.write(content)
        file.truncate(2**32)


def test_their_memory_is_bounded(records):
    assert records["most"] < _MOST


@pytest.mark.parametrize("name", hostile_images.REFUSED)
def test_what_no_writer_makes_is_refused(name, records):
    assert hostile_images.REFUSED[name][1] in records["files"][name]


@pytest.mark.parametrize("name", hostile_images.IMAGES)
def test_data_after_the_pixels_are_not_decoded(name, records):
    _, pixels = hostile_images.IMAGES[name]
    found = np.array(records["files"][name])
    assert found.shape[:2] == (16, 16) or pixels is None
    if pixels is not None:
        np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize("name", ["before.png", "after.png", "lossy.webp", "photo.avif"])
def test_more_data_than_pixels_are_refused(name, records):
    assert "more data than an image of its size" in records["files"][name]


def test_what_follows_a_jpeg_image_is_not_read(records):
    assert np.array(records["files"]["photo.jpg"]).shape == (12, 16, 3)


def test_what_follows_a_16_bit_png_is_not_read(tmp_path):
    path = tmp_path / "tail.png"
    _with_tail(path, odd_files.deep_png(odd_files.DEEP))
    np.testing.assert_array_equal(read_image(path).pixels, odd_files.DEEP)


def test_compressed_data_longer_than_the_pixels_are_refused(tmp_path):
    path = tmp_path / "long.png"
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in odd_files.DEEP)
    more = [odd_files.chunk(b"IDAT", bytes(2**16))] * 3
    content = odd_files.png(16, 12, 16, 2, rows)
    path.write_bytes(content[:-12] + b"".join(more) + content[-12:])
    with pytest.raises(ImageError, match="more compressed data"):
        read_image(path)


def test_pages_are_counted(tmp_path):
    path = tmp_path / "pages.tif"
    path.write_bytes(
        hostile_images.tiff(hostile_images.structure(1), hostile_images.RAW, pages=300)
    )
    assert read_header(path).frames == 300
    assert len(read_frames(path).images) == 300


def test_a_circle_of_pages_ends(tmp_path):
    path = tmp_path / "circle.tif"
    content = hostile_images.tiff(hostile_images.structure(1), hostile_images.RAW)
    start = content[4:8]
    path.write_bytes(content[:-4] + start)
    assert read_header(path).frames == 1


@pytest.mark.parametrize("compression", [None, "zlib", "lzma"])
@pytest.mark.parametrize("tile", [None, (16, 32)])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("predictor", [None, True])
def test_16_bit_tiff_of_every_layout(compression, tile, planar, predictor, tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 65536, (37, 41, 3), np.uint16)
    stored = pixels if planar == "contig" else np.moveaxis(pixels, -1, 0)
    options = {"planarconfig": planar, "compression": compression, "tile": tile}
    if tile is None:
        options["rowsperstrip"] = 5
    if predictor and compression:
        options["predictor"] = True
    path = tmp_path / "layout.tif"
    path.write_bytes(odd_files.deep_tiff(stored, **options))
    np.testing.assert_array_equal(read_image(path).pixels, pixels)
