"""Batches as people run them: reports, reruns, interruptions, full disks."""

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import odd_files
import pytest
import tiny
from PIL import Image
from privileges import ordinary

from tfsr.images import read, read_image
from tfsr.images.formats import SUFFIXES

TFSR = Path(sys.executable).with_name("tfsr")


@pytest.fixture
def images(tmp_path):
    return tiny.folder(tmp_path / "images", side=20)


@pytest.fixture
def upscale(tfsr, preset):
    """`tfsr upscale` with the tiny preset and x2, by default."""

    def run(*arguments):
        sized = {"--scale", "--size", "--long-side"} & set(arguments)
        options = () if sized else ("--scale", "2")
        if "--preset" not in arguments:
            options += ("--preset", preset)
        return tfsr("upscale", *arguments, *options)

    return run


def names_under(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_line_of_json_for_each_file(upscale, images, tmp_path):
    (images / "3.png").write_bytes(b"text")
    code, out, err = upscale(images, "-o", tmp_path / "out", "--json")
    records = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert [record["status"] for record in records] == ["done"] * 3 + ["failed"]
    first, last = records[0], records[-1]
    assert first["source"] == str(images / "0.png")
    assert first["target"] == str(tmp_path / "out" / "0.png")
    assert (first["lr_size"], first["size"], first["error"]) == ([20, 20], [40, 40], None)
    assert first["seconds"] > 0
    assert last["size"] is None
    assert err == f"tfsr: {last['error']}\n"


def test_a_report_tells_of_every_file(upscale, images, tmp_path):
    (images / "3.png").write_bytes(b"text")
    report = tmp_path / "report.json"
    sources = (images, tmp_path / "missing.png")
    assert upscale(*sources, "-o", tmp_path / "out", "--report", report)[0] == 1
    found = json.loads(report.read_text())
    assert (found["done"], found["skipped"], found["failed"]) == (3, 0, 2)
    assert {Path(record["source"]).name for record in found["files"]} == {
        *("0.png", "1.png", "2.png", "3.png", "missing.png")
    }


def test_a_report_that_cannot_be_written_is_reported_before_any_work(upscale, images, tmp_path):
    for report in (tmp_path, tmp_path / "nowhere" / "report.json", images / "0.png"):
        code, out, err = upscale(images / "0.png", "-o", tmp_path / "out", "--report", report)
        assert (code, out) == (1, "")
        assert str(report) in err and len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    assert read(images / "0.png").shape == (20, 20, 3)


def test_a_report_replaces_nothing_but_reports(upscale, images, tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("mine")
    before = (images / "0.png").read_bytes()
    code, _, err = upscale(images, "-o", tmp_path / "out", "--report", notes)
    assert (code, notes.read_text()) == (1, "mine")
    assert f"{notes}: exists and is not a tfsr report" in err
    for report in (images / "0.png", tmp_path / "out" / "1.png"):
        arguments = (images, "-o", tmp_path / "out", "--report", report, "--overwrite")
        code, out, err = upscale(*arguments)
        assert (code, out) == (1, "") and f"overwrite {report}" in err
    assert (images / "0.png").read_bytes() == before
    assert list((tmp_path / "out").iterdir()) == []
    notes.unlink()
    for existing in ((), ("--skip-existing",)):
        assert upscale(images, "-o", tmp_path / "out", "--report", notes, *existing)[0] == 0
    assert json.loads(notes.read_text())["skipped"] == 3
    notes.write_text("mine")
    assert upscale(images, "-o", tmp_path / "o", "--report", notes, "--overwrite")[0] == 0


def test_a_report_goes_into_a_pipe(upscale, images, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    arguments = (images, "-o", tmp_path / "out", "--report", pipe)
    code, _, err = upscale(*arguments)  # Nobody reads it.
    assert code == 1 and f"{pipe}: cannot be written" in err
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        assert upscale(*arguments, "--skip-existing")[0] == 0
        assert json.loads(reader.stdout.read())["skipped"] == 3
    assert pipe.is_fifo()


def test_files_that_are_there_are_not_replaced_unasked(upscale, images, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "1.png").write_bytes(b"mine")
    code, _, err = upscale(images, "-o", out)
    assert code == 1
    (line,) = err.splitlines()
    assert str(out / "1.png") in line and "overwrite or skip existing" in line
    assert (out / "1.png").read_bytes() == b"mine"
    assert names_under(out) == {"0.png", "1.png", "2.png"}
    assert upscale(images, "-o", out, "--overwrite")[0] == 0
    assert read(out / "1.png").shape == (40, 40, 3)


def test_an_input_is_not_replaced_even_when_asked(upscale, images):
    before = (images / "0.png").read_bytes()
    os.link(images / "0.png", images / "same.png")
    for target in (images, images / "0.png", images / "same.png"):
        code, _, err = upscale(images / "0.png", "-o", target, "--overwrite")
        assert code == 1 and "would overwrite a source" in err
    assert (images / "0.png").read_bytes() == before


def test_done_files_are_skipped_and_the_others_done(upscale, images, tmp_path):
    out = tmp_path / "out"
    assert upscale(images, "-o", out)[0] == 0
    whole = (out / "1.png").read_bytes()
    (out / "1.png").write_bytes(whole[:-30])
    shutil.copy(images / "2.png", out / "2.png")
    before = (out / "0.png").stat().st_mtime_ns
    code, lines, err = upscale(images, "-o", out, "--skip-existing", "--json")
    assert (code, err) == (0, "")
    statuses = {r["target"][-5:]: r["status"] for r in map(json.loads, lines.splitlines())}
    assert statuses == {"0.png": "skipped", "1.png": "done", "2.png": "done"}
    assert (out / "1.png").read_bytes() == whole
    assert (out / "0.png").stat().st_mtime_ns == before


@pytest.mark.slow
def test_when_all_is_done_no_model_is_loaded(tfsr, upscale, images, tmp_path):
    out = tmp_path / "out"
    assert upscale(images, "-o", out)[0] == 0
    options = ("--scale", "2", "--skip-existing", "--preset", "nowhere")
    assert tfsr("upscale", images, "-o", out, *options)[0] == 0
    # Nor does TensorFlow have a word to say.
    lines, err = started(images, "-o", out, *options).communicate(timeout=60)
    assert (len(lines.splitlines()), err) == (3, "")


def test_a_thousand_done_files_take_a_moment(upscale, images, tmp_path):
    out = tmp_path / "out"
    assert upscale(images / "0.png", "-o", out)[0] == 0
    for number in range(3, 1000):
        os.link(images / "0.png", images / f"{number}.png")
    for number in range(1, 1000):
        shutil.copy(out / "0.png", out / f"{number}.png")
    start = time.monotonic()
    code, lines, err = upscale(images, "-o", out, "--skip-existing", "--json")
    assert time.monotonic() - start < 5
    assert (code, err) == (0, "")
    assert [json.loads(line)["status"] for line in lines.splitlines()] == ["skipped"] * 1000


@pytest.mark.slow
def test_the_same_command_gives_the_same_bytes(upscale, preset, tmp_path):
    """Here and in a process of its own, in every format that is written."""
    folder = tiny.folder(tmp_path / "in", count=1, side=20)
    for suffix in SUFFIXES:
        tiny.save(folder / f"image{suffix}", tiny.image(20, 24))
    for name in ("rgba16.png", "rgb16.tif", "grey16.tif", "animated.webp", "profile.png"):
        (folder / name).write_bytes(odd_files.IMAGES[name][0])
    options = ("--scale", "2.3", "--frames")
    assert upscale(folder, "-o", tmp_path / "here", *options)[0] == 0
    process = started(folder, "-o", tmp_path / "there", *options, "--preset", preset)
    assert process.communicate(timeout=120)[1] == ""
    names = names_under(folder)
    assert len(names) == 1 + len(SUFFIXES) + 5
    for name in names:
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()


def test_another_size_is_not_done_yet(upscale, images, tmp_path):
    out = tmp_path / "out"
    assert upscale(images, "-o", out)[0] == 0
    assert upscale(images, "-o", out, "--skip-existing", "--long-side", "50")[0] == 0
    assert read(out / "0.png").shape == (50, 50, 3)


def test_folders_in_folders_keep_their_places(upscale, images, tmp_path):
    tiny.folder(images / "inner" / "most", count=1, side=12)
    tiny.folder(images / ".hidden", count=1, side=12)
    (images / "circle").symlink_to(images)
    # The outputs lie in the folder of the questions: a second run must not take them for those.
    out = images / "out"
    for options in (("--recursive",), ("--recursive", "--overwrite")):
        assert upscale(images, "-o", out, *options)[0] == 0
        assert names_under(out) == {"0.png", "1.png", "2.png", "inner/most/0.png"}
    assert upscale(images, "-o", tmp_path / "flat")[0] == 0
    assert names_under(tmp_path / "flat") == {"0.png", "1.png", "2.png"}


def test_patterns_are_matched(upscale, images, tmp_path):
    tiny.save(images / "a.jpg", tiny.image(9, 9))
    assert upscale(images / "[01].*", "-o", tmp_path / "out")[0] == 0
    assert names_under(tmp_path / "out") == {"0.png", "1.png"}
    code, _, err = upscale(images / "*.webp", "-o", tmp_path / "out")
    assert code == 1 and "no file or folder matches" in err
    # A file of that name is meant before what it would match.
    os.rename(images / "0.png", images / "[1].png")
    assert upscale(images / "[1].png", "-o", tmp_path / "exact.png")[0] == 0


def test_what_several_files_lost_is_one_line(upscale, images, tmp_path):
    for name in ("0.jpg", "1.jpg"):
        Image.open(images / "0.png").convert("CMYK").save(images / name)
    code, out, err = upscale(images, "-o", tmp_path / "out")
    *lines, note = out.splitlines()
    assert (code, err, len(lines)) == (0, "", 5)
    assert note == "2 of 5 files: CMYK was converted to RGB"
    assert not any("CMYK" in line for line in lines)
    _, out, _ = upscale(images / "0.jpg", "-o", tmp_path / "one.jpg")
    assert "; CMYK was converted to RGB" in out


def test_double_stars_enter_no_links(upscale, images, tmp_path):
    deep = images / "a" / "b"
    deep.mkdir(parents=True)
    (images / "0.png").rename(deep / "0.png")
    (images / ".hidden").mkdir()
    shutil.copy(images / "1.png", images / ".hidden")
    # Each leads to all of the others: paths without end.
    for number in range(8):
        (deep / f"link{number}").symlink_to(images, target_is_directory=True)
    for number, pattern in enumerate(("**/*.png", "**/**/[0-9].*", "**/b/**/*.png")):
        out = tmp_path / f"out{number}"
        assert upscale(images / pattern, "-o", out)[0] == 0
        others = set() if "b" in pattern else {"1.png", "2.png"}
        assert names_under(out) == {"a/b/0.png", *others}


def test_a_match_that_fails_does_not_hide_the_others(upscale, images, tmp_path):
    (images / "0.png").rename(images / "a.png")
    (images / "m").mkdir()
    code, out, err = upscale(images / "*", "-o", tmp_path / "out")
    assert (code, len(out.splitlines())) == (1, 3)
    assert err.startswith(f"tfsr: {images / 'm'}: no image in it") and err.count("\n") == 1


def test_a_pattern_does_not_match_the_outputs(upscale, images):
    inner = tiny.folder(images / "inner", count=4, side=12)
    for number in range(3):
        (inner / f"{number}.png").unlink()
    out = images / "out"
    for pattern in ("*", "**", "**/*.png"):
        code, lines, err = upscale(images / pattern, "-o", out, "--skip-existing")
        assert (code, len(lines.splitlines()), err) == (0, 4, "")
    # Of a folder that matches the files go into the output; of ** folders are kept.
    assert names_under(out) == {"0.png", "1.png", "2.png", "3.png", "inner/3.png"}


def test_a_folder_that_may_not_be_entered_is_named_and_the_rest_is_done(upscale, images, tmp_path):
    closed = tiny.folder(images / "closed", count=1, side=12)
    closed.chmod(0)
    out = tmp_path / "out"
    try:
        with ordinary():
            tree = upscale(images, "-o", out, "--recursive")
            inside = upscale(closed / "0.png", images / "1.png", "-o", tmp_path / "two")
            others = [
                upscale(images / "0.png", "-o", closed / "out.png"),
                upscale(images / "0.png", "-o", tmp_path / "o", "--preset", closed / "x"),
            ]
    finally:
        closed.chmod(0o700)
    assert (tree[0], len(tree[1].splitlines())) == (1, 3)
    assert tree[2] == f"tfsr: {closed}: cannot be listed: Permission denied\n"
    assert (inside[0], len(inside[1].splitlines()), len(inside[2].splitlines())) == (1, 1, 1)
    for code, lines, err in others:
        assert (code, lines, len(err.splitlines())) == (1, "", 1)
        assert str(closed) in err


def test_names_that_are_too_long_are_one_line(upscale, images, tmp_path):
    long, image = tmp_path / ("a" * 300 + ".png"), images / "0.png"
    code, lines, err = upscale(long, image, "-o", tmp_path / "out")
    assert (code, len(lines.splitlines()), len(err.splitlines())) == (1, 1, 1)
    for arguments in (
        (long, "-o", tmp_path / "out"),
        (image, "-o", long),
        (image, "-o", long / "x.png"),
        (image, "-o", tmp_path / "o", "--report", long),
        (image, "-o", tmp_path / "o", "--preset", long),
    ):
        code, lines, err = upscale(*arguments)
        assert (code, lines, len(err.splitlines())) == (1, "", 1)
        assert long.stem in err


@pytest.mark.slow
def test_a_full_output_is_one_line(images, preset, tmp_path):
    arguments = (images, "-o", tmp_path / "out", "--scale", "2", "--preset", preset)
    with open("/dev/full", "w") as full:
        process = started(*arguments, stdout=full)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err == "tfsr: the output: cannot be read or written: No space left on device\n"


@pytest.mark.slow
def test_closed_streams_are_no_images(images, preset, tmp_path):
    out = tmp_path / "out"
    command = 'exec "$0" upscale "$1" -o "$2" --scale 2 --preset "$3" 0<&- 1>&- 2>&-'
    arguments = ("sh", "-c", command, TFSR, images, out, preset)
    assert subprocess.run(arguments, timeout=60).returncode == 0
    assert [read(path).shape for path in sorted(out.iterdir())] == [(40, 40, 3)] * 3


def test_a_format_and_a_quality_can_be_asked_for(upscale, images, tmp_path):
    lengths = []
    for quality in ("20", "90"):
        out = tmp_path / quality
        assert upscale(images, "-o", out, "--format", "jpg", "--quality", quality)[0] == 0
        assert names_under(out) == {"0.jpg", "1.jpg", "2.jpg"}
        lengths.append((out / "0.jpg").stat().st_size)
    assert lengths[0] < lengths[1]
    code, _, err = upscale(images / "0.png", "-o", tmp_path / "a.png", "--format", "jpg")
    assert code == 1 and "does not match the format" in err


@pytest.mark.parametrize("fit", ["stretch", "cover", "contain"])
def test_a_size_is_met_whatever_the_shape(fit, upscale, tmp_path):
    source = tiny.save(tmp_path / "in.png", tiny.image(20, 20))
    assert upscale(source, "-o", tmp_path / "o.png", "--size", "60x41", "--fit", fit)[0] == 0
    output = read(tmp_path / "o.png")
    assert output.shape == (41, 60, 3)
    assert (output[:, 0] == 0).all() == (fit == "contain")


def test_all_frames_can_be_asked_for(upscale, tmp_path):
    frames = [Image.fromarray(tiny.image(12, 16, seed)) for seed in range(3)]
    source = tmp_path / "in.png"
    frames[0].save(source, save_all=True, append_images=frames[1:], duration=80)
    assert upscale(source, "-o", tmp_path / "all.webp", "--frames")[0] == 0
    with Image.open(tmp_path / "all.webp") as image:
        assert (image.n_frames, image.size) == (3, (32, 24))
    code, out, _ = upscale(source, "-o", tmp_path / "first.png")
    assert code == 0 and "the first of its 3 images" in out
    options = ("--format", "webp", "--skip-existing")
    assert upscale(source, "-o", tmp_path, *options)[0] == 0
    for status in ("done", "skipped"):
        code, out, _ = upscale(source, "-o", tmp_path, *options, "--frames", "--json")
        assert (code, json.loads(out)["status"]) == (0, status)
    with Image.open(tmp_path / "in.webp") as image:
        assert image.n_frames == 3
    code, _, err = upscale(source, "-o", tmp_path / "all.jpg", "--frames")
    assert code == 1 and "holds one image" in err


def test_limits_are_reported_with_what_would_be_needed(upscale, tmp_path):
    source = tiny.save(tmp_path / "in.png", tiny.image(100, 200))
    code, _, err = upscale(source, "-o", tmp_path / "o.png", "--max-input", "0.019")
    assert code == 1 and "200x100 is 0.02 megapixels; the limit is 0.019" in err
    code, _, err = upscale(source, "-o", tmp_path / "o.png", "--max-output", "0.07")
    assert code == 1 and "400x200 is 0.08 megapixels; the limit is 0.07" in err
    code, _, err = upscale(source, "-o", tmp_path / "o.webp", "--size", "20000x2")
    assert code == 1 and "16383" in err
    code, _, err = upscale(source, "-o", tmp_path / "o.jpg", "--size", "65501x2")
    assert code == 1 and "65500" in err
    limits = ("--max-input", "0.02", "--max-output", "0.08")
    assert upscale(source, "-o", tmp_path / "o.png", *limits)[0] == 0


def test_a_full_disk_is_one_line_a_file(upscale, images, tmp_path):
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, old[1]))
    try:
        code, out, err = upscale(images, "-o", tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert (code, out) == (1, "")
    lines = err.splitlines()
    assert len(lines) == 3
    assert all(os.strerror(errno.EFBIG) in line for line in lines)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_target_that_may_not_be_written_is_one_line(upscale, images, tmp_path):
    out = tmp_path / "out"
    out.mkdir(mode=0o555)
    with ordinary():
        code, lines, err = upscale(images / "0.png", "-o", out)
    assert (code, lines) == (1, "")
    assert str(out) in err and len(err.splitlines()) == 1
    assert list(out.iterdir()) == []


def started(*arguments, stdout=subprocess.PIPE):
    """A process of its own, whose lines can be waited for."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [TFSR, "upscale", *map(str, arguments)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    )


@pytest.fixture
def long_batch(preset, tmp_path):
    """Arguments of a batch of many files, its folder and the number of files."""
    source = tiny.folder(tmp_path / "many", count=1, side=24) / "0.png"
    for number in range(1, 150):
        shutil.copy(source, source.with_name(f"{number}.png"))
    out = tmp_path / "out"
    arguments = (source.parent, "-o", out, "--scale", "8", "--preset", preset, "--skip-existing")
    return arguments, out, 150


def check_visible_files_are_whole(out):
    for path in out.glob("[!.]*"):
        assert read_image(path).size == (192, 192), path


@pytest.mark.slow
def test_killed_at_any_moment_nothing_corrupt_is_seen_and_a_rerun_completes(long_batch, tfsr):
    arguments, out, count = long_batch
    moments = np.random.default_rng(0).uniform(0, 0.3, 2)
    for moment in moments:
        process = started(*arguments)
        # The first line comes when the model is loaded and the batch has begun.
        process.stdout.readline()
        time.sleep(moment)
        process.kill()
        process.communicate()
        check_visible_files_are_whole(out)
        assert 0 < len(list(out.glob("[!.]*"))) < count
    assert tfsr("upscale", *arguments)[0] == 0
    assert len(list(out.glob("[!.]*"))) == count
    check_visible_files_are_whole(out)


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_batch_says_so_in_one_line(sent, long_batch, tmp_path):
    arguments, out, count = long_batch
    report = tmp_path / "report.json"
    process = started(*arguments, "--report", report)
    process.stdout.readline()
    process.send_signal(sent)
    lines, err = process.communicate(timeout=60)
    assert process.returncode == 128 + sent
    assert err == "tfsr: interrupted\n"
    assert len(list(out.iterdir())) < count
    assert all(path.suffix == ".png" for path in out.iterdir())
    check_visible_files_are_whole(out)
    assert json.loads(report.read_text())["done"] >= 1 + len(lines.splitlines())
