import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import tiny
from PIL import Image

from tfsr import metrics
from tfsr.images import read, resize

DOCUMENT = Path(__file__).parents[2] / "docs" / "looking.md"


@pytest.fixture
def face(tmp_path):
    return tiny.save(tmp_path / "face.png", tiny.image(16, 24))


@pytest.fixture
def compare(tfsr, preset):
    """`tfsr compare` with the tiny preset: (exit code, standard output, standard error)."""
    return lambda *arguments: tfsr("compare", *arguments, "--preset", preset)


def test_a_sheet_is_written(compare, face, tmp_path):
    sheet = tmp_path / "sheet.png"
    assert compare(face, "--scale", "2.5", "-o", sheet) == (0, f"{sheet}\n", "")
    rendered = read(sheet)
    assert rendered.shape[1] == 8 + 3 * 264
    bicubic = resize(read(face), (40, 60)).repeat(4, axis=0).repeat(4, axis=1)
    # Its first rows lie above the inset's outline, or below it.
    rows = [bicubic[:8], bicubic[-8:]]
    assert any(
        np.array_equal(rendered[y : y + 8, 272 : 272 + 240], part)
        for part in rows
        for y in range(len(rendered) - 8)
    )


def test_an_original_says_the_size_and_adds_figures(compare, face, tmp_path):
    original = tiny.save(tmp_path / "original.png", tiny.image(37, 50, seed=1))
    sheet = tmp_path / "sheet.webp"
    code, out, err = compare(face, "--original", original, "-o", sheet, "--inset", "2,3,8,8")
    assert (code, err) == (0, "")
    figure = metrics.psnr(resize(read(face), (37, 50)), read(original))
    assert out.startswith(f"{sheet}: Bicubic {figure:.2f} dB, tiny ")
    assert read(sheet).shape[1] == 8 + 4 * 264


@pytest.mark.parametrize(
    ("options", "words", "code"),
    [
        ((), "give --scale, --size, or --original", 2),
        (("--scale", "2", "--size", "40x40"), "exactly one of", 2),
        (("--scale", "two"), "--scale", 2),
        (("--scale", "2", "--inset", "1,2,3"), "--inset must be X,Y,WIDTH,HEIGHT", 2),
        (("--scale", "2", "--max-input", "nan"), "--max-input", 2),
        (("--scale", "2", "--inset", "20,0,8,8"), "face.png: --inset must lie in", 1),
        (("--scale", "2", "--original", "face.png"), "--original has 24x16 pixels", 1),
        (("--scale", "2", "--original", "nowhere.png"), "nowhere.png: cannot be read", 1),
        (("--scale", "2", "--preset", "nowhere"), "unknown preset 'nowhere'", 1),
        (("--scale", "2", "--max-input", "0.0003"), "face.png: 24x16 is", 1),
        (("--scale", "2", "--max-output", "0.001"), "face.png: 48x32 is 0.001536 megapixels", 1),
        (("--scale", "1e300"), "face.png: ", 1),
        (("--scale", "2", "-o", "sheet.gif"), "sheet.gif: the suffix must be one of", 1),
        (("--scale", "2", "-o", "nowhere/sheet.png"), "its folder must exist", 1),
        (("--scale", "2", "-o", "there.png"), "there.png: exists; --overwrite replaces it", 1),
        (("--scale", "2", "-o", "dangling.png"), "dangling.png: exists", 1),
        (
            ("--scale", "2", "-o", "face.png", "--overwrite"),
            "would overwrite an image that is read",
            1,
        ),
        (
            ("--scale", "2", "-o", "link.png", "--overwrite"),
            "would overwrite an image that is read",
            1,
        ),
    ],
)
def test_what_cannot_be_is_one_line(options, words, code, compare, face, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny.save(tmp_path / "there.png", tiny.image(4, 4))
    (tmp_path / "link.png").symlink_to(face)
    (tmp_path / "dangling.png").symlink_to("nowhere")

    def contents():
        return {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.exists()}

    before = contents()
    output = () if "-o" in options else ("-o", "sheet.png")
    found, out, err = compare("face.png", *output, *options)
    assert (found, out) == (code, "")
    (line,) = err.splitlines()
    assert line.startswith("tfsr: ") and words in line
    assert contents() == before


def test_a_sheet_is_replaced_when_asked_to(compare, face, tmp_path):
    there = tiny.save(tmp_path / "there.png", tiny.image(4, 4))
    assert compare(face, "--scale", "2", "-o", there, "--overwrite")[0] == 0
    assert read(there).shape[1] > 700


def test_16_bits_grey_and_alpha_are_shown(compare, tmp_path):
    grey = tiny.image(12, 16)[..., 0].astype(np.uint16) * 257
    Image.fromarray(grey).save(tmp_path / "deep.png")
    clear = np.dstack([tiny.image(12, 16), np.full((12, 16), 128, np.uint8)])
    Image.fromarray(clear).save(tmp_path / "clear.png")
    for name in ("deep", "clear"):
        sheet = tmp_path / f"{name}-sheet.png"
        assert compare(tmp_path / f"{name}.png", "--scale", "2", "-o", sheet)[::2] == (0, "")
        assert sheet.is_file()


def test_what_the_documents_show_runs(tfsr, preset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny.save(tmp_path / "face.png", tiny.image(46, 46))
    tiny.save(tmp_path / "original.png", tiny.image(184, 184))
    (tmp_path / "runs" / "other").mkdir(parents=True)
    for link in (tmp_path / "my-preset", tmp_path / "runs" / "other" / "best"):
        link.symlink_to(preset)
    lines = re.findall(r"^    tfsr (compare .*)$", DOCUMENT.read_text(), re.MULTILINE)
    assert len(lines) == 4
    for line in lines:
        code, out, err = tfsr(*shlex.split(line))
        assert (code, err) == (0, "")
        sheet = out.split(":")[0].strip()
        assert sheet in line and read(sheet).shape[1] > 700
