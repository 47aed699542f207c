"""`--strength`, wherever a preset with a clean twin can be named."""

import json

import numpy as np
import pytest
import tiny
from PIL import Image

from tfsr import load_upscaler
from tfsr.images import read
from tfsr.presets import store


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return tiny.twins(tmp_path_factory.mktemp("pair"))


@pytest.fixture
def photo(tmp_path):
    """A JPEG as a camera writes it: lying on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(tiny.image(16, 24)).save(tmp_path / "photo.jpg", exif=exif)
    return tmp_path / "photo.jpg"


def test_a_strength_lies_between_the_twin_and_the_preset(tfsr, pair, photo, tmp_path):
    clean, robust = pair

    def upscaled(name, *options):
        output = tmp_path / name
        result = tfsr("upscale", photo, "-o", output, "--scale", "2", *options)
        assert (result[0], result[2]) == (0, "")
        return output.read_bytes()

    at = {s: upscaled(f"{s}.png", "--preset", robust, "--strength", s) for s in ("0", "0.5", "1")}
    assert at["0"] == upscaled("clean.png", "--preset", clean)
    assert at["1"] == upscaled("robust.png", "--preset", robust)
    assert len(set(at.values())) == 3
    assert at["0.5"] == upscaled("again.png", "--preset", robust, "--strength", "0.5")
    load_upscaler(robust, strength=0.5).upscale(photo, scale=2, output=tmp_path / "python.png")
    assert at["0.5"] == (tmp_path / "python.png").read_bytes()


def test_a_photograph_is_compared_at_several_strengths(tfsr, pair, photo, tmp_path):
    clean, robust = pair
    sheet, other = tmp_path / "sheet.png", tmp_path / "other.png"
    arguments = ("compare", photo, "--scale", "2", "--preset")
    result = tfsr(*arguments, robust, "--strengths", "0,0.5,1", "-o", sheet)
    assert result == (0, f"{sheet}\n", "")
    assert tfsr(*arguments, clean, robust, "-o", other)[0] == 0
    strengths, presets = read(sheet), read(other)
    assert strengths.shape[1] == 8 + 5 * 264  # LR, bicubic and three strengths.
    assert presets.shape[1] == 8 + 4 * 264
    # Under the title and the names, which may take more lines on the narrower sheet.
    height = min(len(strengths), len(presets)) - 80
    column = [slice(8 + 264 * i, 264 * (i + 1)) for i in range(5)]
    for here, there in ((2, 2), (4, 3)):
        np.testing.assert_array_equal(
            strengths[-height:, column[here]], presets[-height:, column[there]]
        )


def test_strengths_are_rows_of_a_table(tfsr, pair, tmp_path):
    data = tiny.folder(tmp_path / "data", count=1, side=24)
    options = ("--data", data, "--lr-sides", "12", "--strengths", "1,0.25")
    code, out, err = tfsr("evaluate", "--preset", pair[1], *options)
    assert (code, err) == (0, "")
    assert "| robust, strength 1 |" in out and "| robust, strength 0.25 |" in out


@pytest.mark.slow
def test_a_phone_file_has_a_strength(tfsr, pair, photo, tmp_path):
    _, robust = pair
    file, named = tmp_path / "x2.tflite", ("--preset", robust, "--strength", "0.5")
    options = ("--lr-size", "16x24", "--scales", "2", "-o", file)
    assert tfsr("export", "tflite", *named, *options)[::2] == (0, "")
    origin = json.loads(tfsr("inspect", file)[1])["preset"]
    assert (origin["name"], origin["strength"]) == ("robust", 0.5)
    assert set(origin["clean"]["sha256"]) == {"config.json", "model.weights.h5"}
    found, expected = tmp_path / "phone.png", tmp_path / "expected.png"
    scale = ("--scale", "2")
    assert tfsr("upscale", photo, "-o", found, "--preset", file, *scale)[0] == 0
    assert tfsr("upscale", photo, "-o", expected, *named, *scale)[0] == 0
    np.testing.assert_allclose(read(found), read(expected).astype(float), rtol=0, atol=1)


PHOTO = ("photo.jpg", "-o", "out.png", "--scale", "2")
WITHOUT_TWIN = ("--preset", "faces-mobile")


@pytest.mark.parametrize(
    ("line", "words", "code"),
    [
        (("upscale", *PHOTO, "--strength", "1.5"), "--strength", 2),
        (("upscale", *PHOTO, "--strength", "nan"), "--strength", 2),
        (
            ("upscale", *PHOTO, "--strength", "1", "--preset", "x.tflite"),
            "--strength applies to",
            2,
        ),
        (("upscale", *PHOTO, "--strength", "1", *WITHOUT_TWIN), "takes no strength", 1),
        (("compare", *PHOTO, "--strengths", "0,2"), "--strengths must be", 2),
        (("compare", *PHOTO, "--strengths", "0;1"), "such as 0,0.5,1; received '0;1'", 2),
        (("compare", *PHOTO, "--strengths", "0,1", *WITHOUT_TWIN), "takes no strength", 1),
        (("compare", *PHOTO, "--strengths", "0", "--preset", "x.tflite"), "applies to presets", 1),
        (
            ("evaluate", "--data", ".", "--lr-sides", "8", "--strengths", "x"),
            "--strengths must be",
            2,
        ),
        (("demo", "--strength", "-1"), "--strength", 2),
        (
            ("demo", "--port", "0", "--no-browser", "--strength", "1", *WITHOUT_TWIN),
            "takes no strength",
            1,
        ),
        (("export", "saved-model", "-o", "s", "--strength", "2"), "--strength", 2),
    ],
)
def test_what_cannot_be_is_one_line(line, words, code, tfsr, photo, monkeypatch):
    monkeypatch.chdir(photo.parent)
    found, out, err = tfsr(*line)
    assert (found, out) == (code, "")
    (message,) = err.splitlines()
    assert message.startswith("tfsr: ") and words in message
    assert list(photo.parent.iterdir()) == [photo]


def test_presets_that_take_a_strength_are_line(tfsr, pair, monkeypatch):
    clean, robust = pair
    text = " ".join(tfsr("presets", "show", robust)[1].split())
    assert "strength 0..1; 0 is ../clean" in text
    assert "strength" not in tfsr("presets", "show", clean)[1]
    assert json.loads(tfsr("presets", "show", robust, "--json")[1])["clean"] == "../clean"
    assert tfsr("presets")[1].endswith("\nWith --strength 0..1: faces, photos\n")
    monkeypatch.setattr(store, "SHIPPED", clean.parent)
    assert tfsr("presets")[1].endswith("\nWith --strength 0..1: robust\n")
