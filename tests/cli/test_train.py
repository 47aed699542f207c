"""`tfsr train` and `tfsr save-preset`, and what can be done with a run."""

import json
import re

import pytest
import tiny

from tfsr.images import read


@pytest.fixture
def images(tmp_path):
    return tiny.folder(tmp_path / "images", side=48)


@pytest.fixture
def recipe(images, tmp_path):
    return tiny.write_recipe(tmp_path / "r.yaml", tiny.recipe(images))


def check_one_line(result, *words):
    """Exit code 1, one line for the user on the standard error, nothing on the standard output."""
    code, out, err = result
    assert (code, out) == (1, "")
    [line] = err.splitlines()
    assert line.startswith("tfsr: ")
    for word in words:
        assert str(word) in line


def test_a_recipe_with_a_misspelt_key_is_one_line(tfsr, images, tmp_path):
    content = tiny.recipe(images)
    content["training"]["step_per_epoch"] = 5
    recipe = tiny.write_recipe(tmp_path / "r.yaml", content)
    result = tfsr("train", recipe, "-o", tmp_path / "run")
    check_one_line(result, recipe, "training.step_per_epoch", "Did you mean 'steps_per_epoch'?")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_each_folder_of_a_recipe_is_given_in_its_place(tfsr, tmp_path):
    large = tiny.folder(tmp_path / "large", count=1, side=64)
    small = tiny.folder(tmp_path / "small", count=2, side=48)
    content = tiny.recipe(small)
    content["data"]["train"] = [
        {"folder": "nowhere", "weight": 2, "hr_size": [24, 64]},
        {"folder": "nowhere", "mode": "random_crop", "scale": [1, 3]},
    ]
    recipe = tiny.write_recipe(tmp_path / "several.yaml", content)
    run = tmp_path / "run"
    command = ("train", recipe, "-o", run, "--set", "training.steps=2")
    code, _, err = tfsr(*command, "--data", large, "--data", small)
    assert (code, err) == (0, "")
    assert json.loads((run / "run.json").read_text())["images"]["count"] == 3
    check_one_line(tfsr(*command, *["--data", large] * 3), "data.train has 2 folders", "received 3")
    (tmp_path / "empty").mkdir()
    new = (*command[:3], tmp_path / "new", *command[4:])
    check_one_line(tfsr(*new, "--data", large, "--data", tmp_path / "empty"), "empty: ")
    # Other weights are another run.
    content["data"]["train"][0]["weight"] = 3
    tiny.write_recipe(recipe, content)
    result = tfsr(*command, "--data", large, "--data", small)
    check_one_line(result, "other training images", "with resume")


def test_training_that_cannot_begin_is_one_line(tfsr, recipe, tmp_path):
    run = tmp_path / "run"
    (tmp_path / "empty").mkdir()
    small = tiny.folder(tmp_path / "small", side=20)
    newer = tiny.write_recipe(tmp_path / "newer.yaml", {"version": 9, "name": "newer"})
    mirrored = (recipe, "--strategy", "mirrored")
    for words, arguments in (
        (["nowhere.yaml"], [tmp_path / "nowhere.yaml"]),
        (["newer.yaml", "version 9", "newer tfsr"], [newer]),
        (["faces"], [recipe, "--data", tmp_path / "faces"]),
        (["empty", "no image"], [recipe, "--data", tmp_path / "empty"]),
        ([run, "without resume"], [recipe, "--resume"]),
        (["training.step", "Did you mean 'steps'"], [recipe, "--set", "training.step=3"]),
        (["strategy must be", "Did you mean 'mirrored'"], [recipe, "--strategy", "miror"]),
        (["TF_CONFIG"], [recipe, "--strategy", "multi-worker"]),
        (["jit_compile", "mirrored"], [*mirrored, "--set", "training.jit_compile=true"]),
        # The recipe samples HR images of up to 48 pixels.
        (["0.png", "20x20"], [recipe, "--data", small]),
    ):
        check_one_line(tfsr("train", *arguments, "-o", run), *words)
    check_one_line(tfsr("save-preset", run, "-o", tmp_path / "preset"), run)
    assert not run.exists()


def test_train_again_save_preset_and_upscale(tfsr, images, tmp_path, recwarn):
    recipe = tiny.write_recipe(tmp_path / "r.yaml", tiny.recipe("no folder"))
    run, preset = tmp_path / "run", tmp_path / "my-preset"
    command = ["train", recipe, "-o", run, "--validation", images]
    command += ["--set", "training.steps=2", "--set", "training.steps_per_epoch=2"]
    code, _, err = tfsr(*command, "--data", images)
    assert (code, err) == (0, "")
    # Python prints these to the standard error of a process of its own.
    assert [warning.message for warning in recwarn if warning.category is UserWarning] == []

    code, out, err = tfsr(*command, "--set", f"data.train={images}")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == f"{run}: its 2 steps are done; nothing is left to train"
    check_one_line(tfsr(*command, "--data", images, "--set", "seed=7"), run, "its seed is 5")

    code, out, err = tfsr("save-preset", run, "-o", preset)
    assert (code, err) == (0, "")
    assert re.match(r"from 24: .* gain [+-]\d", out)
    assert json.loads((preset / "metadata.json").read_text())["steps"] == 2

    for number, model in enumerate((preset, run)):
        target, source = tmp_path / f"{number}.png", images / "0.png"
        code, _, err = tfsr("upscale", source, "-o", target, "--scale", "1.7", "--preset", model)
        assert (code, err) == (0, "")
        assert read(target).shape == (82, 82, 3)
    # A run's best weights and the preset saved from them are the same.
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()
