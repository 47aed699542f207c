import csv
import json
import math
import shutil

import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfsr import ImplicitSR
from tfsr.data import Sampler
from tfsr.errors import CheckpointError, ImageError, RecipeError
from tfsr.evaluation import Reduction, restoration_psnr
from tfsr.images import list_images
from tfsr.inference.upscaler import Upscaler
from tfsr.training import recipe as recipes
from tfsr.training.recipe import Schedule
from tfsr.training.trainer import learning_rate, train


def check_line(error, *words):
    line = str(error.value)
    assert "\n" not in line
    for word in words:
        assert str(word) in line


def history(run):
    with open(run / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


def scalars(run):
    """{tag: {epoch: value}} of every TensorBoard file of a run."""
    found = {}
    for path in (run / "logs").rglob("events.out.tfevents.*"):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                number = float(tf.make_ndarray(value.tensor))
                found.setdefault(value.tag, {})[event.step] = number
    return found


def test_a_run_leaves_its_files(run):
    assert {path.name for path in run.iterdir()} == {
        "recipe.yaml",
        "last.weights.h5",
        "best.weights.h5",
        "state.json",
        "history.csv",
        "logs",
    }
    assert recipes.load(run / "recipe.yaml") == recipes.load(run.parent / "recipe.yaml")
    rows = history(run)
    assert [row["epoch"] for row in rows] == ["0", "1"]
    psnr = [float(row["val_psnr"]) for row in rows]
    state = json.loads((run / "state.json").read_text())
    assert state == {"epochs": 2, "best": max(psnr), "best_epoch": int(np.argmax(psnr)) + 1}


def test_tensorboard_shows_what_the_history_says(run):
    rows, shown = history(run), scalars(run)
    for name in ("val_psnr", "val_psnr_24", "val_psnr_16", "loss"):
        tag = f"epoch_{name.removeprefix('val_')}"
        for epoch, row in enumerate(rows):
            assert shown[tag][epoch] == pytest.approx(float(row[name]), rel=1e-5)


def test_validation_measures_the_first_pictures_of_the_last_epoch(run):
    model = ImplicitSR.from_config(tiny.MODEL)
    model.load_weights(run / "last.weights.h5")
    row = history(run)[-1]
    means = []
    for side in (24, 16):
        paths = list_images(run.parent / "pictures")[:2]
        means.append(np.mean(restoration_psnr(Upscaler(model), paths, Reduction(side))))
        assert float(row[f"val_psnr_{side}"]) == pytest.approx(means[-1], abs=1e-3)
    assert float(row["val_psnr"]) == pytest.approx(np.mean(means), abs=1e-3)


def test_training_learns(tmp_path):
    pictures = tiny.folder(tmp_path / "pictures", count=1)
    rate = {"initial": 3e-3, "boundaries": [150]}
    content = tiny.recipe(pictures, steps=180, steps_per_epoch=60, learning_rate=rate)
    content["validation"] = {"lr_sizes": [24], "pictures": 1}
    model = train(tiny.write_recipe(tmp_path / "r.yaml", content), tmp_path / "run")
    assert int(model.optimizer.iterations) == 180
    rows = history(tmp_path / "run")
    assert float(rows[-1]["loss"]) < 0.7 * float(rows[0]["loss"])
    assert float(rows[-1]["val_psnr"]) > float(rows[0]["val_psnr"]) + 1


def test_a_resumed_run_ends_where_one_in_one_go_does(tmp_path):
    pictures = tiny.folder(tmp_path / "pictures")
    recipes = {
        steps: tiny.write_recipe(
            tmp_path / f"{steps}.yaml",
            tiny.recipe(pictures, steps=steps, learning_rate={"initial": 1e-3, "boundaries": [4]}),
        )
        for steps in (3, 6)
    }
    whole = train(recipes[6], tmp_path / "whole")
    train(recipes[3], tmp_path / "parts")
    resumed = train(recipes[6], tmp_path / "parts", resume=True)

    assert int(whole.optimizer.iterations) == int(resumed.optimizer.iterations) == 6
    pairs = zip(whole.get_weights(), resumed.get_weights(), strict=True)
    for expected, found in pairs:
        np.testing.assert_array_equal(found, expected)
    assert history(tmp_path / "parts") == history(tmp_path / "whole")
    states = [(tmp_path / name / "state.json").read_text() for name in ("whole", "parts")]
    assert states[0] == states[1]

    # The run is done: going on once more does nothing.
    again = train(recipes[6], tmp_path / "parts", resume=True)
    for expected, found in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_run_is_not_trained_over(run):
    before = (run / "last.weights.h5").read_bytes()
    with pytest.raises(RecipeError) as caught:
        train(run.parent / "recipe.yaml", run)
    check_line(caught, run, "--resume")
    assert (run / "last.weights.h5").read_bytes() == before


def test_nothing_to_resume_from_is_told(run, tmp_path):
    with pytest.raises(CheckpointError) as caught:
        train(run / "recipe.yaml", tmp_path / "nowhere", resume=True)
    check_line(caught, tmp_path / "nowhere", "without --resume")
    assert not (tmp_path / "nowhere").exists()


def test_another_models_checkpoint_is_told(run, tmp_path):
    content = tiny.recipe(run.parent / "pictures")
    content["model"] = {**tiny.MODEL, "encoder": {**tiny.MODEL["encoder"], "features": 12}}
    recipe = tiny.write_recipe(tmp_path / "r.yaml", content)
    copy = shutil.copytree(run, tmp_path / "run")
    with pytest.raises(CheckpointError) as caught:
        train(recipe, copy, resume=True)
    check_line(caught, copy, "'model'")
    assert (copy / "recipe.yaml").read_bytes() == (run / "recipe.yaml").read_bytes()


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", '{"epochs": "two"}'])
def test_a_damaged_state_is_told(content, run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    (copy / "state.json").write_text(content)
    with pytest.raises(CheckpointError) as caught:
        train(run / "recipe.yaml", copy, resume=True)
    check_line(caught, copy)


def test_damaged_weights_are_told(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    whole = (copy / "last.weights.h5").read_bytes()
    for damaged in (b"", b"no weights", whole[: len(whole) // 2]):
        (copy / "last.weights.h5").write_bytes(damaged)
        with pytest.raises(CheckpointError) as caught:
            train(run / "recipe.yaml", copy, resume=True)
        check_line(caught, "last.weights.h5")


def test_a_picture_that_fails_in_the_midst_of_training_is_named(run, tmp_path):
    pictures = tiny.folder(tmp_path / "pictures", count=8)
    damaged = pictures / "8.png"
    damaged.write_bytes((pictures / "0.png").read_bytes()[:200])
    content = tiny.recipe(pictures, steps=5, steps_per_epoch=5)
    content["data"]["validation"] = str(run.parent / "pictures")
    content["seed"] = next(seed for seed in range(99) if begins_well(content, seed))
    with pytest.raises(ImageError) as caught:
        train(tiny.write_recipe(tmp_path / "r.yaml", content), tmp_path / "run")
    check_line(caught, damaged)


def begins_well(content, seed):
    """Whether the damaged picture is not yet in the first batch."""
    recipe = recipes.parse(content)
    try:
        Sampler(recipe.data.train, recipe.data.sampling, seed).batch(0)
    except ImageError:
        return False
    return True


@pytest.mark.parametrize("argument", ["train_data", "validation_data"])
def test_a_folder_given_replaces_the_recipes(argument, run, tmp_path):
    with pytest.raises(ImageError) as caught:
        train(run / "recipe.yaml", tmp_path / "run", **{argument: str(tmp_path / "faces")})
    check_line(caught, tmp_path / "faces")
    assert not (tmp_path / "run").exists()


def test_a_directory_that_cannot_be_made_is_told(run, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for directory in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(RecipeError) as caught:
            train(run / "recipe.yaml", directory)
        check_line(caught, directory)


def rates(schedule, steps, at):
    """The learning rate at some steps, as the optimiser asks for it."""
    rule = learning_rate(schedule, steps)
    return [float(rule(step) if callable(rule) else rule) for step in at]


def test_steps_drop_the_rate_at_the_boundaries_themselves():
    schedule = Schedule(initial=1e-3, boundaries=(10, 20), factor=0.1)
    found = rates(schedule, 30, [0, 9, 10, 19, 20, 29])
    np.testing.assert_allclose(found, [1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5], rtol=1e-5)


def test_without_boundaries_the_rate_is_constant():
    np.testing.assert_allclose(rates(Schedule(initial=2e-4), 30, [0, 15, 30]), 2e-4, rtol=1e-6)


def test_the_cosine_falls_to_nothing():
    schedule = Schedule(initial=1e-3, decay="cosine")
    expected = [1e-3 * 0.5 * (1 + math.cos(math.pi * step / 100)) for step in (0, 25, 50, 99)]
    np.testing.assert_allclose(rates(schedule, 100, (0, 25, 50, 99)), expected, rtol=1e-4)
    np.testing.assert_allclose(rates(schedule, 100, [100]), 0, atol=1e-9)


def test_the_warmup_rises_and_the_cosine_follows():
    schedule = Schedule(initial=1e-3, decay="cosine", warmup=20)
    found = rates(schedule, 120, [0, 10, 20, 70, 120])
    np.testing.assert_allclose(found, [0, 5e-4, 1e-3, 5e-4, 0], atol=1e-8)
