"""What the documents show is run, and what they count is counted."""

import json

import numpy as np
import pytest
import tiny
from checks import grid_points
from pages import DOCS, code_blocks
from scripts import load_script

from tfsr.decoders import DECODERS
from tfsr.degradations import DEGRADATIONS, PIPELINES
from tfsr.encoders import ENCODERS
from tfsr.images import read, to_float
from tfsr.inference import ModelUpscaler
from tfsr.models import ImplicitSR


def test_the_readmes_first_examples_run_as_written(rng, tmp_path, monkeypatch):
    tiny.save(tmp_path / "face.jpg", read(DOCS / "images" / "astronaut-46.png"))
    monkeypatch.chdir(tmp_path)
    names = {"images": rng.random((1, 64, 64, 3), dtype=np.float32)}
    images, model, _ = code_blocks("../README.md")
    exec(images, names)
    assert names["large"].size == (170, 170)
    assert read("large.jpg").shape == (173, 237, 3)
    exec(model, names)
    assert names["large"].shape == (1, 173, 237, 3)
    assert names["detail"].shape == (1, 256, 256, 3)


def test_the_readmes_training_example_runs(tmp_path, monkeypatch):
    """As written, but for the sizes: a thousand steps of the full model are not for a test."""
    tiny.folder(tmp_path / "faces" / "train", count=2, side=48)
    monkeypatch.chdir(tmp_path)
    example = code_blocks("../README.md")[2]
    for long, short in (
        ("hr_size=(48, 256)", "hr_size=(48, 48), batch=1, num_points=16"),
        ("steps_per_epoch=1000, epochs=10", "steps_per_epoch=1, epochs=1"),
    ):
        assert long in example
        example = example.replace(long, short)
    exec(example, {})


def test_every_python_example_runs(tmp_path, monkeypatch, capsys):
    """One after the other, as a reader would type them."""
    face = DOCS / "images" / "astronaut-46.png"
    for name in ("face.jpg", "faces/a.jpg", "faces/b.jpg"):
        tiny.save(tmp_path / name, read(face))
    tiny.save(tmp_path / "group.png", read(DOCS / "images" / "group.png"))
    tiny.twins(tmp_path / "faces")
    monkeypatch.chdir(tmp_path)
    names = {}
    for example in code_blocks("python.md"):
        exec(example, names)
    assert names["crop"].shape == (64, 64, 3)
    assert read("group-x2.png").shape == (400, 640, 3)
    assert names["large"].size == (170, 170)
    assert read("large/b.jpg").shape == (173, 173, 3)
    assert names["detail"].shape == (1, 64, 64, 3)
    promised = "the limit is 400: choose a smaller size, or raise max_output"
    assert f"{promised}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("first", "name", "arguments"),
    [
        (0, "local-plane", {"local_ensemble": True}),
        (2, "series", {"local_ensemble": True, "skip": "bilinear"}),
    ],
)
def test_an_added_decoder_runs_on_points_and_grids(first, name, arguments, rng):
    example, registration = code_blocks("add-a-decoder.md")[first : first + 2]
    names = {"DECODERS": DECODERS, "__name__": "example"}
    exec(example + registration, names)
    try:
        model = ImplicitSR({"name": "edsr", "features": 8, "blocks": 1}, name)
        images = rng.random((2, 6, 7, 3), dtype=np.float32)
        image = model.upscale(images, size=(15, 22))
        points = model({"image": images, **points_of((15, 22))})
        np.testing.assert_allclose(np.asarray(points).reshape(image.shape), image, atol=1e-5)
        # An integer scale is computed in another way.
        points = model({"image": images, **points_of((12, 21))})
        found = model.upscale(images, size=(12, 21))
        np.testing.assert_allclose(np.asarray(points).reshape(found.shape), found, atol=1e-5)
        config = json.loads(json.dumps(model.get_config()))
        assert config["decoder"] == {"name": name, **arguments}
        copy = ImplicitSR.from_config(config)
        copy.set_weights(model.get_weights())
        np.testing.assert_array_equal(copy.upscale(images, size=(15, 22)), image)
    finally:
        DECODERS.remove(name)


def points_of(size):
    """All points of a grid, for two images."""
    return dict(zip(("coordinates", "cell"), grid_points(size, batch=2), strict=True))


def test_the_added_encoder_runs_whole_and_in_tiles():
    example, registration = code_blocks("add-an-encoder.md")
    names = {"ENCODERS": ENCODERS, "__name__": "example"}
    exec(example + registration, names)
    try:
        encoder = {"name": "vdsr", "features": 8, "depth": 3}
        model = ImplicitSR(encoder, {"name": "liif", "hidden": [8]})
        config = json.loads(json.dumps(model.get_config()))
        assert config["encoder"] == encoder
        image = tiny.image(40, 44)
        whole = model.upscale(to_float(image)[None], size=(91, 83))[0]
        upscaler = ModelUpscaler(model)
        upscaler.renderer.lr_pixels = 500
        np.testing.assert_allclose(upscaler.raw_output(image, (91, 83)), whole, atol=1e-5)
        copy = ImplicitSR.from_config(config)
        copy.set_weights(model.get_weights())
        np.testing.assert_array_equal(copy.upscale(to_float(image)[None], (91, 83))[0], whole)
    finally:
        ENCODERS.remove("vdsr")


def test_degradations_are_documented_as_they_are():
    figures = load_script(DOCS / "degradations_figures.py")
    page = (DOCS / "degradations.md").read_text()
    for line in figures.rows():
        assert line in page
    for name in PIPELINES:
        assert (DOCS / "images" / f"degradation-{name}.webp").stat().st_size < 100_000
        assert f"](images/degradation-{name}.webp)" in page
    for name in DEGRADATIONS.names():
        assert f"| `{name}` |" in page


def test_the_table_of_systems_is_counted():
    table = load_script(DOCS / "models_table.py")
    page = (DOCS / "models.md").read_text()
    for line in [*table.rows(), *table.encoder_rows()]:
        assert line in page
