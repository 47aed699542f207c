import math
import os
from copy import deepcopy

import pytest
import tiny
import yaml
from block_means import BlockMeans

from tfsr.encoders import ENCODERS
from tfsr.errors import RecipeError
from tfsr.training import recipe_files as recipes
from tfsr.training.recipe import OptimizerConfig, TrainingConfig
from tfsr.training.recipe_yaml import read_yaml


def changed(key, value):
    """The tiny recipe with one dotted key set, or taken away where the value is `...`."""
    content = deepcopy(tiny.recipe("images"))
    *parents, last = key.split(".")
    mapping = content
    for parent in parents:
        mapping = mapping.setdefault(parent, {})
    if value is ...:
        del mapping[last]
    else:
        mapping[last] = value
    return content


def check_refused(path, *words):
    with pytest.raises(RecipeError) as caught:
        recipes.load(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    for word in words:
        assert word in line
    return line


def test_values_arrive(tmp_path):
    recipe = recipes.load(tiny.write_recipe(tmp_path / "r.yaml", tiny.recipe("images")))
    assert (recipe.name, recipe.seed) == ("tiny", 5)
    assert recipe.data.train == "images"
    assert recipe.data.sampling.lr_size == (16, 24)
    assert recipe.data.sampling.augment == ("horizontal",)
    assert recipe.training.learning_rate.decay == "cosine"
    assert recipe.training.optimizer == OptimizerConfig("adam", epsilon=1e-8)
    assert recipe.validation.lr_sizes == (24,)
    assert recipe.provenance == {"licence": "made by the test"}


def test_the_mapping_of_a_recipe_is_the_recipe():
    recipe = recipes.parse(tiny.recipe("images"))
    mapping = recipes.to_mapping(recipe)
    assert yaml.safe_load(yaml.safe_dump(mapping)) == mapping
    assert recipes.parse(mapping) == recipe


@pytest.mark.parametrize(
    "key, nearest",
    [
        ("trainig", "training"),
        ("data.validaton", "validation"),
        ("data.sampling.num_point", "num_points"),
        ("training.step_per_epoch", "steps_per_epoch"),
        ("training.learning_rate.initail", "initial"),
        ("validation.lr_size", "lr_sizes"),
        ("model.decodr", "decoder"),
        ("model.encoder.featuers", "features"),
        ("model.decoder.hiden", "hidden"),
    ],
)
def test_a_misspelt_key_is_reported_with_the_nearest(key, nearest, tmp_path):
    path = tiny.write_recipe(tmp_path / "r.yaml", changed(key, 1))
    check_refused(path, key.rpartition(".")[2], f"Did you mean '{nearest}'?")


@pytest.mark.parametrize(
    "key, value, nearest",
    [
        ("training.loss", "charbonier", "charbonnier"),
        ("training.precision", "mixed_bfloat", "mixed_bfloat16"),
        ("training.learning_rate.decay", "cosin", "cosine"),
        ("data.sampling.degradation", "bicubik", "bicubic"),
        ("validation.protocol", "div2", "div2k"),
        ("model.encoder.name", "ersr", "edsr"),
        ("model.decoder.name", "arasfr", "arasfsr"),
    ],
)
def test_a_misspelt_choice_is_reported_with_the_nearest(key, value, nearest, tmp_path):
    path = tiny.write_recipe(tmp_path / "r.yaml", changed(key, value))
    check_refused(path, value, f"Did you mean '{nearest}'?")


@pytest.mark.parametrize(
    "key",
    [
        "name",
        "model",
        "model.encoder",
        "model.decoder",
        "data",
        "data.train",
        "data.validation",
        "training",
        "training.steps",
        "validation",
    ],
)
def test_a_missing_key_is_named(key, tmp_path):
    path = tiny.write_recipe(tmp_path / "r.yaml", changed(key, ...))
    check_refused(path, key.rpartition(".")[2])


@pytest.mark.parametrize(
    "key, value",
    [
        ("name", 5),
        ("seed", "five"),
        ("seed", None),
        ("model", "edsr"),
        ("model.encoder", 5),
        ("data", ["images"]),
        ("data.sampling.hr_size", 48),
        ("data.sampling.hr_size", [48]),
        ("data.sampling.hr_size", [24.5, 48]),
        ("data.sampling.lr_size", "48"),
        ("data.sampling.augment", "horizontal"),
        ("training.steps", "many"),
        ("training.steps", 1.5),
        ("training.steps", True),
        ("training.learning_rate", 1e-4),
        ("training.learning_rate.initial", "fast"),
        ("training.learning_rate.boundaries", 5),
        ("validation.lr_sizes", 64),
        ("provenance", "mine"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(key, value, tmp_path):
    path = tiny.write_recipe(tmp_path / "r.yaml", changed(key, value))
    check_refused(path, key.rpartition(".")[2])


@pytest.mark.parametrize("value", ["many", -8, None, [8]])
def test_a_value_that_no_layer_can_have_is_reported(value, tmp_path):
    path = tiny.write_recipe(tmp_path / "r.yaml", changed("model.encoder.features", value))
    check_refused(path, "model")


@pytest.mark.parametrize(
    "key, value",
    [
        ("seed", -1),
        ("data.sampling.num_points", 0),
        ("data.sampling.hr_size", [48, 24]),
        ("data.sampling.window", 99),
        ("training.steps", 0),
        ("training.steps_per_epoch", 0),
        ("training.learning_rate.initial", float("nan")),
        ("training.learning_rate.initial", -1e-4),
        ("training.learning_rate.warmup", -1),
        ("training.learning_rate.decay_start", -1),
        ("training.optimizer.epsilon", 0.0),
        ("training.optimizer.beta_1", 1.0),
        ("training.optimizer.beta_2", -0.1),
        ("training.optimizer.weight_decay", -1),
        ("training.optimizer.weight_decay", 0.1),
        ("training.optimizer.momentum", 0.9),
        ("training.optimizer.name", "sgd"),
        ("training.optimizer", "muno"),
        ("training.steps_per_epoch", "auto"),
        ("training.steps_per_execution", 0),
        ("training.steps_per_execution", 4),
        ("training.checkpoint_steps", 0),
        ("training.checkpoint_minutes", 0),
        ("data.cache", "much"),
        ("validation.images", 0),
        ("validation.patience", 0),
        ("training.ema", 1.0),
        ("training.clip_norm", 0),
        ("training.gradient_accumulation_steps", 0),
        ("validation.lr_sizes", []),
        ("validation.lr_sizes", [64, 0]),
        ("validation.scales", [2, 0.5]),
        ("validation.scales", [float("nan")]),
        ("validation.scales", [float("inf")]),
        ("validation.degradations", ["real-mild"]),
        ("validation.degradations", ["clean", "nn65"]),
        ("data.sampling.degradation", {"name": "faces", "jpeg": [30, 101]}),
        ("data.sampling.degradation", 5),
    ],
)
def test_an_impossible_value_is_named(key, value, tmp_path):
    path = tiny.write_recipe(tmp_path / "r.yaml", changed(key, value))
    check_refused(path, key.rpartition(".")[2])


def test_an_optimizer_can_be_a_name():
    content = tiny.recipe("images", optimizer="muon")
    assert recipes.parse(content).training.optimizer == OptimizerConfig("muon")
    content = tiny.recipe("images", optimizer={"name": "muon", "weight_decay": 0.1})
    assert recipes.parse(content).training.optimizer == OptimizerConfig("muon", weight_decay=0.1)


def test_a_loss_is_a_name_a_mapping_or_a_list(tmp_path):
    path = tiny.write_recipe(tmp_path / "r.yaml", changed("data.sampling.points", "patch"))
    for change, expected in (
        ("training.loss=l2", "l2"),
        ("training.loss.epsilon=1e-3", {"name": "charbonnier", "epsilon": 1e-3}),
        (
            "training.loss=[l1, {name: fft, weight: 0.05}]",
            ("l1", {"name": "fft", "weight": 0.05}),
        ),
    ):
        recipe = recipes.load(path, [change])
        assert recipe.training.loss == expected
        assert recipes.parse(recipes.to_mapping(recipe)) == recipe


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        ("fft", ("fft needs data.sampling.points: patch", "scattered")),
        (["l1", {"name": "fft", "weight": 0.05}], ("fft needs data.sampling.points: patch",)),
        ([], ("at least one",)),
        (["l1", {"name": "l2", "weight": 0}], ("weight", "received 0")),
        ({"name": "l1", "epsilon": 1}, ("epsilon", "known: none")),
        ({"name": "charbonnier", "epsilon": -1}, ("epsilon", "-1")),
        (5, ("5",)),
    ],
)
def test_a_loss_that_cannot_be_is_named(loss, words, tmp_path):
    path = tiny.write_recipe(tmp_path / "r.yaml", changed("training.loss", loss))
    check_refused(path, "training.loss", *words)


@pytest.mark.parametrize(
    "steps, epoch, execution, interval",
    [
        (23_000, 1000, 1, 10),
        (6, 3, 1, 3),
        (7, 3, 1, 1),
        (900, 900, 50, 450),
        (900, 300, 4, 20),
        ("auto", 125, 1, 5),
        ("auto", "auto", 1, 10),
        ("auto", "auto", 4, 40),
    ],
)
def test_the_interval_divides_the_run_and_stays_when_it_is_decided(
    steps, epoch, execution, interval
):
    training = TrainingConfig(steps, epoch, execution)
    assert training.interval() == interval
    if steps == "auto":
        decided = training.with_steps(1234, epochs=8, decay_start=0)
        assert decided.interval() == interval
        assert decided.steps == 1234 // interval * interval
        eighth = math.ceil(decided.steps / 8 / interval) * interval
        assert decided.steps_per_epoch == (eighth if epoch == "auto" else epoch)
        later = training.with_steps(1234, 8, 800)
        assert later.steps_per_epoch == (800 + interval if epoch == "auto" else epoch)
        assert later.learning_rate.decay_start == 800


def test_reductions_are_the_sizes_and_then_the_scales():
    content = changed("validation", {"lr_sizes": [24, 16], "scales": [2, 3.5]})
    content["data"]["sampling"]["degradation"] = "nn65"
    specs = recipes.parse(content).degradation_specs()
    assert [spec.label for spec in specs] == ["24", "16", "x2", "x3.5"]
    assert {spec.degradation for spec in specs} == {"nn65"}


def test_validation_can_restore_from_several_degradations(tmp_path):
    content = changed("validation.degradations", ["clean", "real-medium"])
    content["data"]["sampling"]["degradation"] = {"name": "faces", "noise": [0, 5]}
    recipe = recipes.load(tiny.write_recipe(tmp_path / "r.yaml", content))
    labels = [spec.label for spec in recipe.degradation_specs()]
    assert labels == ["24", "24-real-medium"]
    assert recipes.parse(recipes.to_mapping(recipe)) == recipe
    trained = changed("data.sampling.degradation", [{"noise": 3}])
    assert [r.label for r in recipes.parse(trained).degradation_specs()] == ["24-custom"]


def test_validation_can_restore_from_a_list_of_steps():
    content = changed("validation.degradations", ["clean", ["to_lr", {"jpeg": 80}]])
    recipe = recipes.parse(content)
    labels = [spec.label for spec in recipe.degradation_specs()]
    assert labels == ["24", "24-custom"]
    assert recipes.parse(recipes.to_mapping(recipe)) == recipe
    with pytest.raises(RecipeError, match="one that is given by its steps"):
        recipes.parse(changed("validation.degradations", [[{"noise": 3}], [{"noise": 5}]]))


LAUGHS = b"a0: &a0 [1, 1, 1, 1]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (i, i, b", ".join([b"*a%d" % (i - 1)] * 9)) for i in range(1, 9)
)


def test_aliases_may_be_used(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("sizes: &sizes [24, 48]\nagain: *sizes\nwith: {<<: {a: 1}, b: 2}\n")
    expected = {"sizes": [24, 48], "again": [24, 48], "with": {"a": 1, "b": 2}}
    assert read_yaml(path) == expected


def test_bases_end(tmp_path):
    for i in range(40):
        tiny.write_recipe(tmp_path / f"{i}.yaml", {"base": f"{i + 1}.yaml"})
    (tmp_path / "r.yaml").symlink_to("0.yaml")
    check_refused(tmp_path / "r.yaml", "at most 16 bases")


def test_a_base_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    path = tiny.write_recipe(tmp_path / "r.yaml", {"base": "pipe.yaml"})
    check_refused(path, "base pipe.yaml: cannot be read: not a regular file")


def test_numbers_without_a_point_are_numbers(tmp_path):
    # YAML 1.1 reads 1e-4 as text, which would surprise everyone.
    path = tmp_path / "r.yaml"
    text = yaml.safe_dump(changed("training.learning_rate.initial", "RATE"))
    path.write_text(text.replace("RATE", "1e-4"))
    assert isinstance(yaml.safe_load("1e-4"), str)
    assert recipes.load(path).training.learning_rate.initial == 1e-4


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "mapping"),
        (b"- a\n- b\n", "mapping"),
        (b"just text", "mapping"),
        (b"name: [1, 2\nseed: }", "YAML"),
        (b"name: tiny\n\tseed: 1", "YAML"),
        (b"name: !!timestamp 2024-13-45", "YAML"),
        (b"name: a\x00b", "YAML"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "UTF-8"),
        # What a few bytes stand for has no end, or takes minutes.
        (LAUGHS, "more than 10000 values"),
        (b"name: &a [*a]", "more than 10000 values"),
        (b"".join(b"k%d: 1\n" % i for i in range(40_000)), "more than 10000 values"),
        (b"name: " + b"[" * 5000, "YAML"),
        # Tags whose values are of another type, and numbers in base 60.
        (b"name: !!timestamp x", "YAML"),
        (b"name: !!bool x", "YAML"),
        (b"name: !!float ''", "YAML"),
        (b"seed: 1:" + b"59:" * 400 + b"59.5", "YAML"),
    ],
)
def test_a_file_that_is_no_recipe_is_named(content, words, tmp_path):
    path = tmp_path / "r.yaml"
    path.write_bytes(content)
    check_refused(path, words)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    check_refused(tmp_path / "nowhere.yaml", "No such file")
    check_refused(tmp_path, "directory")


def derived(folder, content, base=None, base_content=None):
    """A recipe based on a tiny one, or on `base_content`, both written to `folder`."""
    base = base or "_base.yaml"
    tiny.write_recipe(folder / base, base_content or tiny.recipe("images"))
    return tiny.write_recipe(folder / "r.yaml", {"base": base, **content})


def test_a_recipe_says_only_how_it_differs_from_its_base(tmp_path):
    changes = {
        "name": "other",
        "data": {"sampling": {"batch": 7}},
        "training": {"learning_rate": {"initial": 2e-3}},
        "validation": {"lr_sizes": [16]},
    }
    expected = deepcopy(tiny.recipe("images"))
    expected["name"] = "other"
    expected["data"]["sampling"]["batch"] = 7
    expected["training"]["learning_rate"]["initial"] = 2e-3
    expected["validation"]["lr_sizes"] = [16]  # A list is replaced, not merged.
    assert recipes.load(derived(tmp_path, changes)) == recipes.parse(expected)


def test_an_argument_of_the_same_encoder_is_merged(tmp_path):
    path = derived(tmp_path, {"model": {"encoder": {"features": 12}}})
    assert recipes.load(path).model["encoder"] == {**tiny.MODEL["encoder"], "features": 12}
    assert recipes.load(path).model["decoder"] == tiny.MODEL["decoder"]


@pytest.mark.parametrize(
    "encoder", ["edsr-baseline", {"name": "rdn", "features": 8, "blocks": 1, "layers": 1}]
)
def test_another_encoder_takes_no_argument_of_the_bases(encoder, tmp_path):
    path = derived(tmp_path, {"model": {"encoder": encoder}})
    assert recipes.load(path).model["encoder"] == encoder


def test_empty_replaces_what_the_base_says(tmp_path):
    changes = {"data": {"sampling": {"window": None, "lr_size": 24}}}
    assert recipes.load(derived(tmp_path, changes)).data.sampling.window is None


def test_a_base_may_have_a_base_and_be_no_whole_recipe(tmp_path):
    whole = tiny.recipe("images")
    tiny.write_recipe(tmp_path / "_data.yaml", {"data": whole["data"], "seed": 9})
    middle = {"base": "_data.yaml", "model": whole["model"], "validation": whole["validation"]}
    changes = {"name": "top", "training": whole["training"]}
    recipe = recipes.load(derived(tmp_path, changes, base_content=middle))
    assert (recipe.name, recipe.seed) == ("top", 9)
    assert recipe.data == recipes.parse(whole).data


def test_figures_and_parameters_of_a_base_are_its_own(tmp_path):
    base = {**tiny.recipe("images"), "expected": {"div2k": {"x2": 34.67}}}
    base["parameters"] = recipes.parse(base).build_model().count_params()
    recipe = recipes.load(
        derived(tmp_path, {"model": {"encoder": {"features": 12}}}, base_content=base)
    )
    assert recipe.expected == {}
    assert recipe.parameters is None
    assert recipes.load(tmp_path / "_base.yaml").expected == {"div2k": {"x2": 34.67}}


def test_a_missing_base_is_named(tmp_path):
    path = tiny.write_recipe(tmp_path / "r.yaml", {"base": "_nowhere.yaml"})
    check_refused(path, "base _nowhere.yaml", "No such file")


@pytest.mark.parametrize("text", [b"", b"- a\n", b"text", b"name: [1"])
def test_a_base_that_is_no_recipe_is_named(text, tmp_path):
    path = tiny.write_recipe(tmp_path / "r.yaml", {"base": "_base.yaml"})
    (tmp_path / "_base.yaml").write_bytes(text)
    check_refused(path, "base _base.yaml")


@pytest.mark.parametrize("other", ["r.yaml", "_base.yaml"])
def test_a_recipe_cannot_be_its_own_base(other, tmp_path):
    path = tiny.write_recipe(tmp_path / "r.yaml", {"base": other})
    tiny.write_recipe(tmp_path / "_base.yaml", {"base": "r.yaml"})
    check_refused(path, "base: r.yaml")


@pytest.mark.parametrize("base", ["sub/_base.yaml", "../_base.yaml", "/etc/passwd", 5, None, []])
def test_a_base_is_a_name_and_no_path(base, tmp_path):
    path = tiny.write_recipe(tmp_path / "r.yaml", {"base": base})
    check_refused(path, "base must be the name", repr(base))


def test_a_misspelt_key_of_the_base_is_reported_with_the_nearest(tmp_path):
    base = changed("data.sampling.num_point", 64)
    check_refused(derived(tmp_path, {}, base_content=base), "Did you mean 'num_points'?")


def test_another_number_of_parameters_is_reported(tmp_path):
    count = recipes.parse(tiny.recipe("images")).build_model().count_params()
    assert recipes.parse(changed("parameters", count)).parameters == count
    path = tiny.write_recipe(tmp_path / "r.yaml", changed("parameters", count + 1))
    check_refused(path, "parameters", str(count), str(count + 1))


@pytest.mark.parametrize("value", ["many", 1.5, True])
def test_parameters_are_a_whole_number(value, tmp_path):
    check_refused(
        tiny.write_recipe(tmp_path / "r.yaml", changed("parameters", value)), "parameters"
    )


@pytest.mark.parametrize(
    ("model", "sampling", "word"),
    [
        (
            tiny.MODEL,
            {"num_points": None, "hr_size": [24, 24], "lr_size": 12, "window": None},
            "num_points",
        ),
        ({"encoder": "edsr-baseline", "scale": 2}, {}, "scale 2"),
        (
            {"encoder": "edsr-baseline", "scale": 2},
            {
                "mode": "random_crop",
                "scale": [3, 3],
                "num_points": None,
                "lr_size": 12,
                "window": None,
            },
            "scale 2",
        ),
    ],
)
def test_model_and_samples_must_go_together(model, sampling, word, tmp_path):
    content = tiny.recipe(tmp_path)
    content["model"] = model
    content["data"]["sampling"].update(sampling)
    with pytest.raises(RecipeError, match=word):
        recipes.parse(content)


@pytest.mark.parametrize(
    "rate",
    [
        {"decay": "cosine", "boundaries": [3]},
        {"decay": "steps", "boundaries": [3, 2]},
        {"decay": "steps", "boundaries": [0]},
    ],
)
def test_boundaries_are_valid(rate, tmp_path):
    content = tiny.recipe(tmp_path)
    content["training"]["learning_rate"] = rate
    with pytest.raises(RecipeError, match="boundaries"):
        recipes.parse(content)


# Several folders.

TWO = [{"folder": "a", "weight": 3}, {"folder": "b", "mode": "random_crop", "scale": [1, 2]}]


def test_a_recipe_may_name_several_folders():
    recipe = recipes.parse(changed("data.train", ["plain", *TWO]))
    assert [source.folder for source in recipe.data.sources] == ["plain", "a", "b"]
    assert recipe.data.sources[2].sampling(recipe.data.sampling).mode == "random_crop"
    assert recipes.parse(recipes.to_mapping(recipe)) == recipe


def test_folders_are_replaced_one_by_one_or_all_at_once():
    data = recipes.parse(changed("data.train", TWO)).data
    replaced = data.with_folders(["x", "y"]).sources
    assert [(source.folder, source.weight) for source in replaced] == [("x", 3), ("y", 1)]
    assert data.with_folders(["x"]).train == "x"
    with pytest.raises(RecipeError, match="2 folders; received 3"):
        data.with_folders(["x", "y", "z"])


@pytest.mark.parametrize(
    ("train", "words"),
    [
        ([], ["data.train", "at least one folder"]),
        ([{"folder": "a", "weigth": 1}], ["data.train[0].weigth", "Did you mean 'weight'"]),
        ([{"folder": "a", "weight": "much"}], ["data.train[0].weight", "'much'"]),
        ([{"weight": 1}], ["data.train[0].folder", "missing"]),
        ([{"folder": "a", "weight": 0}], ["data.train", "weight above 0"]),
        ([{"folder": "a", "hr_size": [9, 5]}], ["data.train", "a: hr_size"]),
        ([3], ["data.train[0]", "3"]),
    ],
)
def test_folders_that_cannot_be_are_reported(train, words, tmp_path):
    path = tiny.write_recipe(tmp_path / "r.yaml", changed("data.train", train))
    check_refused(path, *words)


def test_text_that_begins_as_a_number_is_text(tmp_path):
    digest = "7e14731f5dfea834c0d4bbc36268efca434c2f5fa24be32ff45888c8a102d08d"
    content = changed("provenance", {"licence": digest})
    assert recipes.load(tiny.write_recipe(tmp_path / "r.yaml", content)).provenance == {
        "licence": digest
    }


def test_a_model_is_checked_anew_when_an_encoder_is_unregistered():
    content = tiny.recipe("images")
    content["model"] = {**tiny.MODEL, "encoder": "passing"}
    ENCODERS.add("passing", BlockMeans)
    try:
        recipes.parse(content)
    finally:
        ENCODERS.remove("passing")
    with pytest.raises(RecipeError, match="encoder must be one of .*received 'passing'"):
        recipes.parse(content)
