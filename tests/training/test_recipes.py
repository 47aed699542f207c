"""The recipes of the papers' tables, as they are shipped."""

import json
import shutil
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest
import tiny
import yaml
from cases import quick

from tfsr.decoders import DECODERS
from tfsr.training import recipe_files as recipes
from tfsr.training.recipe_yaml import read_recipe
from tfsr.training.trainer import train


def recipe_bases(path):
    """Names of the files that a recipe rests on, nearest first."""
    base = yaml.safe_load(path.read_text()).get("base")
    return [base, *recipe_bases(FOLDER / base)] if base else []


FOLDER = Path(__file__).parents[2] / "recipes"
# What begins with an underscore is a base of others, not a recipe.
SHIPPED = sorted(path for path in FOLDER.glob("*.yaml") if not path.name.startswith("_"))
# Ours are rows of our own tables.
OUR_BASES = ("_compact-faces.yaml", "_faces.yaml", "_photos.yaml")
OURS = {path for path in SHIPPED if recipe_bases(path)[-1] in OUR_BASES}
TABLES = [path for path in SHIPPED if path not in OURS]

# One of each decoder, and one of a fixed scale: two steps of each are trained.
TRAINED = {
    "liif": "liif-edsr-baseline-div2k",
    "ipe-liif": "ipe-liif-edsr-baseline-div2k",
    "metasr": "metasr-edsr-baseline-div2k",
    "ipe-metasr": "ipe-metasr-edsr-baseline-div2k",
    "lte": "lte-edsr-baseline-div2k",
    "lm-liif": "lm-liif-edsr-baseline-div2k",
    "lm-lte": "lm-lte-edsr-baseline-div2k",
    "diinn": "diinn-rdn-div2k",
    "diinn-ensemble": "diinn-edsr-baseline-celebahq-nn65",
    "arasfsr": "arasfsr-edsr-baseline-celebahq",
    "thera": "thera-edsr-baseline-div2k",
    "ope": "ope-edsr-baseline-div2k",
    "gb-lsr": "gb-lsr-rdn-div2k",
    "arasfsr-linear": "faces-clean",
    None: "edsr-baseline-x2-div2k",
}


@cache
def content_of(path):
    """A recipe's mapping with its bases, unchecked: building the models would take long."""
    return read_recipe(path)


def decoder_of(content):
    decoder = content["model"].get("decoder")
    return decoder["name"] if isinstance(decoder, dict) else decoder


@pytest.mark.parametrize(
    "path",
    quick([path for path in SHIPPED if "rdn" not in path.stem], SHIPPED),
    ids=lambda path: path.stem,
)
def test_a_recipe_loads_and_has_the_parameters_that_it_gives(path):
    # Loading builds the model and compares.
    recipe = recipes.load(path)
    assert recipe.name == path.stem
    assert f"recipes/{path.name}" in path.read_text()
    assert path in OURS or recipe.parameters is not None


# Whole models as the authors' code builds them; it counts 24 constants of EDSR-baseline besides.
@pytest.mark.parametrize(
    "name, published",
    [
        ("liif-edsr-baseline-div2k", 1_567_323 - 24),
        ("liif-rdn-div2k", 22_320_835),
        ("metasr-edsr-baseline-div2k", 1_665_560 - 24),
        ("metasr-rdn-div2k", 22_419_072),
        ("lte-edsr-baseline-div2k", 1_714_267 - 24),
        ("lte-rdn-div2k", 22_467_779),
        ("lm-liif-edsr-baseline-div2k", 1_386_091 - 24),
        ("lm-lte-edsr-baseline-div2k", 1_490_907 - 24),
        ("gb-lsr-rdn-div2k", 21_973_952 + 64 * 768 + 768 + 1),
        ("diinn-rdn-div2k", 22_960_579),
        ("diinn-edsr-baseline-celebahq", 2_207_323 - 24),
        ("arasfsr-edsr-baseline-celebahq", 2_773_155 - 24),
        ("ipe-liif-rdn-div2k", 21_973_952 + 829_187),
    ],
)
def test_a_recipes_parameters_are_those_of_the_published_model(name, published):
    assert content_of(FOLDER / f"{name}.yaml")["parameters"] == published


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_expected_figures_are_plain_decibels_of_known_images(path):
    expected = content_of(path).get("expected", {})
    assert json.loads(json.dumps(expected)) == expected
    known = {"div2k", "set5", "set14", "b100", "urban100", "celebahq", "celebahq-nn65"}
    assert set(expected) <= known
    for images, figures in expected.items():
        assert len(figures) > 0
        for label, value in figures.items():
            assert isinstance(value, float) and 18 < value < 42
            if images.startswith("celebahq"):
                lr, hr = map(int, label.split("-"))
                assert lr < hr
            else:
                assert label[0] == "x" and int(label[1:]) > 1
        # The larger the scale, the harder, from any one LR size.
        by_start = {}
        for label, value in figures.items():
            start, _, end = label.replace("x", "x-").partition("-")
            by_start.setdefault(start, []).append((int(end), value))
        for pairs in by_start.values():
            values = [value for _, value in sorted(pairs)]
            assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_the_rate_drops_within_the_run(path):
    training = content_of(path)["training"]
    rate = training["learning_rate"]
    if rate["decay"] == "cosine":
        assert not rate.get("boundaries")
        return
    boundaries = rate["boundaries"]
    assert boundaries == sorted(boundaries)
    assert 0 < boundaries[0] and boundaries[-1] < training["steps"]


def test_a_fixed_scale_is_trained_and_validated_at_that_scale():
    fixed = [content for content in map(content_of, TABLES) if "scale" in content["model"]]
    assert {content["model"]["scale"] for content in fixed} == {2, 3, 4}
    for content in fixed:
        scale = content["model"]["scale"]
        assert content["data"]["sampling"]["scale"] == [scale, scale]
        assert content["data"]["sampling"]["num_points"] is None
        assert content["validation"]["scales"] == [scale]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_no_key_repeats_the_base(path):
    content = yaml.safe_load(path.read_text())
    assert ("base" in content) == (path.name not in ("_div2k.yaml", "_celebahq.yaml", *OUR_BASES))
    while "base" in content:
        base = yaml.safe_load((FOLDER / content.pop("base")).read_text())
        assert not set(leaves(content)) & set(leaves(base))
        content = {**content, **{key: value for key, value in base.items() if key == "base"}}


def leaves(content, where=()):
    """Every value of a nested mapping, with the keys that lead to it."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from leaves(value, (*where, key))
    else:
        yield where, repr(content)


def test_the_recipes_page_lists_every_recipe_and_its_parameters():
    lines = (FOLDER / "README.md").read_text().splitlines()
    for path in SHIPPED:
        [row] = [line for line in lines if line.startswith(f"| [{path.stem}]({path.name}) |")]
        content = content_of(path)
        if content.get("parameters") is not None:
            assert f"| {content['parameters']:,} |" in row
        for figures in content.get("expected", {}).values():
            for value in figures.values():
                assert f"{value:.2f}" in row


def test_every_decoder_has_a_recipe_that_is_trained_here():
    # LTE+ is LTE computed in another order: the same function, the same recipe.
    assert set(TRAINED) == {*DECODERS.names(), None} - {"lte+"}
    for decoder, name in TRAINED.items():
        assert decoder_of(content_of(FOLDER / f"{name}.yaml")) == decoder


def one_size(sampling):
    """What validation restores: each further size would be compiled."""
    if sampling["mode"] == "resize":
        return {"lr_sizes": [12]}
    return {"lr_sizes": [], "scales": [2]}


@pytest.mark.parametrize("name", quick(["faces-clean"], TRAINED.values()))
def test_a_recipe_trains_two_steps(name, tmp_path):
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    images = str(tiny.folder(tmp_path / "images", count=2))
    given = content_of(FOLDER / f"{name}.yaml")["data"]["sampling"]
    sampling = {"batch": 2, "lr_size": 12}
    if given["mode"] == "resize":
        sampling["hr_size"] = [12, 24]
    if given.get("window") is not None:
        sampling["window"] = 12
    if given["num_points"] is not None:
        sampling["num_points"] = 64
    content = {
        "base": f"{name}.yaml",
        "name": "two-steps",
        # The decoder is complete; the encoder, which is the same everywhere, is a small one.
        "model": {"encoder": tiny.MODEL["encoder"]},
        "data": {"train": images, "validation": images, "sampling": sampling},
        "training": {"steps": 2, "steps_per_epoch": 2, "jit_compile": False},
        "validation": {"images": 1, **one_size(given)},
    }
    derived = tiny.write_recipe(tmp_path / "two-steps.yaml", content)
    untrained = recipes.load(derived)
    keras.utils.set_random_seed(untrained.seed)
    before = untrained.build_model().get_weights()
    model = train(derived, tmp_path / "run")
    assert int(model.optimizer.iterations) == 2
    pairs = list(zip(before, model.get_weights(), strict=True))
    assert all(np.all(np.isfinite(after)) for _, after in pairs)
    assert any(np.any(old != after) for old, after in pairs)
