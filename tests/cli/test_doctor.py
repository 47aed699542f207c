"""What `tfsr doctor` finds."""

import os
from importlib.metadata import version
from importlib.util import find_spec

import keras


def test_the_doctor_says_what_it_finds(tfsr):
    code, out, err = tfsr("doctor")
    assert (code, err) == (0, "")
    found = dict(line.split("  ", 1) for line in out.splitlines())
    found = {name.strip(): text.strip() for name, text in found.items()}
    backend = keras.backend.backend()
    assert found["backend"] == f"{backend} {version(backend)}, keras {keras.__version__}"
    assert f"{os.cpu_count()} cores" in found["devices"]
    assert found["instructions"]


def test_the_doctor_names_the_parts_that_can_be_installed(tfsr):
    lines = tfsr("doctor")[1].splitlines()
    extras = {line.split()[1]: line for line in lines if line.startswith("extra ")}
    assert "fastapi " + version("fastapi") in extras["demo"]
    assert ("missing jax: pip install 'tfsr[jax]'" in extras["jax"]) == (find_spec("jax") is None)
    assert not extras.keys() & {"dev", "benchmark"}
