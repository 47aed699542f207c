"""Recipes from files and mappings, checked, and back to plain data."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
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

    A recipe may name another, `base: other.yaml` beside it, and say only what differs: mappings are
    merged key by key, everything else is replaced, and so is an encoder or a decoder by one of
    another name. What a base says of its own model, `parameters` and `expected`, is not taken over.
    A base may have a base, and need not be a whole recipe.

    Args:
        path: of the recipe.
        changes: "key=value" each, such as "training.steps=2000" or "data.train=faces"; the value is
            YAML. What is changed in the model drops `parameters` and `expected` too.

    Raises:
        RecipeError: if a file cannot be read, is not YAML, or has an unknown, missing or
            impossible key; the message names it, and the nearest known one.
    """
    try:
        return parse(read_recipe(path, changes))
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error


def parse(content: Any) -> Recipe:
    """The recipe of a mapping, as YAML gives it.

    Raises:
        RecipeError: as `load`.
    """
    version = content.get("version", VERSION) if isinstance(content, Mapping) else VERSION
    # Told before its keys are looked at: those that this version does not know are no mistakes.
    if isinstance(version, int) and version > VERSION:
        raise RecipeError(
            f"version {version} is of a newer tfsr; this one, {__version__}, reads version "
            f"{VERSION}: install the newer one"
        )
    try:
        json.dumps(content)
    except (TypeError, ValueError, RecursionError) as error:
        raise RecipeError(f"holds what is no plain data: {error}") from error
    recipe = read(Recipe, content, "")
    check(recipe)
    return recipe


def to_mapping(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain data, from which `parse` makes an equal one."""
    return json.loads(json.dumps(asdict(recipe)))
