import csv
import json
import os
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfsr import ImplicitSR, __version__, from_preset
from tfsr.data import Sampler
from tfsr.errors import CheckpointError, ImageError, RecipeError, TrainingError
from tfsr.evaluation import DegradationSpec, restoration_psnr
from tfsr.images import list_images, resize
from tfsr.inference import ModelUpscaler
from tfsr.presets import read_metadata
from tfsr.training import recipe_files as recipes
from tfsr.training.compilation import compiled_model
from tfsr.training.locks import lock_folder
from tfsr.training.trainer import train


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
                array = tf.make_ndarray(value.tensor)
                number = float(array) if array.ndim == 0 else array
                found.setdefault(value.tag, {})[event.step] = number
    return found


def test_a_run_leaves_its_files(run):
    assert {path.name for path in run.iterdir()} == {
        "recipe.yaml",
        "run.json",
        "checkpoints",
        "best",
        "history.csv",
        "logs",
        "progress.json",
    }
    assert recipes.load(run / "recipe.yaml") == recipes.load(run.parent / "recipe.yaml")
    rows = history(run)
    assert [(row["epoch"], row["step"]) for row in rows] == [("1", "3"), ("2", "6")]
    record = json.loads((run / "run.json").read_text())
    assert record["seed"] == 5
    assert record["images"]["count"] == 3
    [start] = record["starts"]
    assert start["packages"]["keras"] == keras.__version__
    assert (start["tfsr"], start["backend"]) == (__version__, "tensorflow")
    assert {"command", "commit", "python", "platform", "strategy", "replicas"} <= start.keys()


def test_tensorboard_shows_what_the_history_says(run):
    rows, shown = history(run), scalars(run)
    for name in ("val_psnr", "val_psnr_24", "val_psnr_16", "loss"):
        tag = f"epoch_{name.removeprefix('val_')}"
        for epoch, row in enumerate(rows):
            assert shown[tag][epoch] == pytest.approx(float(row[name]), rel=1e-5)


def test_tensorboard_shows_throughput_and_the_same_samples_after_every_epoch(run):
    shown = scalars(run)
    assert set(shown["epoch_samples_per_second"]) == {0, 1}
    for name in ("0", "1"):
        for side in (24, 16):
            for epoch in (0, 1):
                width, height, png = shown[f"{name}/{side}"][epoch]
                assert (int(width), int(height)) == (4 * 48, 48)
                strip = tf.io.decode_png(png).numpy()
                original = tiny.image(seed=int(name))
                np.testing.assert_array_equal(strip[:, 3 * 48 :], original)
                small = resize(original, (side, side))
                np.testing.assert_array_equal(strip[:, 48:96], resize(small, (48, 48)))
                np.testing.assert_array_equal(strip[:, :48], resize(small, (48, 48), "nearest"))


def test_validation_measures_the_first_images_of_the_last_epoch(run):
    model = ImplicitSR.from_config(tiny.MODEL)
    model.load_weights(run / "checkpoints" / "step-00000006" / "model.weights.h5")
    row = history(run)[-1]
    means = []
    for side in (24, 16):
        paths = list_images(run.parent / "images")[:2]
        means.append(np.mean(restoration_psnr(ModelUpscaler(model), paths, DegradationSpec(side))))
        assert float(row[f"val_psnr_{side}"]) == pytest.approx(means[-1], abs=1e-3)
    assert float(row["val_psnr"]) == pytest.approx(np.mean(means), abs=1e-3)


@pytest.mark.slow
def test_a_robust_model_is_validated_on_clean_and_on_degraded_images(tmp_path):
    content = tiny.recipe(tiny.folder(tmp_path / "images"))
    content["data"]["sampling"]["degradation"] = {"name": "faces", "clean": 0.5}
    content["validation"] |= {"lr_sizes": [24], "degradations": ["clean", "real-medium"]}
    train(tiny.write_recipe(tmp_path / "r.yaml", content), tmp_path / "run")
    row = history(tmp_path / "run")[-1]
    clean, medium, mean = (float(row[f"val_psnr{name}"]) for name in ("_24", "_24-real-medium", ""))
    assert mean == pytest.approx((clean + medium) / 2) and medium < clean
    content["validation"]["degradations"] = ["clean", "bicubic"]
    with pytest.raises(RecipeError, match="two figures one name"):
        train(tiny.write_recipe(tmp_path / "r.yaml", content), tmp_path / "other")


def test_training_learns(tmp_path):
    images = tiny.folder(tmp_path / "images", count=1)
    rate = {"initial": 3e-3, "boundaries": [150], "warmup": 5}
    content = tiny.recipe(
        images, steps=180, steps_per_epoch=60, learning_rate=rate, jit_compile=None
    )
    content["model"] = {**tiny.MODEL, "decoder": tiny.ARASFSR}
    content["validation"] = {"lr_sizes": [24], "images": 1}
    model = train(tiny.write_recipe(tmp_path / "r.yaml", content), tmp_path / "run")
    assert int(model.optimizer.iterations) == 180
    rows = history(tmp_path / "run")
    assert float(rows[-1]["loss"]) < 0.7 * float(rows[0]["loss"])
    assert float(rows[-1]["val_psnr"]) > float(rows[0]["val_psnr"]) + 1


@pytest.mark.slow
def test_a_run_made_longer_ends_where_one_in_one_go_does(tmp_path):
    images = tiny.folder(tmp_path / "images")
    recipe = tiny.write_recipe(
        tmp_path / "r.yaml",
        tiny.recipe(images, learning_rate={"initial": 1e-3, "boundaries": [4], "warmup": 2}),
    )
    whole = train(recipe, tmp_path / "whole")
    train(recipe, tmp_path / "parts", changes=["training.steps=3"])
    resumed = train(recipe, tmp_path / "parts", resume=True)
    pairs = zip(whole.get_weights(), resumed.get_weights(), strict=True)
    for expected, found in pairs:
        np.testing.assert_array_equal(found, expected)
    assert history(tmp_path / "parts") == history(tmp_path / "whole")


def test_a_run_is_a_preset_of_its_best_weights(run):
    row = max(history(run), key=lambda row: float(row["val_psnr"]))
    metadata = read_metadata(run)
    assert metadata["steps"] == int(row["step"])
    assert metadata["validation"]["val_psnr"] == float(row["val_psnr"])
    paths = list_images(run.parent / "images")[:2]
    found = np.mean(restoration_psnr(ModelUpscaler(from_preset(run)), paths, DegradationSpec(24)))
    assert found == pytest.approx(float(row["val_psnr_24"]), abs=1e-3)


@pytest.mark.parametrize("preset", ["run", "run/best"])
def test_training_starts_from_the_weights_of_a_run_or_a_preset(preset, run):
    content = {**tiny.recipe("images"), "init_from": str(run.parent / preset), "seed": 99}
    pairs = zip(
        compiled_model(recipes.parse(content)).get_weights(),
        from_preset(run).get_weights(),
        strict=True,
    )
    for found, expected in pairs:
        np.testing.assert_array_equal(found, expected)


def test_weights_to_start_from_must_be_there_and_fit(run):
    for init, change in (("nowhere", {}), (str(run), {"features": 12})):
        content = {**tiny.recipe("images"), "init_from": init}
        content["model"] = {**tiny.MODEL, "encoder": {**tiny.MODEL["encoder"], **change}}
        with pytest.raises(RecipeError, match="init_from: ") as caught:
            compiled_model(recipes.parse(content))
        check_line(caught, init)


@pytest.mark.slow
def test_the_moving_average_is_validated_saved_and_returned(tmp_path):
    images = tiny.folder(tmp_path / "images")
    rate = {"initial": 1e-2}
    content = tiny.recipe(images, steps=3, ema=0.5, learning_rate=rate)
    model = train(tiny.write_recipe(tmp_path / "r.yaml", content), tmp_path / "run")
    best = from_preset(tmp_path / "run")
    raw = ImplicitSR.from_config(tiny.MODEL)
    raw.load_weights(tmp_path / "run" / "checkpoints" / "step-00000003" / "model.weights.h5")
    averaged, last = best.get_weights(), raw.get_weights()
    for found, expected in zip(model.get_weights(), averaged, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert max(np.abs(a - b).max() for a, b in zip(averaged, last, strict=True)) > 1e-3
    paths = list_images(images)[:2]
    psnr = np.mean(restoration_psnr(ModelUpscaler(best), paths, DegradationSpec(24)))
    assert float(history(tmp_path / "run")[0]["val_psnr_24"]) == pytest.approx(psnr, abs=1e-9)


@pytest.mark.slow
def test_training_ends_where_nothing_improves(tmp_path):
    images = tiny.folder(tmp_path / "images")
    # At this rate the first epoch is the best one.
    content = tiny.recipe(images, steps=60, learning_rate={"initial": 0.3})
    content["validation"] = {"lr_sizes": [24], "images": 1, "patience": 2}
    recipe = tiny.write_recipe(tmp_path / "r.yaml", content)
    train(recipe, tmp_path / "run")
    psnr = [float(row["val_psnr"]) for row in history(tmp_path / "run")]
    best = int(np.argmax(psnr))
    assert len(psnr) == best + 3 < 20
    lines = []
    train(recipe, tmp_path / "run", report=lines.append)
    assert "nothing is left to train" in lines[-1]


def test_training_that_diverges_is_reported(tmp_path):
    images = tiny.folder(tmp_path / "images")
    content = tiny.recipe(images, learning_rate={"initial": 1e30})
    with pytest.raises(TrainingError, match="diverged before step 3") as caught:
        train(tiny.write_recipe(tmp_path / "r.yaml", content), tmp_path / "run")
    check_line(caught, "training.learning_rate.initial")


@pytest.mark.slow
def test_a_damaged_image_among_many_is_skipped_named_and_counted_if_asked_for(run, tmp_path):
    images = tiny.folder(tmp_path / "images", count=8)
    damaged = images / "3.png"
    damaged.write_bytes(damaged.read_bytes()[:-30])
    small = tiny.save(images / "4.png", tiny.image(20, 20))
    content = tiny.recipe(images)
    content["data"]["validation"] = str(run.parent / "images")
    recipe = tiny.write_recipe(tmp_path / "r.yaml", content)
    with pytest.raises(ImageError) as caught:
        train(recipe, tmp_path / "strict")
    check_line(caught, small, "20x20")
    assert not (tmp_path / "strict").exists()
    lines = []
    train(recipe, tmp_path / "run", changes=["data.skip_damaged=true"], report=lines.append)
    reported = sorted(line for line in lines if "; skipped, " in line)
    assert [line.partition(":")[0] for line in reported] == [str(damaged), str(small)]
    assert lines[-1] == "2 of 8 images were skipped"


@pytest.mark.parametrize(
    "change", ["validation.lr_sizes=[400]", "validation.scales=[64]", "validation.protocol=div2k"]
)
def test_validation_that_cannot_be_is_reported_before_anything_is_trained(change, run, tmp_path):
    images = tiny.folder(tmp_path / "small", count=1, side=20)
    arguments = {"validation_data": str(images), "changes": [change]}
    if "protocol" in change:
        arguments["changes"] = [change, "validation.lr_sizes=[1]"]
    with pytest.raises(ImageError) as caught:
        train(run / "recipe.yaml", tmp_path / "run", **arguments)
    check_line(caught, images / "0.png")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_other_validation_restarts_the_search_for_the_best(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    others = tiny.folder(tmp_path / "others", count=1)
    with pytest.raises(CheckpointError) as caught:
        train(run / "recipe.yaml", copy, validation_data=str(others))
    check_line(caught, "other validation images", "with resume")
    steps = recipes.load(run / "recipe.yaml").training.steps
    more = [f"training.steps={steps + 3}"]
    train(run / "recipe.yaml", copy, validation_data=str(others), changes=more, resume=True)
    assert read_metadata(copy)["steps"] == steps + 3
    assert len(json.loads((copy / "run.json").read_text())["validation"]["sha256"]) == 64


@pytest.mark.slow
def test_a_damaged_image_can_be_skipped_later(run, tmp_path):
    images = tiny.folder(tmp_path / "images", count=3)
    damaged = images / "2.png"
    damaged.write_bytes(damaged.read_bytes()[:-30])
    content = tiny.recipe(images, steps=3)
    content["data"]["validation"] = str(run.parent / "images")
    recipe = tiny.write_recipe(tmp_path / "r.yaml", content)
    with pytest.raises(ImageError):
        train(recipe, tmp_path / "run")
    skipping = ["data.skip_damaged=true"]
    with pytest.raises(CheckpointError, match="with resume"):
        train(recipe, tmp_path / "run", changes=skipping)
    train(recipe, tmp_path / "run", changes=skipping, resume=True)
    assert history(tmp_path / "run")[-1]["step"] == str(content["training"]["steps"])


@pytest.mark.slow
def test_a_run_resumes_without_the_weights_that_it_started_from(run, tmp_path):
    init = shutil.copytree(run / "best", tmp_path / "init")
    recipe = tiny.write_recipe(tmp_path / "r.yaml", tiny.recipe(run.parent / "images"))
    changes = [f"init_from={init}"]
    train(recipe, tmp_path / "run", changes=[*changes, "training.steps=3"])
    shutil.rmtree(init)
    train(recipe, tmp_path / "run", changes=changes, resume=True)
    with pytest.raises(RecipeError, match="init_from: "):
        train(recipe, tmp_path / "other", changes=changes)


def test_nothing_to_resume_from_is_reported(run, tmp_path):
    with pytest.raises(CheckpointError) as caught:
        train(run / "recipe.yaml", tmp_path / "nowhere", resume=True)
    check_line(caught, tmp_path / "nowhere", "without resume")
    assert not (tmp_path / "nowhere").exists()


def test_another_models_checkpoint_is_reported(run, tmp_path):
    content = tiny.recipe(run.parent / "images")
    content["model"] = {**tiny.MODEL, "encoder": {**tiny.MODEL["encoder"], "features": 12}}
    recipe = tiny.write_recipe(tmp_path / "r.yaml", content)
    copy = shutil.copytree(run, tmp_path / "run")
    with pytest.raises(CheckpointError) as caught:
        train(recipe, copy, resume=True)
    check_line(caught, copy, "model.encoder.features")
    assert (copy / "recipe.yaml").read_bytes() == (run / "recipe.yaml").read_bytes()


@pytest.mark.slow
def test_an_image_that_fails_in_the_midst_of_training_is_named(run, tmp_path):
    images = tiny.folder(tmp_path / "images", count=8)
    damaged = images / "8.png"
    damaged.write_bytes((images / "0.png").read_bytes()[:200])
    content = tiny.recipe(images, steps=5, steps_per_epoch=5)
    content["data"]["validation"] = str(run.parent / "images")
    content["seed"] = next(seed for seed in range(99) if begins_well(content, seed))
    with pytest.raises(ImageError) as caught:
        train(tiny.write_recipe(tmp_path / "r.yaml", content), tmp_path / "run")
    check_line(caught, damaged)


def begins_well(content, seed):
    """Whether the damaged image is not yet in the first batch."""
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


def test_a_directory_that_cannot_be_made_is_reported(run, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for directory in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(RecipeError) as caught:
            train(run / "recipe.yaml", directory)
        check_line(caught, directory)


def test_two_trainings_do_not_share_a_directory(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    held = lock_folder(copy)
    try:
        with pytest.raises(TrainingError, match="another process trains in it"):
            train(run.parent / "recipe.yaml", copy, report=lambda line: None)
    finally:
        os.close(held)
