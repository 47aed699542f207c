"""One image through pipes."""

import io
import subprocess
import sys

import numpy as np
import odd_files
import pytest
import tiny
from PIL import Image

TFSR = [sys.executable, "-m", "tfsr"]
OPTIONS = ("--scale", "2", "--preset", "bicubic")


def piped(content, *arguments):
    command = [*TFSR, "upscale", *map(str, arguments), *OPTIONS]
    return subprocess.run(command, input=content, capture_output=True, check=False, timeout=120)


def test_an_image_goes_through_pipes_as_through_files(tfsr, tmp_path):
    source = tmp_path / "a.jpg"
    tiny.save(source, tiny.image(12, 16))
    assert tfsr("upscale", source, "-o", tmp_path / "b.png", *OPTIONS)[0] == 0
    run = piped(source.read_bytes(), "-", "-o", "-")
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout == (tmp_path / "b.png").read_bytes()


@pytest.mark.slow
def test_the_format_is_asked_for_and_notes_go_to_the_standard_error(tmp_path):
    content = odd_files.encoded(Image.fromarray(odd_files.RGB).convert("CMYK"), "TIFF")
    run = piped(content, "-", "-o", "-", "--format", "webp")
    assert (run.returncode, run.stderr) == (0, b"tfsr: CMYK was converted to RGB\n")
    with Image.open(io.BytesIO(run.stdout)) as image:
        assert (image.format, image.size) == ("WEBP", (32, 24))


@pytest.fixture
def streamed(tfsr, monkeypatch, tmp_path):
    """The command line with a file as its standard input."""

    def run(content, *arguments):
        (tmp_path / "stream").write_bytes(content)
        with open(tmp_path / "stream") as file:
            monkeypatch.setattr(sys, "stdin", file)
            return tfsr("upscale", *arguments, *OPTIONS)

    return run


def test_a_stream_becomes_a_file(streamed, tmp_path):
    target = tmp_path / "b.png"
    code, out, err = streamed(odd_files.encoded(odd_files.RGB), "-", "-o", target)
    assert (code, err) == (0, "") and out.startswith(f"{target}: 16x12 to 32x24")
    with Image.open(target) as image:
        assert np.asarray(image).shape == (24, 32, 3)
    before = target.read_bytes()
    code, out, err = streamed(odd_files.encoded(odd_files.RGB), "-", "-o", target)
    assert (code, out) == (1, "") and err.startswith(f"tfsr: -: {target} exists")
    assert target.read_bytes() == before


GOOD = odd_files.encoded(odd_files.RGB)


@pytest.mark.parametrize(
    ("content", "arguments", "words"),
    [
        (odd_files.animation("WEBP"), ("-", "-o", "-"), "-: has 3 images"),
        (b"text", ("-", "-o", "-"), "-: not a PNG"),
        (b"", ("-", "-o", "-"), "-: the file is empty"),
        (GOOD[:200], ("-", "-o", "-"), "-: damaged or cut short"),
        (GOOD, ("-", "-o", "folder"), "folder: the suffix must be one of"),
        (GOOD, ("-", "-", "-o", "-"), "-: is one image"),
        (GOOD, ("-", "-o", "-", "--json"), "-: is one image; leave out --json"),
        (GOOD, ("-", "-o", "-", "--format", "gif"), "--format must be one of"),
        (GOOD, ("missing.png", "-o", "-"), "missing.png: cannot be read"),
    ],
)
def test_what_is_no_image_to_stream_is_one_line(content, arguments, words, streamed):
    code, out, err = streamed(content, *arguments)
    assert code in (1, 2) and out == ""
    assert err.startswith(f"tfsr: {words}") and err.count("\n") == 1


@pytest.mark.slow
def test_a_reader_that_ends_ends_it():
    with subprocess.Popen(
        [*TFSR, "upscale", "-", "-o", "-", *OPTIONS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        process.stdin.write(odd_files.encoded(odd_files.RGB))
        process.stdin.close()
        assert process.stderr.read() == b""  # As other programs in pipes.
    assert process.returncode == 1
