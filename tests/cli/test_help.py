"""What the command line says before any work: help, suggestions, completion."""

import os
import shlex
import subprocess
import sys

import pytest
import typer

from tfsr.cli import app
from tfsr.presets import DEFAULT

WIDTH = 100


def verbs(command, words=()):
    """Every verb's words, those of groups too."""
    yield words
    for name, inner in getattr(command, "commands", {}).items():
        yield from verbs(inner, (*words, name))


VERBS = list(verbs(typer.main.get_command(app)))


@pytest.fixture(autouse=True)
def _width(monkeypatch):
    monkeypatch.setenv("COLUMNS", str(WIDTH))


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_help_fits_a_screen_and_shows_an_example(words, tfsr):
    code, out, err = tfsr(*words, "--help")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) <= (50 if words else 24)
    assert max(map(len, lines)) <= WIDTH
    assert "Usage: tfsr" in out
    assert "Example: tfsr" in out
    assert "…" not in out


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("upscal a.png", "upscale"),
        ("exprt tflite", "export"),
        ("export tflit", "tflite"),
        ("presets shwo", "show"),
        ("upscale a.png -o b.png --scal 2", "--scale"),
        ("upscale a.png -o b.png --longside 9", "--long-side"),
        ("upscale a.png -o b.png --presett x", "--preset"),
        ("train --stratgy one", "--strategy"),
        ("--versio", "--version"),
    ],
)
def test_the_nearest_right_word_is_suggested(line, word, tfsr):
    code, out, err = tfsr(*line.split())
    assert (code, out) == (2, "")
    assert err.startswith("tfsr: No such ")
    assert err.endswith(f". Did you mean '{word}'?\n")


@pytest.mark.parametrize("option", ["--zzzzz", "-z"])
def test_what_is_near_nothing_is_still_one_line(option, tfsr):
    assert tfsr("upscale", option) == (2, "", f"tfsr: No such option: {option}\n")


IMPORTED = """
import sys
from tfsr.cli import main
try:
    main()
finally:
    heavy = {"tensorflow", "keras", "jax", "torch", "numpy"} & set(sys.modules)
    print(":".join(["imported", *heavy]), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "line", ["--help", "upscale --help", "upscale a.png --scal 2", f"presets show {DEFAULT}"]
)
def test_outputs_do_not_wait_for_tensorflow(line):
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *line.split()], capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[-1] == "imported"
    assert done.returncode == (2 if "--scal" in line else 0)


def completed(line):
    """What the shell is told to complete a line with, in a process as the shell starts it."""
    words = shlex.split(line) + ([""] if line.endswith(" ") else [])
    environment = {
        **os.environ,
        "_TFSR_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    program = "from tfsr.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tfsr ups", ["upscale"]),
        ("tfsr upscale --long", ["--long-side"]),
        ("tfsr upscale --preset arasfsr-comp", [DEFAULT]),
        ("tfsr presets show arasfsr-comp", [DEFAULT]),
        ("tfsr evaluate --preset zzz", []),
    ],
)
def test_the_shell_completes_verbs_options_and_presets(line, words):
    found = completed(line)
    assert set(words) <= set(found)
    assert all(word.startswith(line.split()[-1]) for word in found)


def test_the_script_that_completes_is_printed():
    program = (
        "import sys; sys.argv = ['tfsr', '--show-completion']; from tfsr.cli import main; main()"
    )
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -c "{program}"; true'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "complete -o default -F _tfsr_completion tfsr" in done.stdout
