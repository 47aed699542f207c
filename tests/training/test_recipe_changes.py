"""Changes from the command line, and recipes of another version."""

import pytest
import tiny

from tfsr import __version__
from tfsr.errors import RecipeError
from tfsr.training import recipe_files as recipes


@pytest.fixture
def path(tmp_path):
    return tiny.write_recipe(tmp_path / "r.yaml", tiny.recipe("images"))


def test_any_key_can_be_changed(path):
    recipe = recipes.load(
        path,
        [
            "data.train=my faces",
            "training.steps=9",
            "training.learning_rate.initial=1e-4",
            "training.ema=0.999",
            "data.sampling.hr_size=[24, 40]",
            "data.sampling.window=",
            "data.sampling.lr_size=24",
            "model.encoder.features=12",
            "name=a=b",
        ],
    )
    assert recipe.data.train == "my faces"
    assert (recipe.training.steps, recipe.training.steps_per_epoch) == (9, 3)
    assert recipe.training.learning_rate.initial == 1e-4
    assert recipe.training.learning_rate.decay == "cosine"
    assert recipe.training.ema == 0.999
    assert recipe.data.sampling.hr_size == (24, 40)
    assert recipe.data.sampling.window is None
    assert recipe.model["encoder"] == {**tiny.MODEL["encoder"], "features": 12}
    assert recipe.name == "a=b"


def test_the_last_of_two_changes_holds(path):
    assert recipes.load(path, ["seed=1", "seed=2"]).seed == 2


def test_another_decoder_takes_no_argument_of_the_one_before(path):
    assert recipes.load(path, ["model.decoder.name=liif"]).model["decoder"] == {"name": "liif"}
    assert recipes.load(path, ["model.decoder=lte"]).model["decoder"] == "lte"


def test_an_argument_of_an_encoder_given_by_name_alone(path):
    changes = ["model.encoder=edsr", "model.encoder.features=8"]
    assert recipes.load(path, changes).model["encoder"] == {"name": "edsr", "features": 8}


def test_another_name_replaces_nothing_else(path):
    changes = ["provenance={licence: MIT, date: 2024-05-01}", "provenance.name=mine"]
    provenance = recipes.load(path, changes).provenance
    assert provenance == {"licence": "MIT", "date": "2024-05-01", "name": "mine"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("seed: 1\nseed: 2", "duplicate key 'seed'"),
        ("provenance: &a {me: *a}", "more than 10000 values with those of its aliases"),
        ("provenance: {digest: !!binary AAAA}", "not plain data"),
    ],
)
def test_what_cannot_be_saved_is_one_line(line, words, tmp_path):
    (tmp_path / "r.yaml").write_text(f"name: x\n{line}\n")
    with pytest.raises(RecipeError, match=words) as caught:
        recipes.load(tmp_path / "r.yaml")
    assert "\n" not in str(caught.value)


def test_a_changed_model_need_not_have_the_recipes_parameters(tmp_path):
    content = {**tiny.recipe("images"), "expected": {"div2k": {"x2": 34.0}}}
    content["parameters"] = recipes.parse(content).build_model().count_params()
    path = tiny.write_recipe(tmp_path / "r.yaml", content)
    assert recipes.load(path, ["seed=3"]).parameters == content["parameters"]
    changed = recipes.load(path, ["model.encoder.features=12"])
    assert (changed.parameters, changed.expected) == (None, {})


@pytest.mark.parametrize(
    "change, words",
    [
        ("training.step=9", ["training.step", "Did you mean 'steps'?"]),
        ("trainig.steps=9", ["trainig", "Did you mean 'training'?"]),
        ("model.encoder.featuers=9", ["featuers", "Did you mean 'features'?"]),
        ("training.global_clipnorm=1", ["global_clipnorm", "Did you mean 'clip_norm'?"]),
        ("training.steps=many", ["training.steps", "many"]),
        ("training.steps", ["KEY=VALUE", "training.steps"]),
        ("=5", ["KEY=VALUE", "=5"]),
        ("training..steps=5", ["KEY=VALUE", "training..steps=5"]),
        ("data.train=[1", ["data.train", "YAML"]),
        ("seed.x=1", ["seed"]),
    ],
)
def test_a_change_that_is_invalid_is_one_line(change, words, path):
    with pytest.raises(RecipeError) as caught:
        recipes.load(path, [change])
    line = str(caught.value)
    assert line.startswith(f"{path}: ") and "\n" not in line
    for word in words:
        assert word in line


def test_a_recipe_of_a_newer_version_is_reported_before_its_keys(tmp_path):
    content = {**tiny.recipe("images"), "version": 2, "teacher": {"name": "something new"}}
    with pytest.raises(RecipeError) as caught:
        recipes.load(tiny.write_recipe(tmp_path / "r.yaml", content))
    line = str(caught.value)
    assert "version 2 needs a newer tfsr" in line and __version__ in line and "\n" not in line


def test_the_version_is_written_with_the_recipe(path):
    assert recipes.to_mapping(recipes.load(path))["version"] == 1
