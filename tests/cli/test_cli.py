import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny
from checks import check_one_line
from PIL import Image

from tfsr import __version__, from_preset
from tfsr.images import read, to_float, to_uint8
from tfsr.inference.memory_amount import parse_memory

TFSR = Path(sys.executable).with_name("tfsr")


@pytest.fixture
def images(tmp_path):
    return tiny.folder(tmp_path / "images", side=20)


def process(*arguments):
    """The installed command in a process: (exit code, standard output, standard error)."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_CPP")}
    # As in most people's locale; in the C locale Python would let any byte through.
    environment["PYTHONIOENCODING"] = "utf-8:strict"
    done = subprocess.run(
        [TFSR, *map(str, arguments)], capture_output=True, env=environment, check=False
    )
    return done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr)


def files_under(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_version_is_printed(tfsr):
    assert tfsr("--version") == (0, f"tfsr {__version__}\n", "")


def test_without_a_verb_the_help_is_printed(tfsr):
    code, out, _ = tfsr()
    assert code == 2
    assert all(verb in out for verb in ("upscale", "train", "evaluate", "save-preset"))


@pytest.mark.parametrize(
    "arguments, word",
    [
        (["upskale", "a.png"], "upskale"),
        (["upscale"], "IN"),
        (["upscale", "a.png", "--scale", "2"], "--output"),
        (["upscale", "a.png", "-o", "b.png", "--scale", "two"], "--scale"),
        (["upscale", "a.png", "-o", "b.png", "--long-side", "2.5"], "--long-side"),
        (["upscale", "a.png", "-o", "b.png", "--scal", "2"], "--scal"),
        (["upscale", "a.png", "-o", "b.png", "--scale", "2x3x4"], "--scale"),
        (["upscale", "a.png", "-o", "b.png", "--scale", "2", "--fit", "cover"], "--fit cover"),
        (["upscale", "a.png", "-o", "b.png", "--size", "9x9", "--fit", "covr"], "'cover'"),
        (["upscale", "a.png", "-o", "b.png", "--short-side", "0"], "--short-side"),
        (["upscale", "a.png", "-o", "b.png", "--megapixels", "nan"], "--megapixels"),
        (["upscale", "a.png", "-o", "b.png", "--scale", "2", "--format", "jpgg"], "'jpg'"),
        (["upscale", "a.png", "-o", "b.png", "--scale", "2", "--quality", "101"], "--quality"),
        (["upscale", "a.png", "-o", "b.png", "--scale", "2", "--max-input", "179"], "178.956970"),
        (["upscale", "a.png", "-o", "b.png", "--scale", "2", "--max-input", "nan"], "--max-input"),
        (["upscale", "a.png", "-o", "b.png", "--scale", "2", "--max-output", "0"], "--max-output"),
        (
            ["upscale", "a.png", "-o", "b.png", "--scale", "2", "--overwrite", "--skip-existing"],
            "not both",
        ),
        (["train"], "RECIPE"),
        (["save-preset", "run"], "--output"),
        (["evaluate"], "--data"),
    ],
)
def test_usage_errors_are_one_line_and_code_2(arguments, word, tfsr, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_one_line(tfsr(*arguments), word, code=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options, size",
    [
        (("--scale", "3.7"), (59, 89)),
        (("--size", "237x173"), (173, 237)),
        (("--long-side", "60"), (40, 60)),
        (("--scale", "2x3"), (48, 48)),
        (("--short-side", "31"), (31, 47)),
        (("--megapixels", "0.0024"), (40, 60)),
    ],
)
def test_a_file_is_upscaled_to_the_size_asked_for(options, size, tfsr, preset, tmp_path):
    source = tiny.save(tmp_path / "in.png", tiny.image(16, 24))
    target = tmp_path / "out.png"
    code, out, err = tfsr("upscale", source, "-o", target, "--preset", preset, *options)
    assert (code, err) == (0, "")
    assert re.fullmatch(rf"{target}: 24x16 to {size[1]}x{size[0]}, \d+\.\d s\n", out), (
        "one line of what was done"
    )
    expected = from_preset(preset).upscale(to_float(read(source))[None], size)[0]
    np.testing.assert_array_equal(read(target), to_uint8(expected))
    assert files_under(tmp_path) == {"in.png", "out.png"}


def check_levels(preset, source, target, levels):
    """A file is the preset's output of another, up to some levels."""
    model, image, found = from_preset(preset), read(source), read(target)
    plan = model.plan(image.shape[:2], found.shape[:2])
    expected = to_uint8(np.asarray(model.render(model.encode(to_float(image)[None]), plan))[0])
    assert np.abs(found.astype(int) - expected).max() <= levels
    return model


@pytest.mark.parametrize("memory", ["64MiB", "768 KiB"])
def test_any_memory_gives_the_same_image(memory, tfsr, preset, tmp_path):
    source, target = tiny.save(tmp_path / "in.png", tiny.image(40, 44)), tmp_path / "out.png"
    options = ("--size", "97x83", "--preset", preset, "--memory", memory)
    code, _, err = tfsr("upscale", source, "-o", target, *options)
    assert (code, err) == (0, "")
    model = check_levels(preset, source, target, 1)
    in_tiles = model.renderer(parse_memory(memory)).lr_pixels < 40 * 44
    assert in_tiles == (memory == "768 KiB")


def test_too_little_memory_is_one_line(tfsr, preset, tmp_path):
    source = tiny.save(tmp_path / "in.png", tiny.image(40, 44))
    result = tfsr(
        *("upscale", source, "-o", tmp_path / "out.png", "--scale", "2"),
        *("--preset", preset, "--memory", "64KiB"),
    )
    check_one_line(result, "memory of 0.0625 MiB is not enough", source)
    assert files_under(tmp_path) == {"in.png"}


def test_a_precision_can_be_asked_for(tfsr, preset, tmp_path):
    source, target = tiny.save(tmp_path / "in.png", tiny.image(16, 24)), tmp_path / "out.png"
    options = ("--scale", "2.5", "--preset", preset, "--precision", "bfloat16")
    code, _, err = tfsr("upscale", source, "-o", target, *options)
    assert (code, err) == (0, "")
    check_levels(preset, source, target, 8)
    with pytest.raises(AssertionError):
        check_levels(preset, source, target, 0)


def test_a_self_ensemble_is_the_mean_over_mirror_images_rounded_once(tfsr, preset, tmp_path):
    image = tiny.image(16, 24)
    source, target = tiny.save(tmp_path / "in.png", image), tmp_path / "out.png"
    options = ("--scale", "2.5", "--preset", preset, "--self-ensemble")
    code, _, err = tfsr("upscale", source, "-o", target, *options)
    assert (code, err) == (0, "")
    both = np.stack([to_float(image), to_float(image[:, ::-1])])
    there, back = from_preset(preset).upscale(both, (40, 60))
    np.testing.assert_array_equal(read(target), to_uint8((there + back[:, ::-1]) / 2))


@pytest.mark.parametrize("source", ["a.png", "a.jpg", "a.webp"])
@pytest.mark.parametrize("target", ["b.png", "b.jpeg", "b.webp"])
def test_every_format_becomes_every_other(source, target, tfsr, preset, tmp_path):
    source = tiny.save(tmp_path / source, tiny.image(16, 24))
    options = ("--scale", "2", "--preset", preset)
    assert tfsr("upscale", source, "-o", tmp_path / target, *options)[0] == 0
    with Image.open(tmp_path / target) as image:
        assert image.size == (48, 32)
        assert (
            image.format == {".png": "PNG", ".jpeg": "JPEG", ".webp": "WEBP"}[Path(target).suffix]
        )


def test_the_same_command_writes_the_same_bytes(tfsr, preset, images, tmp_path):
    for out in ("a", "b"):
        assert tfsr("upscale", images, "-o", tmp_path / out, "--scale", 2.5, "--preset", preset)
    for name in ("0.png", "1.png", "2.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_folders_and_files_go_into_a_folder(tfsr, preset, images, tmp_path):
    lone = tiny.save(tmp_path / "lone.jpg", tiny.image(12, 14))
    out = tmp_path / "new" / "out"
    code, lines, err = tfsr("upscale", images, lone, "-o", out, "--scale", "2", "--preset", preset)
    assert (code, err) == (0, "")
    assert len(lines.splitlines()) == 4
    assert files_under(out) == {"0.png", "1.png", "2.png", "lone.jpg"}
    assert read(out / "0.png").shape == (40, 40, 3)
    assert read(out / "lone.jpg").shape == (24, 28, 3)


BAD = {
    "text.png": b"no image at all",
    "empty.png": b"",
    "cut.jpg": None,
    "missing.png": ...,
    "face.gif": b"GIF89a",
}


def bad_file(folder, name):
    """One of the files that cannot be upscaled."""
    path = folder / name
    content = BAD[name]
    if content is None:
        whole = tiny.save(folder / "whole.jpg", tiny.image(200, 200)).read_bytes()
        (folder / "whole.jpg").unlink()
        content = whole[: len(whole) // 2]
    if content is not ...:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_line_and_no_output(name, tfsr, preset, tmp_path):
    source = bad_file(tmp_path, name)
    out = tmp_path / "out"
    check_one_line(tfsr("upscale", source, "-o", out, "--scale", "2", "--preset", preset), name)
    assert files_under(out) == set()


def test_bad_files_among_good_ones_do_not_stop_them(tfsr, preset, images, tmp_path):
    sources = [images / "0.png", *(bad_file(tmp_path / "bad", name) for name in BAD), images]
    out = tmp_path / "out"
    code, lines, err = tfsr("upscale", *sources, "-o", out, "--scale", "2", "--preset", preset)
    assert code == 1
    assert files_under(out) == {"0.png", "1.png", "2.png"}
    assert len(lines.splitlines()) == 3
    # 0.png came twice: the second would have been written over the first.
    failures = err.splitlines()
    assert len(failures) == len(BAD) + 1
    assert all(line.startswith("tfsr: ") for line in failures)
    for name in (*BAD, "0.png"):
        assert sum(name in line for line in failures) == 1


@pytest.mark.parametrize(
    "options, word",
    [
        ((), "exactly one of scale"),
        (("--scale", "2", "--long-side", "9"), "exactly one"),
        (("--scale", "0"), "--scale"),
        (("--scale", "-2"), "--scale"),
        (("--scale", "nan"), "--scale"),
        (("--scale", "inf"), "--scale"),
        (("--scale", "1e9"), "400"),
        (("--scale", "1e300"), "400"),
        (("--size", "0x10"), "--size"),
        (("--size", "10"), "--size"),
        (("--size", "99999x99999"), "400"),
        (("--long-side", "0"), "--long-side"),
        (("--long-side", "-5"), "--long-side"),
        (("--scale", "2", "--memory", "512MB"), "--memory"),
        (("--scale", "2", "--memory", "0GiB"), "--memory"),
        (("--scale", "2", "--memory", "-1GiB"), "--memory"),
        (("--scale", "2", "--memory", "0.5B"), "--memory"),
        (("--scale", "2", "--precision", "bfloat61"), "Did you mean 'bfloat16'"),
        (("--scale", "2", "--precision", ""), "precision"),
    ],
)
def test_impossible_options_are_one_line(options, word, tfsr, preset, images, tmp_path):
    result = tfsr(
        "upscale", images / "0.png", "-o", tmp_path / "out.png", "--preset", preset, *options
    )
    # What depends on the image is known once it has been looked at.
    check_one_line(result, word, code=1 if word == "400" else 2)
    assert files_under(tmp_path) == {f"images/{i}.png" for i in range(3)}


@pytest.mark.parametrize("output", ["file", "file/under/it", "file/a.png"])
def test_an_output_folder_that_cannot_be_made_is_one_line(output, tfsr, preset, images, tmp_path):
    (tmp_path / "file").write_text("in the way")
    result = tfsr(
        "upscale", images / "0.png", "-o", tmp_path / output, "--scale", "2", "--preset", preset
    )
    check_one_line(result, "file")
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_source_is_not_written_over(tfsr, preset, images):
    before = (images / "0.png").read_bytes()
    for output in (images, images / "0.png"):
        result = tfsr("upscale", images / "0.png", "-o", output, "--scale", "2", "--preset", preset)
        check_one_line(result, images / "0.png")
    assert (images / "0.png").read_bytes() == before


def test_an_unknown_or_damaged_preset_is_one_line(tfsr, preset, images, tmp_path):
    options = ("upscale", images / "0.png", "-o", tmp_path / "out.png", "--scale", "2")
    check_one_line(tfsr(*options, "--preset", "nowhere"), "nowhere")
    check_one_line(tfsr(*options, "--preset", images), images, "metadata.json")
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for path in Path(preset).iterdir():
        (damaged / path.name).write_bytes(path.read_bytes())
    (damaged / "model.weights.h5").write_bytes(b"other")
    check_one_line(tfsr(*options, "--preset", damaged), "model.weights.h5")
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("name", ["two\nlines.png", ":smile:.png", "[bold]a[/bold].png"])
def test_strange_names_are_reported_as_they_are(name, tfsr, preset, tmp_path):
    result = tfsr(
        "upscale", tmp_path / name, "-o", tmp_path / "out", "--scale", "2", "--preset", preset
    )
    check_one_line(result, " ".join(name.split()))


def test_control_sequences_in_names_are_shown(tfsr, preset, tmp_path):
    name = "\x1b]0;owned\x07\x1b[2J.png"
    source = tiny.save(tmp_path / name, tiny.image(8, 8))
    options = ("--scale", "2", "--preset", preset)
    code, out, err = tfsr("upscale", source, "-o", tmp_path / "out", *options)
    assert (code, err) == (0, "") and "\\x1b]0;owned\\x07\\x1b[2J.png" in out
    code, out, err = tfsr("upscale", source, "-o", tmp_path / "out", *options)
    assert (code, out) == (1, "") and "\\x1b]0;owned" in err
    code, _, lines = tfsr("convert", source, "-o", tmp_path / "other")
    assert code == 1 and "\\x1b]0;owned" in lines
    assert not {"\x1b", "\x07"} & {*out, *err, *lines}


def test_as_a_process_only_its_own_lines_are_printed(preset, images, tmp_path):
    out = tmp_path / "out"
    bad = bad_file(tmp_path / "bad", "text.png")
    code, lines, err = process(
        "upscale", images, bad, "-o", out, "--scale", "2", "--preset", preset
    )
    assert code == 1
    assert len(lines.splitlines()) == 3
    (line,) = err.splitlines()
    assert line.startswith("tfsr: ") and "text.png" in line
    assert files_under(out) == {"0.png", "1.png", "2.png"}


@pytest.mark.slow
def test_as_a_process_names_that_are_no_text_are_no_obstacle(preset, tmp_path):
    name = os.fsdecode(b"\xff.png")
    source = tiny.save(tmp_path / name, tiny.image(8, 8))
    missing = tmp_path / os.fsdecode(b"\xfe.png")
    out = tmp_path / "out"
    code, lines, err = process(
        "upscale", source, missing, "-o", out, "--scale", "2", "--preset", preset
    )
    assert code == 1
    assert len(lines.splitlines()) == 1
    (line,) = err.splitlines()
    assert line.startswith("tfsr: ")
    assert files_under(out) == {name}


def test_as_a_process_wrong_arguments_are_reported_at_once(images, tmp_path):
    check_one_line(
        process("upscale", images, "-o", tmp_path / "out", "--scale", "nan"), "--scale", code=2
    )
    assert process("--version") == (0, f"tfsr {__version__}\n", "")
