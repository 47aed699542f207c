"""--device and --threads. Threads are set before TensorFlow starts: in processes of their own."""

import subprocess
import sys

import keras
import pytest
import tensorflow as tf
import tiny


@pytest.fixture
def command(preset, tmp_path):
    """Arguments that upscale an image, and the file that they write."""
    source = tiny.save(tmp_path / "in.png", tiny.image(40, 44))
    target = tmp_path / "out.png"
    options = ("--size", "97x83", "--preset", preset)
    return ("upscale", source, "-o", target, *options), target


@pytest.mark.parametrize(
    ("option", "value"),
    [("--device", value) for value in ("tpu", "GPU", "gpu:", "gpu:-1", "gpu:0x1", "gpu:²", "", "0")]
    + [("--threads", value) for value in ("0", "-1", "257", "two", "1.5")],
)
def test_other_values_are_usage_errors(option, value, command, tfsr):
    arguments, target = command
    code, out, err = tfsr(*arguments, option, value)
    (line,) = err.splitlines()
    assert (code, out) == (2, "")
    assert line.startswith("tfsr: ") and option in line
    assert not target.exists()


def test_a_device_that_is_not_there_is_one_line(command, tfsr):
    count = len(tf.config.list_physical_devices("GPU"))
    arguments, target = command
    code, out, err = tfsr(*arguments, "--device", f"gpu:{count}")
    (line,) = err.splitlines()
    assert (code, out) == (1, "")
    assert f"--device gpu:{count}" in line and "cpu" in line
    assert not target.exists()


def test_a_tflite_file_runs_on_the_processor(tfsr, tmp_path):
    arguments = ("upscale", "a.png", "-o", "b.png", "--scale", "2", "--preset", "x.tflite")
    code, _, err = tfsr(*arguments, "--device", "gpu")
    assert code == 2
    assert "a .tflite file runs on the cpu" in err


PROGRAM = """
import sys
from tfsr.cli import main
try:
    main()
finally:
    tf = sys.modules.get("tensorflow")
    if tf:
        get = tf.config.threading
        counts = get.get_intra_op_parallelism_threads(), get.get_inter_op_parallelism_threads()
        print(*counts, len(tf.config.get_visible_devices("GPU")))
"""


def run(*arguments):
    """The command in a process: (exit code, lines of standard output, standard error)."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines(), done.stderr


@pytest.mark.slow
def test_threads_are_taken_and_change_no_byte(command):
    arguments, target = command
    outputs = []
    for threads in (1, 3):
        code, lines, err = run(*arguments, "--overwrite", "--threads", threads, "--device", "cpu")
        assert (code, err) == (0, "")
        assert lines[-1] == f"{threads} {threads} 0"
        outputs.append(target.read_bytes())
    assert outputs[0] == outputs[1]


def test_other_backends_have_no_such_options(command, tfsr, monkeypatch):
    """As where Keras runs on JAX, which is not installed with tfsr."""
    arguments, target = command
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    code, out, err = tfsr(*arguments, "--threads", "1")
    assert (code, out) == (1, "")
    assert "Keras runs on jax" in err and len(err.splitlines()) == 1
    assert not target.exists()
