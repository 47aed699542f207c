"""The commands in the text of the guides are run; `make docs` executes their cells."""

import shutil

import pytest
import tiny
from pages import DOCS, commands

# As in `test_pages.py`.
SHORT = (
    "training.precision=float32",
    *("training.steps=2", "training.steps_per_epoch=2", "training.learning_rate.warmup=0"),
    *("data.sampling.batch=2", "data.sampling.num_points=64", "training.jit_compile=false"),
    *("validation.images=1", "validation.scales=[2]"),
)


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A working directory with the recipes, the photograph and folders of images."""
    shutil.copytree(DOCS.parent / "recipes", tmp_path / "recipes")
    (tmp_path / "docs" / "images").mkdir(parents=True)
    shutil.copy(DOCS / "images" / "group.png", tmp_path / "docs" / "images")
    for folder in ("train", "val"):
        tiny.folder(tmp_path / "out" / "images" / folder, count=1, side=264)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("guide", "made"),
    [
        ("restore_a_photograph", "large.png"),
        ("train_on_your_own_pictures", "my-scanner/metadata.json"),
        ("to_a_phone", "face.tflite"),
    ],
)
def test_commands(guide, made, tfsr, root):
    found = commands(f"guides/{guide}.py")
    assert found
    for command in found:
        short = [word for change in SHORT for word in ("--set", change)]
        code, _, err = tfsr(*command, *(short if command[0] == "train" else ()))
        assert (code, err) == (0, ""), command
    assert (root / made).is_file()
