import json
import os
import re

import numpy as np
import pytest
import tiny
from PIL import Image

from tfsr.evaluation import FORMATS, PROTOCOLS
from tfsr.images import read


@pytest.fixture
def images(tmp_path):
    return tiny.folder(tmp_path / "images", side=20)


@pytest.fixture
def evaluate(tfsr):
    """`tfsr evaluate` in this process: (exit code, standard output, standard error)."""
    return lambda *arguments: tfsr("evaluate", *arguments)


def pillow_psnr(path, side):
    image = Image.open(path)
    small = image.resize((side, side), Image.Resampling.BICUBIC)
    output = small.resize(image.size, Image.Resampling.BICUBIC)
    return -10 * np.log10(np.mean(((np.float64(output) - np.float64(image)) / 255) ** 2))


def test_means_and_gains_are_printed(evaluate, preset, images):
    code, out, err = evaluate("--data", images, "--lr-sides", "12,14", "--preset", preset)
    assert (code, err) == (0, "")
    assert out.startswith(f"{PROTOCOLS['files'].how}. 3 images of {images}")
    lines = out.splitlines()
    start = lines.index("|  | 12 | 14 |")
    means = [np.mean([pillow_psnr(images / f"{i}.png", s) for i in range(3)]) for s in (12, 14)]
    assert lines[start + 2] == f"| Bicubic | {means[0]:.3f} | {means[1]:.3f} |"
    number = r"-?\d+\.\d{3} \([+-]\d+\.\d{3}\)"
    assert re.fullmatch(rf"\| tiny \| {number} \| {number} \|", lines[start + 3])


def test_all_that_was_asked_for_is_written(evaluate, preset, images, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    tables = [option for s in FORMATS for option in ("-o", out / f"table{s}")]
    pictured = ("--plot", out / "plot.svg", "--grid", out / "grid.png")
    code, text, err = evaluate("--data", images, "--lr-sides", "12", *tables, *pictured, preset)
    assert (code, err) == (0, "")
    assert {path.name for path in out.iterdir()} == {
        *("table.md", "table.csv", "table.json", "plot.svg", "grid.png")
    }
    assert (out / "table.md").read_text().startswith(text)
    whole = json.loads((out / "table.json").read_text())
    assert [system["name"] for system in whole["systems"]] == ["Bicubic", "tiny"]
    assert "<svg" in (out / "plot.svg").read_text()
    assert read(out / "grid.png").shape[1] == 8 + 4 * 264


def test_systems_may_follow_one_option_or_have_their_own(evaluate, preset, images, tmp_path):
    copy = tmp_path / "copy"
    copy.symlink_to(preset)
    found = [
        evaluate("--preset", preset, copy, "--data", images, "--lr-sides", "12"),
        evaluate("--preset", preset, "--preset", copy, "--data", images, "--lr-sides", "12"),
    ]
    assert found[0] == found[1]
    assert "| copy |" in found[0][1]


def test_one_column_of_every_protocol_can_be_measured(evaluate, tmp_path):
    faces = tiny.folder(tmp_path / "faces", count=1, side=64)
    for name, protocol in PROTOCOLS.items():
        column = ("--scales", "2") if protocol.lr_sides is None else ("--lr-sides", "16-32")
        code, out, err = evaluate("--data", faces, "bicubic", "--protocol", name, *column)
        assert (code, err) == (0, "")
        assert out.startswith(f"{protocol.how}. 1 image of {faces}; ")
        assert out.count(f"({name})**") == len(protocol.metrics)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "--lr-sides or scales must be given"),
        (("--lr-sides", "0"), "--lr-sides"),
        (("--lr-sides", "ten"), "--lr-sides"),
        (("--lr-sides", "10,,8"), "--lr-sides"),
        (("--lr-sides", "²"), "--lr-sides"),
        (("--lr-sides", "-4"), "--lr-sides"),
        (("--lr-sides", "21"), "20x20"),
        (("--scales", "2,x"), "--scales"),
        (("--scales", "nan"), "--scales"),
        (("--scales", "40"), "40x40"),
        (("--lr-sides", "12", "--protocol", "celebahk"), "Did you mean 'celebahq'?"),
        (("--protocol", "celebahq"), "at least 96x96"),
        (("--protocol", "div2k"), "0.png: at x3"),
        (("--protocol", "div2k", "--scales", "2.5"), "--scales must be integers"),
        (("--lr-sides", "12", "--degradation", "bicubik"), "Did you mean 'bicubic'"),
        (("--lr-sides", "12", "--data", "nowhere"), "nowhere"),
        (("--lr-sides", "12", "--preset", "nowhere"), "nowhere"),
        (("--scales", "0.001"), "--scales must be at least 1"),
        (("--lr-sides", "12", "-o", "table.txt"), "one of .md, .csv, .json"),
        (("--lr-sides", "12", "-o", "nowhere/table.md"), "its folder must exist"),
        (("--lr-sides", "12", "-o", "a.md", "-o", "a.md"), "twice"),
        (("--lr-sides", "12", "--plot", "plot.gif"), "one of .png, .svg, .pdf"),
        (("--lr-sides", "12", "--grid", "grid.gif"), "grid.gif"),
    ],
)
def test_what_cannot_be_is_one_line(options, words, evaluate, images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = evaluate("--data", images, "bicubic", *options)
    usage = {"2,x", "nan"} & set(options)
    assert (code, out) == (2 if usage else 1, "")
    (line,) = err.splitlines()
    assert line.startswith("tfsr: ") and words in line
    assert [path.name for path in tmp_path.iterdir()] == ["images"]


def test_no_image_is_written_over(evaluate, images, tmp_path):
    before = (images / "1.png").read_bytes()
    (tmp_path / "link.png").symlink_to(images / "1.png")
    for strip in (images / "1.png", tmp_path / "link.png"):
        options = ("--lr-sides", "12", "--grid", strip, "--overwrite")
        code, out, err = evaluate("--data", images, "bicubic", *options)
        assert (code, out) == (1, "") and "an image that is read" in err
    twice = ("-o", tmp_path / "a.md", "-o", images / ".." / "a.md")
    code, _, err = evaluate("--data", images, "bicubic", "--lr-sides", "12", *twice)
    assert code == 1 and "twice" in err
    assert (images / "1.png").read_bytes() == before


def test_tables_are_written_whatever_images_are_called(evaluate, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in (b"caf\xe9.png", b"two\nlines.png"):
        tiny.save(folder / os.fsdecode(name), tiny.image(20, 20))
    tables = [option for s in FORMATS for option in ("-o", tmp_path / f"table{s}")]
    assert evaluate("--data", folder, "bicubic", "--lr-sides", "12", *tables)[0] == 0
    assert "| two lines |" in (tmp_path / "table.md").read_text()


def test_a_corrupt_image_or_none_is_one_line(evaluate, images, tmp_path):
    (images / "1.png").write_bytes((images / "1.png").read_bytes()[:200])
    code, out, err = evaluate("--data", images, "bicubic", "--lr-sides", "12")
    assert (code, out) == (1, "")
    (line,) = err.splitlines()
    assert "1.png: damaged or cut short" in line
    (tmp_path / "empty").mkdir()
    code, _, err = evaluate("--data", tmp_path / "empty", "bicubic", "--lr-sides", "12")
    assert code == 1
    assert "empty: no image in it" in err


def test_files_are_replaced_only_when_asked(evaluate, preset, images, tmp_path):
    table = tmp_path / "table.md"
    table.write_text("mine")
    table.chmod(0o600)
    arguments = ("--data", images, "--lr-sides", "12", "--preset", preset, "-o", table)
    code, out, err = evaluate(*arguments)
    assert (code, out) == (1, "") and err == f"tfsr: {table}: exists; --overwrite replaces it\n"
    assert table.read_text() == "mine"
    assert evaluate(*arguments, "--overwrite")[0] == 0
    assert "Bicubic" in table.read_text() and table.stat().st_mode & 0o777 == 0o600
