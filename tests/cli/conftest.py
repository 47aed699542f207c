"""The command line, run in this process, and a preset for it."""

import sys

import keras
import pytest
import tiny

from tfsr import ImplicitSR
from tfsr.cli import main
from tfsr.presets import save_preset


@pytest.fixture(scope="session")
def preset(tmp_path_factory):
    keras.utils.set_random_seed(0)
    directory = tmp_path_factory.mktemp("preset") / "tiny"
    save_preset(ImplicitSR.from_config(tiny.MODEL), directory, {})
    return str(directory)


@pytest.fixture
def tfsr(monkeypatch, capfd):
    """The command line in this process: (exit code, standard output, standard error)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tfsr", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as caught:
            main()
        code = caught.value.code
        assert isinstance(code, int)
        return code, *capfd.readouterr()

    return run
