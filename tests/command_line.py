"""Fixtures: the command line, run in this process, and a preset for it."""

import sys
from functools import lru_cache

import keras
import pytest
import tiny

from tfsr import ImplicitSR
from tfsr.cli import main
from tfsr.inference import loading
from tfsr.presets import save_preset

load_path = loading._load_path


@pytest.fixture(scope="session")
def preset(tmp_path_factory):
    keras.utils.set_random_seed(0)
    directory = tmp_path_factory.mktemp("preset") / "tiny"
    save_preset(ImplicitSR.from_config(tiny.MODEL), directory, {})
    return str(directory)


@lru_cache(4)
def loaded(spec, files, *options):
    """The upscaler of a preset, cached as `tfsr.upscale` does: until its files change."""
    return load_path(spec, *options)


@pytest.fixture
def tfsr(monkeypatch, capfd):
    """The command line in this process: (exit code, standard output, standard error).

    Most upscale with one preset, which is compiled once. What tests run in a process of its own
    loads it as a user's command does.
    """

    def load(spec, *options):
        if loading.kind_of(loading._without_plus(spec)) != "preset" or loading.is_handle(spec):
            return load_path(spec, *options)
        strength = options[3]
        return loaded(spec, tuple(loading._modified(spec, strength)), *options)

    monkeypatch.setattr(loading, "_load_path", load)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tfsr", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as caught:
            main()
        code = caught.value.code
        assert isinstance(code, int)
        return code, *capfd.readouterr()

    return run
