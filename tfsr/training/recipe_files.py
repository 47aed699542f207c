"""Recipes from files and mappings, checked, and back to plain data."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from tfsr import __version__
from tfsr.errors import RecipeError
from tfsr.training.recipe import VERSION, Recipe
from tfsr.training.recipe_checks import check
from tfsr.training.recipe_yaml import read_recipe
from tfsr.training.schema import read


def load(path: str | os.PathLike[str], changes: Sequence[str] = ()) -> Recipe:
    """Read and check a recipe.

    `base: other.yaml` names a recipe in the same folder that this one changes: mappings are merged
    key by key, other values replaced, and so is an encoder or a decoder by one of another name. A
    base's `parameters` and `expected` are of its own model and not inherited. A base may have a
    base, and need not be complete.

    Args:
        path: of the recipe.
        changes: "KEY=VALUE" each, such as "training.steps=2000"; KEY is a dotted path, VALUE is
            YAML. A change of the model drops `parameters` and `expected`.

    Raises:
        RecipeError: if a file cannot be read, is not YAML, or has an unknown, missing or
            impossible key; unknown keys suggest the closest match.

    Example:
        >>> load("recipes/liif-rdn-div2k.yaml", ["training.steps=2000"]).training.steps
        2000
    """
    try:
        return parse(read_recipe(path, changes))
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error


def parse(content: Any) -> Recipe:
    """Make the recipe of a mapping, as YAML gives it.

    Raises:
        RecipeError: as `load`.
    """
    version = content.get("version") if isinstance(content, dict) else None
    # Checked before the keys: those that this version does not know are no mistakes.
    if isinstance(version, int) and version > VERSION:
        raise RecipeError(
            f"version {version} needs a newer tfsr; {__version__} reads version {VERSION}"
        )
    recipe = read(Recipe, _without_shorthands(content))
    check(recipe)
    return recipe


def to_mapping(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe as plain data, from which `parse` makes an equal one."""
    return json.loads(json.dumps(asdict(recipe)))


def _without_shorthands(content: Any) -> Any:
    """Write `optimizer: muon` as `optimizer: {name: muon}`, and so on."""
    if not isinstance(content, dict):
        return content
    content = {key: copy.copy(value) for key, value in content.items()}
    training, data = content.get("training"), content.get("data")
    if isinstance(training, dict):
        for key, name in (("optimizer", "name"), ("teacher", "preset")):
            if isinstance(training.get(key), str):
                training[key] = {name: training[key]}
    if isinstance(data, dict) and isinstance(data.get("train"), list):
        data["train"] = [{"folder": x} if isinstance(x, str) else x for x in data["train"]]
    return content
