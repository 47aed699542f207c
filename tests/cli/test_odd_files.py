"""Odd files, all in one batch: a right image or one clear line each."""

import json
import re
from types import SimpleNamespace

import numpy as np
import odd_files
import pytest
from PIL import Image
from privileges import ordinary

from tfsr import from_preset
from tfsr.images import DecodedImage, read_image
from tfsr.inference import ModelUpscaler
from tfsr.inference.upscale_image import upscale_image


@pytest.fixture(scope="module")
def upscaler(preset):
    return ModelUpscaler(from_preset(preset))


@pytest.fixture(scope="module")
def batch(preset, tmp_path_factory):
    """What one run makes of all of them: exit code, lines, records by name, output folder."""
    root = tmp_path_factory.mktemp("odd")
    files = odd_files.make(root / "in")
    assert len(files) >= 40
    import contextlib
    import io
    import sys

    from tfsr.cli import main

    out, err, arguments = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["tfsr", "upscale", *map(str, files), "-o", str(root / "out"), "--scale", "2.5"]
    sys.argv += ["--preset", preset, "--json"]
    try:
        with ordinary(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            with pytest.raises(SystemExit) as caught:
                main()
    finally:
        sys.argv = arguments
    records = {}
    for line in out.getvalue().splitlines():
        record = json.loads(line)
        records[record["source"].rpartition("/")[2]] = record
    return SimpleNamespace(
        code=caught.value.code, err=err.getvalue(), records=records, out=root / "out", root=root
    )


@pytest.mark.parametrize("name", odd_files.IMAGES)
def test_a_good_file_becomes_a_right_image(name, batch, upscaler):
    record = batch.records[name]
    assert (record["status"], record["error"]) == ("done", None)
    content, pixels = odd_files.IMAGES[name]
    if pixels is None:
        pixels = read_image(batch.root / "in" / name).pixels
    expected = upscale_image(DecodedImage(pixels), tuple(record["size"][::-1]), upscaler)
    found = read_image(batch.out / name)
    assert found.size == tuple(int(np.floor(2.5 * side + 0.5)) for side in pixels.shape[:2])
    if name.endswith((".jpg", ".jpeg", ".webp", ".avif")) or name == "wrong-suffix.png":
        assert abs(found.rgb.mean(axis=(0, 1)) - expected.rgb.mean(axis=(0, 1))).max() < 3
    else:
        assert found.pixels.dtype == expected.pixels.dtype
        np.testing.assert_array_equal(found.pixels, expected.pixels)


@pytest.mark.parametrize("name", [*odd_files.REFUSED, *odd_files.REFUSED_OTHERWISE])
def test_a_bad_file_gets_one_line(name, batch):
    record = batch.records[name]
    assert record["status"] == "failed"
    _, word = odd_files.REFUSED.get(name, (None, odd_files.REFUSED_OTHERWISE.get(name)))
    assert re.search(word, record["error"])
    assert "\n" not in record["error"]
    assert sum(line.endswith(record["error"]) for line in batch.err.splitlines()) == 1


def test_nothing_else_is_printed_or_written(batch):
    assert batch.code == 1
    failed = len(odd_files.REFUSED) + len(odd_files.REFUSED_OTHERWISE)
    lines = batch.err.splitlines()
    assert len(lines) == failed
    assert all(line.startswith("tfsr: ") for line in lines)
    assert len(batch.records) == failed + len(odd_files.IMAGES)
    assert {path.name for path in batch.out.iterdir()} == set(odd_files.IMAGES)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("cmyk.jpg", "CMYK was converted to RGB"),
        ("cmyk.tif", "CMYK was converted to RGB"),
        ("animated.webp", "first of its 3"),
        ("animated.png", "first of its 3"),
        ("pages.tif", "first of its 3"),
        ("broken-exif.jpg", "EXIF is damaged"),
    ],
)
def test_changes_are_noted(name, word, batch):
    assert word in "; ".join(batch.records[name]["notes"])


def test_unchanged_files_have_no_notes(batch):
    with_notes = {name for name, record in batch.records.items() if record["notes"]}
    assert with_notes == {
        *("cmyk.jpg", "cmyk.tif", "animated.webp", "animated.png", "pages.tif", "broken-exif.jpg")
    }


@pytest.mark.parametrize("name", ["profile.png", "profile16.png"])
def test_profiles_are_kept(name, batch):
    with Image.open(batch.out / name) as image:
        assert image.info["icc_profile"] == odd_files.PROFILE
