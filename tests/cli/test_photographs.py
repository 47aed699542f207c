"""Faces in whole photographs, as people ask for them."""

import json
from pathlib import Path

import numpy as np
import pytest
import tiny
from checks import check_one_line

from tfsr import from_preset
from tfsr.images import read, resize
from tfsr.inference import ModelUpscaler, PhotographUpscaler, load_upscaler

IMAGES = Path(__file__).parents[2] / "docs" / "images"


@pytest.fixture
def photograph(tmp_path):
    return tiny.save(tmp_path / "in.png", tiny.image(50, 80))


@pytest.fixture
def upscale(tfsr, preset, tmp_path):
    """`tfsr upscale` of some files to out.png, with the tiny preset before bicubic."""

    def run(*arguments):
        files = (*arguments, "-o", tmp_path / "out.png")
        return tfsr("upscale", *files, "--preset", preset, "--background", "bicubic")

    return run


@pytest.mark.parametrize(
    "options, places",
    [
        (["--box", "5,9,30,24"], {"boxes": [(9, 5, 24, 30)]}),
        (["--eyes", "40,20.5,52,24"], {"eyes": [((20.5, 40), (24, 52))]}),
        (
            ["--box", "0,0,20,20", "--eyes", "60,20,65,20", "--eyes", "40,30,45,30"],
            {
                "boxes": [(0, 0, 20, 20)],
                "eyes": [((20, 60), (20, 65)), ((30, 40), (30, 45))],
            },
        ),
    ],
    ids=["box", "eyes", "three"],
)
def test_faces_of_a_photograph_are_upscaled(options, places, upscale, preset, photograph, tmp_path):
    assert upscale(photograph, "--scale", "1.7", *options)[::2] == (0, "")
    model = ModelUpscaler(from_preset(preset))
    expected = PhotographUpscaler(model, **places)(read(photograph), (85, 136))
    np.testing.assert_array_equal(read(tmp_path / "out.png"), expected)


@pytest.mark.parametrize("fit", ["cover", "contain"])
def test_the_output_has_exactly_the_size_asked_for(fit, upscale, photograph, tmp_path):
    options = ("--size", "90x90", "--fit", fit, "--box", "5,9,30,24", "--self-ensemble")
    assert upscale(photograph, *options)[::2] == (0, "")
    assert read(tmp_path / "out.png").shape == (90, 90, 3)


@pytest.mark.parametrize(
    "options, words",
    [
        (("--box", "60,10,30,30"), ("in.png", "30x30 pixels at 60,10 leaves", "80x50")),
        (("--eyes", "10,60,30,60"), ("in.png", "in the 80x50 image")),
        (("--eyes", "30,10,20,10"), ("in.png", "swapped")),
    ],
)
def test_a_place_that_is_not_in_the_image_is_one_line(
    options, words, upscale, photograph, tmp_path
):
    check_one_line(upscale(photograph, "--scale", "2", *options), *words)
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    "options, word",
    [(("--box", "1,2,3"), "--box"), (("--eyes", "1,2,3,four"), "--eyes")],
)
def test_a_place_that_is_none_is_a_usage_error(options, word, upscale, photograph, tmp_path):
    check_one_line(upscale(photograph, "--scale", "2", *options), word, code=2)


def test_places_are_those_of_one_image(tfsr, preset, photograph, tmp_path):
    for sources in ([photograph, photograph], [tmp_path], [tmp_path / "*.png"]):
        result = tfsr(
            "upscale", *sources, "-o", tmp_path / "out", "--scale", 2, "--eyes", "1,2,9,2"
        )
        check_one_line(result, "one file", code=2)
    assert not (tmp_path / "out").exists()


def test_faces_are_found_and_restored_if_asked_for(tfsr, preset, tmp_path):
    face = resize(read(IMAGES / "astronaut.png"), (100, 100))
    image = tiny.image(120, 160)
    image[10:110, 30:130] = face
    tiny.save(tmp_path / "in" / "a.png", image)
    tiny.save(tmp_path / "in" / "b.png", tiny.image(40, 50))
    report = tmp_path / "report.json"
    options = ("--preset", preset, "--scale", "2", "--faces", "auto", "--min-face", "40")
    options += ("--report", report, "--background", "bicubic")
    code, out, err = tfsr("upscale", tmp_path / "in", "-o", tmp_path / "out", *options)
    assert (code, err) == (0, "")
    first, second = out.splitlines()
    assert "1 of 1 faces restored" in first and "0 of 0 faces restored" in second
    found = PhotographUpscaler(load_upscaler(preset), detector="mtcnn", min_face=40)
    np.testing.assert_array_equal(read(tmp_path / "out" / "a.png"), found(image, (240, 320)))
    [face], none = (file["faces"] for file in json.loads(report.read_text())["files"])
    assert face == found.details["faces"][0] and none == []
    assert face["restored"] and face["confidence"] > 0.9
    left, top, width, height = face["box"]
    assert 30 < left and left + width < 130 and 10 <= top and top + height <= 110
    plain = PhotographUpscaler(load_upscaler(preset))(image, (240, 320))
    assert (read(tmp_path / "out" / "a.png") != plain).any()


def test_the_background_is_whatever_upscales(tfsr, preset, tmp_path):
    image = tiny.image(120, 160)
    image[10:110, 30:130] = resize(read(IMAGES / "astronaut.png"), (100, 100))
    photograph = tiny.save(tmp_path / "in.png", image)

    def output(*options):
        arguments = (photograph, "-o", tmp_path / "out.png", "--overwrite", "--scale", "2")
        assert tfsr("upscale", *arguments, *options)[::2] == (0, "")
        return read(tmp_path / "out.png")

    chosen = ("--preset", "bicubic", "--background", preset)
    restored = output("--faces", "auto", *chosen)
    general = load_upscaler(preset)(image, (240, 320))
    np.testing.assert_array_equal(restored[:20], general[:20])
    assert (restored[100:140, 140:180] != general[100:140, 140:180]).any()
    bicubic = (*chosen[:2], "--background", "bicubic")
    only, auto = output("--faces", "only", *chosen), output("--faces", "auto", *bicubic)
    np.testing.assert_array_equal(only, auto)
    again = load_upscaler("bicubic", faces="auto", background=preset)
    np.testing.assert_array_equal(again(image, (240, 320)), restored)
    options = ("--scale", "2", "--faces", "auto", "--background", "nobody")
    check_one_line(tfsr("upscale", photograph, "-o", tmp_path / "x.png", *options), "nobody")


def test_faces_are_found_by_default_without_a_preset(tfsr, preset, tmp_path):
    image = tiny.image(48, 64)
    image[4:44, 12:52] = resize(read(IMAGES / "astronaut.png"), (40, 40))
    photograph = tiny.save(tmp_path / "in.png", image)

    def output(*options):
        arguments = (photograph, "-o", tmp_path / "out.png", "--overwrite", "--scale", "2")
        code, out, err = tfsr("upscale", *arguments, *options)
        assert (code, err) == (0, "")
        return out, read(tmp_path / "out.png")

    said, found = output()
    assert "1 of 1 faces restored" in said
    expected = load_upscaler("faces", faces="auto", background="photos")(image, (96, 128))
    np.testing.assert_array_equal(found, expected)
    for options in (("--faces", "off"), ("--preset", "faces")):
        said, found = output(*options)
        assert "restored" not in said
        np.testing.assert_array_equal(found, load_upscaler("faces")(image, (96, 128)))


def test_how_faces_are_found_is_checked(tfsr, photograph, tmp_path):
    options = (photograph, "-o", tmp_path / "out.png", "--scale", "2")
    check_one_line(tfsr("upscale", *options, "--faces", "all"), "--faces", "auto", code=2)
    small = ("--faces", "auto", "--min-face", "9")
    check_one_line(tfsr("upscale", *options, *small), "--min-face must be at least 10; received 9")


def test_faces_are_listed_with_the_options_that_restore_them(tfsr, tmp_path):
    image = tiny.image(150, 260)
    for left in (10, 140):
        image[30:130, left : left + 100] = resize(read(IMAGES / "astronaut.png"), (100, 100))
    photograph = tiny.save(tmp_path / "in.png", image)
    numbered = tmp_path / "numbered.png"
    code, out, err = tfsr("faces", photograph, "-o", numbered)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line[:10] for line in lines] == ["1: --eyes ", "2: --eyes "]
    assert read(numbered).shape == image.shape and (read(numbered) != image).any()
    records = [json.loads(line) for line in tfsr("faces", photograph, "--json")[1].splitlines()]
    assert [record["number"] for record in records] == [1, 2]
    for record, line in zip(records, lines, strict=True):
        x1, y1, x2, y2 = record["eyes"]
        assert x1 < x2 and f"--eyes {x1:g},{y1:g},{x2:g},{y2:g} (" in line
    check_one_line(tfsr("faces", photograph, "-o", numbered), "numbered.png", "--overwrite")
    assert tfsr("faces", photograph, "-o", numbered, "--overwrite", "--min-face", "90")[1] == ""
    check_one_line(tfsr("faces", tmp_path / "none.png"), "none.png")
