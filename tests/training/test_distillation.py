"""A teacher's output is a second target, and its identity is the run's."""

import shutil

import keras
import numpy as np
import pytest
import tiny
from cases import quick
from runs import contents

from tfsr import ImplicitSR, from_preset
from tfsr.data import Sampler
from tfsr.errors import CheckpointError, RecipeError
from tfsr.models import SubPixelSR
from tfsr.presets import save_preset
from tfsr.training import recipe_files as recipes
from tfsr.training.checkpoints import list_checkpoints
from tfsr.training.compilation import compiled_model
from tfsr.training.recipe import TeacherConfig
from tfsr.training.trainer import train


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """The directory of a preset of another architecture than the tiny recipe's."""
    return tiny.teacher(tmp_path_factory.mktemp("teachers") / "teacher")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return tiny.folder(tmp_path_factory.mktemp("images"))


def step_loss(recipe, batch):
    """The loss that one step reports, before its update."""
    model = compiled_model(recipe)
    # Compiling takes longer than one step.
    model.run_eagerly = True
    inputs, colours = batch
    return float(model.train_on_batch(inputs, colours))


@pytest.mark.parametrize(
    ("points", "precision"),
    quick(
        [("scattered", "float32")],
        [("scattered", "float32"), ("lattice", "float32"), ("patch", "mixed_bfloat16")],
    ),
)
def test_the_loss_is_the_mean_of_target_and_teacher(points, precision, teacher, images):
    terms = ["charbonnier", {"name": "fft", "weight": 0.1}][: 2 if points == "patch" else 1]
    content = tiny.recipe(images, loss=terms, precision=precision)
    content["data"]["sampling"]["points"] = points
    plain = recipes.parse(content)
    content["training"]["teacher"] = {"preset": str(teacher), "weight": 0.25}
    recipe = recipes.parse(content)
    batch = Sampler(images, recipe.data.sampling, recipe.seed).batch(0)
    found = from_preset(teacher)
    if precision != "float32":
        policy = {**found.get_config(), "dtype": precision}
        found = ImplicitSR.from_config(policy)
        found.set_weights(from_preset(teacher).get_weights())
    taught = keras.ops.convert_to_numpy(found(batch[0]))
    expected = 0.75 * step_loss(plain, batch) + 0.25 * step_loss(plain, (batch[0], taught))
    assert step_loss(recipe, batch) == pytest.approx(expected, rel=2e-5)
    assert abs(step_loss(plain, batch) - expected) > 1e-3


def test_a_student_of_itself_alone_has_nothing_to_learn(images, tmp_path):
    content = tiny.recipe(images, loss="l1")
    initial = compiled_model(recipes.parse(content))
    save_preset(initial, tmp_path / "self", {})
    content["training"]["teacher"] = {"preset": str(tmp_path / "self"), "weight": 1.0}
    recipe = recipes.parse(content)
    batch = Sampler(images, recipe.data.sampling, recipe.seed).batch(0)
    assert step_loss(recipe, batch) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.slow
def test_the_teacher_is_neither_trained_nor_saved(teacher, images, tmp_path):
    files = {path: path.read_bytes() for path in teacher.iterdir()}
    content = tiny.recipe(images, teacher=str(teacher))
    plain = compiled_model(recipes.parse(tiny.recipe(images)))
    model = train(tiny.write_recipe(tmp_path / "r.yaml", content), tmp_path / "run")
    assert [v.shape for v in model.variables] == [v.shape for v in plain.variables]
    # The same first weights: the teacher does not change them.
    for start, expected in zip(
        compiled_model(recipes.parse(content)).get_weights(), plain.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(start, expected)
    assert {path: path.read_bytes() for path in teacher.iterdir()} == files
    [*_, last] = list_checkpoints(tmp_path / "run")
    assert (last / "model.weights.h5").stat().st_size < 3 * (
        (tmp_path / "run" / "best" / "model.weights.h5").stat().st_size
    ) + 100_000
    saved = recipes.load(tmp_path / "run" / "recipe.yaml").training.teacher
    assert (saved.preset, saved.weight) == (str(teacher), 0.5)
    assert len(saved.sha256) == 64


@pytest.mark.slow
def test_resuming_needs_the_same_teacher(teacher, images, tmp_path):
    mine = shutil.copytree(teacher, tmp_path / "mine")
    recipe = tiny.write_recipe(tmp_path / "r.yaml", tiny.recipe(images, teacher=str(mine)))
    run = tmp_path / "run"
    train(recipe, run)
    before = contents(run)
    # A run can be trained again from its recipe.
    train(run / "recipe.yaml", run)
    with pytest.raises(CheckpointError, match="its training.teacher.weight is 0.5, here it is 0.2"):
        train(recipe, run, changes=["training.teacher.weight=0.2"])
    with pytest.raises(CheckpointError, match="its training.teacher.preset is"):
        train(recipe, run, changes=[f"training.teacher.preset={teacher}"])
    other = from_preset(teacher)
    other.set_weights([-weights for weights in other.get_weights()])
    save_preset(other, mine, {})
    with pytest.raises(CheckpointError, match="its training.teacher.sha256 is"):
        train(recipe, run, resume=True)
    with pytest.raises(RecipeError, match="has weights of sha256 .*; the recipe has") as caught:
        train(run / "recipe.yaml", tmp_path / "again")
    assert "\n" not in str(caught.value) and not (tmp_path / "again").exists()
    assert contents(run) == before


def test_a_teacher_that_cannot_teach_is_one_line(images, teacher, tmp_path):
    recipe = tiny.write_recipe(tmp_path / "r.yaml", tiny.recipe(images))
    fixed = tmp_path / "fixed"
    save_preset(SubPixelSR({"name": "edsr", "features": 8, "blocks": 1}, scale=2), fixed, {})
    for value, words in (
        ("arasfsr-compact-face-v1", "unknown preset .*Did you mean 'arasfsr-compact-faces-v1'"),
        (tmp_path, "is not a preset"),
        (fixed, "of scale 2 and cannot take the samples of scale any"),
        ("5", "training.teacher must be a mapping"),
        ("{weight: 0.5}", "training.teacher.preset' is missing"),
        (f"{{preset: {teacher}, weigth: 1}}", "Did you mean 'weight'"),
        (f"{{preset: {teacher}, weight: 0}}", "above 0; received 0"),
        (f"{{preset: {teacher}, weight: 1.5}}", "at most 1; received 1.5"),
    ):
        with pytest.raises(RecipeError, match=words) as caught:
            train(recipe, tmp_path / "run", changes=[f"training.teacher={value}"])
        assert "training.teacher" in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_recipe_changes_its_bases_teacher(tmp_path):
    base = tiny.recipe("images", teacher={"preset": "a", "weight": 0.25, "sha256": "0"})
    tiny.write_recipe(tmp_path / "_base.yaml", base)
    path = tiny.write_recipe(tmp_path / "r.yaml", {"base": "_base.yaml", "name": "other"})
    for changes, expected in (
        ((), TeacherConfig("a", 0.25, "0")),
        (("training.teacher.weight=0.5",), TeacherConfig("a", 0.5, "0")),
        (("training.teacher.preset=b",), TeacherConfig("b", 0.25)),
        (("training.teacher=b",), TeacherConfig("b")),
        (("training.teacher=b", "training.teacher.weight=0.1"), TeacherConfig("b", 0.1)),
        (("training.teacher=",), None),
    ):
        assert recipes.load(path, changes).training.teacher == expected
