"""Every public class and function has an Example, and every Example runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import shutil

import numpy as np
import pytest
import tiny
from checks import GOLDENS
from PIL import Image

PACKAGES = (
    *("cluster", "converters", "data", "decoders", "degradations", "encoders", "evaluation"),
    *(
        "exporters",
        "faces",
        "geometry",
        "images",
        "inference",
        "layers",
        "losses",
        "metrics",
        "models",
    ),
    *("presets", "rendering", "training"),
)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL


def public():
    """The classes and functions that tfsr and its packages list, each once."""
    found = {}
    for name in ("tfsr", *(f"tfsr.{package}" for package in PACKAGES)):
        package = importlib.import_module(name)
        for key in package.__all__:
            item = getattr(package, key)
            if inspect.isclass(item) or inspect.isfunction(item):
                found.setdefault(id(item), pytest.param(item, id=f"{name}.{key}"))
    return list(found.values())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with face.png, photo.jpg, faces/0.png to 3.png and liif.pth."""
    Image.fromarray(tiny.image(48, 48)).save(tmp_path / "face.png")
    Image.fromarray(tiny.image(80, 96)).save(tmp_path / "photo.jpg")
    (tmp_path / "faces").mkdir()
    for seed in range(4):
        Image.fromarray(tiny.image(64, 64, seed)).save(tmp_path / "faces" / f"{seed}.png")
    shutil.copy(GOLDENS / "liif_edsr_small.pth", tmp_path / "liif.pth")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("item", public())
def test_it_has_an_example_that_runs(item, folder, capsys):
    text = inspect.getdoc(item) or ""
    assert ">>>" in text, "needs an Example"
    names = {"tfsr": importlib.import_module("tfsr"), "np": np}
    test = doctest.DocTestParser().get_doctest(text, names, item.__qualname__, None, 0)
    report = []
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.append)
    assert not report, "".join(report)
