"""What the command line says before any work: help, suggestions, completion."""

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
    assert len(lines) <= (51 if words else 25)
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
for line in sys.argv[1:]:
    sys.argv = ["tfsr", *line.split()]
    try:
        main()
    except SystemExit as end:
        heavy = {"tensorflow", "keras", "jax", "torch", "numpy"} & set(sys.modules)
        print(":".join([str(end.code), *heavy]), file=sys.stderr)
"""


def test_outputs_do_not_wait_for_tensorflow():
    lines = "--help", "upscale --help", f"presets show {DEFAULT}", "upscale a.png --scal 2"
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *lines], capture_output=True, text=True, check=False
    )
    codes = [line for line in done.stderr.splitlines() if not line.startswith("tfsr: ")]
    assert codes == ["0", "0", "0", "2"]


@pytest.fixture
def completed(tfsr, monkeypatch):
    """The words with which the shell completes a line."""

    def complete(line):
        words = shlex.split(line) + ([""] if line.endswith(" ") else [])
        monkeypatch.setenv("_TFSR_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        _, out, err = tfsr()
        assert err == ""
        return out.split()

    return complete


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tfsr ups", ["upscale"]),
        ("tfsr upscale --long", ["--long-side"]),
        ("tfsr upscale --preset fac", [DEFAULT]),
        ("tfsr presets show fac", [DEFAULT]),
        ("tfsr evaluate --preset zzz", []),
    ],
)
def test_the_shell_completes_verbs_options_and_presets(line, words, completed):
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
