import json
import re

import pytest
import tiny
from checks import check_one_line

from tfsr.images import read


@pytest.fixture
def small(tmp_path):
    return tiny.save(tmp_path / "small.png", tiny.image(12, 16))


def test_a_tflite_file_is_written_reported_inspected_and_run(tfsr, preset, small, tmp_path):
    file, options = (
        tmp_path / "x2.tflite",
        ("--lr-size", "16x12", "--scales", "2", "--sizes", "21x23"),
    )
    code, out, err = tfsr("export", "tflite", "--preset", preset, *options, "-o", file)
    assert (code, err) == (0, "")
    assert re.fullmatch(
        rf"{file}: 0\.\d\d MiB, agrees with the model to 1\d\d\.\d dB \(largest difference .*\)\n",
        out,
    )

    code, out, err = tfsr("inspect", file)
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert (found["lr_size"], found["sizes"]) == ([12, 16], [[24, 32], [23, 21]])

    for size, shape in (("32x24", (24, 32, 3)), ("21x23", (23, 21, 3))):
        target = tmp_path / f"{size}.png"
        code, _, err = tfsr("upscale", small, "-o", target, "--preset", file, "--size", size)
        assert (code, err) == (0, "")
        assert read(target).shape == shape


def test_an_onnx_file_is_written_reported_inspected_and_run(tfsr, preset, small, tmp_path):
    file, target = tmp_path / "x2.onnx", tmp_path / "large.png"
    code, out, err = tfsr("export", "onnx", "--preset", preset, "--scale", "2", "-o", file)
    assert (code, err) == (0, "")
    assert out.startswith(f"{file}: 0.")
    code, out, err = tfsr("inspect", file)
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert (found["format"], found["scale"], found["lr_size"]) == ("onnx", 2, None)
    assert found["preset"]["sha256"] and found["tfsr"]
    upscale = "upscale", small, "-o", target, "--preset", file, "--scale"
    check_one_line(tfsr(*upscale, "3"), "upscales by 2 only")
    assert not target.exists()
    code, _, err = tfsr(*upscale, "2")
    assert (code, err) == (0, "")
    assert read(target).shape == (24, 32, 3)


@pytest.mark.slow
def test_a_saved_model_is_written_with_its_limits_inspected_and_run(tfsr, preset, small, tmp_path):
    directory, target = tmp_path / "served", tmp_path / "large.png"
    limits = "--max-input", "0.002048", "--max-output", "0.016384"
    code, out, err = tfsr("export", "saved-model", "--preset", preset, "-o", directory, *limits)
    assert (code, err) == (0, "")
    assert out.startswith(f"{directory / '1'}: ")

    code, out, err = tfsr("inspect", directory)
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert (found["max_input_pixels"], found["max_output_pixels"]) == (2048, 16384)

    upscale = "upscale", small, "-o", target, "--preset", directory, "--size"
    check_one_line(tfsr(*upscale, "129x128"), "16384", "pixels")
    assert not target.exists()
    code, _, err = tfsr(*upscale, "128x128")
    assert (code, err) == (0, "")
    assert read(target).shape == (128, 128, 3)


OPTIONS = ("tflite", "--lr-size", "16x12", "-o", "a.tflite", "--scales")


@pytest.mark.parametrize(
    ("options", "words", "code"),
    [
        (OPTIONS[:-1], ("--scales", "--sizes"), 1),
        ((*OPTIONS, "2", "--lr-size", "16"), ("--lr-size must be",), 2),
        ((*OPTIONS, "two"), ("--scales", "'two'"), 2),
        ((*OPTIONS, "1e308"), ("--scales", "1e+308"), 1),
        ((*OPTIONS, "1e5"), ("100 megapixels",), 1),
        ((*OPTIONS, "2", "-o", "a.bin"), ("a.bin", ".tflite"), 1),
        ((*OPTIONS, "2", "--quantize", "int9"), ("int9", "int8"), 1),
        ((*OPTIONS, "2", "--quantize", "int8"), ("calibration",), 1),
        (("onnx", "-o", "a.onnx", "--size", "8x8"), ("--size", "lr_size"), 1),
        (("onnx", "-o", "a.onnx", "--scale", "0.5"), ("--scale", "0.5"), 1),
        (("onnx", "-o", "a.bin"), ("a.bin", ".onnx"), 1),
        (("saved-model", "-o", "a", "--version", "0"), ("version",), 1),
        (("saved-model", "-o", "a", "--max-input", "0.002047"), ("--max-input", "2048"), 1),
    ],
)
def test_what_cannot_be_exported_is_one_line(
    options, words, code, tfsr, preset, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    check_one_line(tfsr("export", *options, "--preset", preset), *words, code=code)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_only_when_asked(tfsr, preset, tmp_path):
    path = tmp_path / "a.tflite"
    path.write_bytes(b"mine")
    arguments = ("export", "tflite", "--preset", preset, "--lr-size", "16x12", "--scales", "2")
    code, _, err = tfsr(*arguments, "-o", path)
    assert code == 1 and f"{path}: exists; --overwrite replaces it" in err
    assert path.read_bytes() == b"mine"
