"""Recipes from files and mappings, checked, and back to plain data."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from tfsr import __version__, losses
from tfsr.data.sources import check_sources
from tfsr.decoders import DECODERS
from tfsr.encoders import ENCODERS
from tfsr.errors import InvalidArgument, RecipeError, check_choice
from tfsr.inference.memory_amount import parse_memory
from tfsr.metrics import PROTOCOLS
from tfsr.models import from_config
from tfsr.training.recipe import VERSION, OptimizerConfig, Recipe, TrainingConfig
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
    _check(recipe)
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


def _check(recipe: Recipe) -> None:
    """Check that the values of a recipe, each valid alone, make sense together."""
    data, training, validation = recipe.data, recipe.training, recipe.validation
    with _error_of("data.sampling"):
        data.sampling.validate()
    with _error_of("data.train"):
        check_sources(data.sources, data.sampling)
    with _error_of("data.cache"):
        parse_memory(data.cache)
    _check_sampling_fits_model(recipe)
    _check_optimizer(training.optimizer)
    _check_steps(training)
    _check_loss(recipe)
    with _error_of("validation.degradations"):
        labels = [spec.label for spec in recipe.degradation_specs()]
    if not labels:
        raise RecipeError("validation needs lr_sizes or scales")
    if len(set(labels)) < len(labels):
        raise RecipeError(
            f"validation.degradations gives two figures one name in {', '.join(labels)}: "
            "use each once, one of clean and nn65, and one that is given by its steps"
        )
    check_choice("validation.protocol", validation.protocol, PROTOCOLS, RecipeError)
    # Last, because it takes longest.
    _check_model(recipe)


@contextmanager
def _error_of(key: str) -> Iterator[None]:
    try:
        yield
    except InvalidArgument as error:
        raise RecipeError(f"{key}: {error}") from error


def _check_model(recipe: Recipe) -> None:
    try:
        count = _parameters(recipe.model)
    # Keras and Python reject a layer's arguments in their own words.
    except (InvalidArgument, TypeError, ValueError, AttributeError) as error:
        raise RecipeError(f"model: {' '.join(str(error).split())}") from error
    if recipe.parameters not in (None, count):
        raise RecipeError(f"parameters must be {count}, as the model's; got {recipe.parameters}")


_counts: dict[Any, int] = {}


def _parameters(model: Mapping[str, Any]) -> int:
    """Count a model's parameters. To build it takes long, so each is built once."""
    key = repr(model), ENCODERS.revision, DECODERS.revision
    if key not in _counts:
        _counts[key] = from_config(model).count_params()
    return _counts[key]


def _check_sampling_fits_model(recipe: Recipe) -> None:
    """A fixed-scale model is trained on whole patches of its scale, all others on query points."""
    sampling, scale = recipe.data.sampling, recipe.model.get("scale")
    if scale is None:
        if sampling.num_points is None:
            raise RecipeError("data.sampling.num_points must be given for a model with a decoder")
        return
    fixed = sampling.mode == "random_crop" and sampling.scale == (scale, scale)
    if sampling.num_points is not None or not fixed:
        raise RecipeError(
            f"a model of scale {scale} is trained with data.sampling mode random_crop, "
            f"scale [{scale}, {scale}] and num_points null"
        )


def _check_optimizer(optimizer: OptimizerConfig) -> None:
    if optimizer.weight_decay and optimizer.name == "adam":
        raise RecipeError("training.optimizer.weight_decay needs adamw or muon; received adam")
    if optimizer.momentum is not None and optimizer.name != "muon":
        raise RecipeError(f"training.optimizer.momentum needs muon; received {optimizer.name}")


def _check_steps(training: TrainingConfig) -> None:
    if training.steps_per_epoch == "auto" and training.steps != "auto":
        raise RecipeError("training.steps_per_epoch can be auto only where training.steps is")
    for name in ("steps", "steps_per_epoch"):
        value, execution = getattr(training, name), training.steps_per_execution
        if value != "auto" and value % execution:
            raise RecipeError(
                f"training.{name} must be a multiple of training.steps_per_execution; received "
                f"{value} and {execution}"
            )
    rate = training.learning_rate
    if rate.boundaries and rate.decay != "steps":
        raise RecipeError("training.learning_rate.boundaries needs decay 'steps'")
    if list(rate.boundaries) != sorted(set(rate.boundaries)):
        raise RecipeError(
            f"training.learning_rate.boundaries must increase; received {list(rate.boundaries)}"
        )


def _check_loss(recipe: Recipe) -> None:
    with _error_of("training.loss"):
        loss = losses.from_config(recipe.training.loss)
    sampling = recipe.data.sampling
    if loss.needs_patch and sampling.num_points is not None and sampling.points != "patch":
        terms = loss.losses if isinstance(loss, losses.WeightedSum) else [loss]
        name = next(term.name for term in terms if term.needs_patch)
        raise RecipeError(
            f"training.loss: {name} needs data.sampling.points: patch; received {sampling.points}"
        )
