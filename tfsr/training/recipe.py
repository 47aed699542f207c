"""Recipes: everything that decides a training run, read from a YAML file and checked once."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from tfsr.data.sampling import SamplingConfig
from tfsr.errors import InvalidArgument, RecipeError
from tfsr.evaluation import Reduction
from tfsr.metrics import check_protocol
from tfsr.models import AnyModel, from_config
from tfsr.training.schema import read

_NOT_INHERITED = ("parameters", "expected")


@dataclass(frozen=True)
class Data:
    """Where the pictures are, and how samples are cut from them.

    Attributes:
        train: folder of HR pictures.
        validation: folder of HR pictures that are never trained on.
        sampling: how samples are cut.
    """

    train: str
    validation: str
    sampling: SamplingConfig = field(default_factory=SamplingConfig)


@dataclass(frozen=True)
class Schedule:
    """The learning rate over the run.

    Attributes:
        initial: the rate at the start (after the warm-up).
        decay: "cosine": down to 0 at the last step; "steps": times `factor` at each boundary.
        boundaries: "steps": the steps at which the rate drops.
        factor: "steps": what it is multiplied by.
        warmup: steps over which the rate rises from 0, before anything else.
    """

    initial: float = 1e-4
    decay: Literal["cosine", "steps"] = "steps"
    boundaries: tuple[int, ...] = ()
    factor: float = 0.5
    warmup: int = 0


@dataclass(frozen=True)
class Training:
    """The optimisation.

    Attributes:
        steps: optimiser steps in the whole run.
        steps_per_epoch: steps between two validations and checkpoints.
        loss: "l1" or "charbonnier".
        learning_rate: its schedule.
        epsilon: Adam's. PyTorch's 1e-8 is the default here too.
        precision: a Keras dtype policy, "float32" or "mixed_bfloat16".
    """

    steps: int
    steps_per_epoch: int = 1000
    loss: Literal["l1", "charbonnier"] = "l1"
    learning_rate: Schedule = field(default_factory=Schedule)
    epsilon: float = 1e-8
    precision: Literal["float32", "mixed_bfloat16"] = "float32"


@dataclass(frozen=True)
class Validation:
    """PSNR on whole pictures, after every epoch.

    Attributes:
        lr_sizes: sides of the LR pictures from which square originals are to be restored.
        scales: factors by which originals of any shape are reduced.
        pictures: how many of the validation pictures, the first ones by name.
        protocol: a protocol of `tfsr.metrics`.
    """

    lr_sizes: tuple[int, ...] = ()
    scales: tuple[float, ...] = ()
    pictures: int = 10
    protocol: str = "rgb"


@dataclass(frozen=True)
class Recipe:
    """A training run.

    Attributes:
        name: the recipe's own, for people.
        model: configuration of a model; see `tfsr.models.from_config`.
        data: pictures.
        training: optimisation.
        validation: quality along the way.
        seed: of initialisation, order, crops, queries and noise.
        provenance: what is to be known about the pictures and the weights: licence, origin.
            It goes into the preset's metadata as it stands.
        expected: the published figures that this recipe is to reach, for example
            {"div2k": {"x2": 34.67}}, in dB.
        parameters: how many parameters the model has to have; None: any number.
    """

    name: str
    model: Mapping[str, Any]
    data: Data
    training: Training
    validation: Validation
    seed: int = 0
    provenance: Mapping[str, str] = field(default_factory=dict)
    expected: Mapping[str, Any] = field(default_factory=dict)
    parameters: int | None = None

    def reductions(self) -> list[Reduction]:
        """The reductions that validation restores, in the recipe's order."""
        degradation = self.data.sampling.degradation
        sizes = [Reduction(size, degradation=degradation) for size in self.validation.lr_sizes]
        scales = [Reduction(scale=x, degradation=degradation) for x in self.validation.scales]
        return sizes + scales

    def build_model(self) -> AnyModel:
        """The model, newly initialised."""
        return from_config({**self.model, "dtype": self.training.precision})


def load(path: str | os.PathLike[str]) -> Recipe:
    """Read and check a recipe.

    A recipe may name another, `base: other.yaml` beside it, and say only what differs: mappings are
    merged key by key, everything else is replaced, and so is an encoder or a decoder by one of
    another name. What a base says of its own model, `parameters` and `expected`, is not taken over.
    A base may have a base, and need not be a whole recipe.

    Raises:
        RecipeError: if a file cannot be read, is not YAML, or has an unknown, missing or
            impossible key; the message names it, and the nearest known one.
    """
    try:
        return parse(_read_yaml(Path(path)))
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error


def _read_yaml(path: Path, seen: tuple[Path, ...] = ()) -> Any:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise RecipeError(f"{_in_base(path, seen)}cannot be read: {reason}") from error
    # ValueError: YAML reads 2024-13-45 as a date. RecursionError: brackets thousands deep.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise RecipeError(f"{_in_base(path, seen)}is not YAML: {reason}") from error
    if not isinstance(content, dict) or "base" not in content:
        return content
    base = content.pop("base")
    if not isinstance(base, str) or Path(base).name != base:
        raise RecipeError(f"base must be the name of a recipe beside this one; got {base!r}")
    seen = (*seen, path)
    if (path.parent / base) in seen:
        raise RecipeError(f"base: {base} is based on this recipe itself")
    inherited = _read_yaml(path.parent / base, seen)
    if not isinstance(inherited, dict):
        raise RecipeError(f"base {base}: must be a mapping of keys to values; got {inherited!r}")
    inherited = {key: value for key, value in inherited.items() if key not in _NOT_INHERITED}
    return {**inherited, **{key: _merge(inherited.get(key), v) for key, v in content.items()}}


def _in_base(path: Path, seen: tuple[Path, ...]) -> str:
    return f"base {path.name}: " if seen else ""


def _merge(base: Any, change: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(change, dict):
        return change
    # Another encoder or decoder is another thing: none of the base's arguments belong to it.
    if "name" in change and change["name"] != base.get("name"):
        return change
    return {**base, **{key: _merge(base.get(key), value) for key, value in change.items()}}


def parse(content: Any) -> Recipe:
    """The recipe of a mapping, as YAML gives it.

    Raises:
        RecipeError: as `load`.
    """
    recipe = read(Recipe, content, "")
    try:
        recipe.data.sampling.validate()
    except InvalidArgument as error:
        raise RecipeError(f"data.sampling: {error}") from error
    _check_model(recipe.model, recipe.parameters)
    validation, training, rate = recipe.validation, recipe.training, recipe.training.learning_rate
    for name, value in (
        ("training.learning_rate.initial", rate.initial),
        ("training.learning_rate.factor", rate.factor),
        ("training.epsilon", training.epsilon),
    ):
        if not 0 < value < math.inf:
            raise RecipeError(f"{name} must be a number above 0; got {value}")
    if not 0 <= recipe.seed < 2**32:
        raise RecipeError(f"seed must be between 0 and 2^32 - 1; got {recipe.seed}")
    if rate.warmup < 0:
        raise RecipeError(f"training.learning_rate.warmup must be at least 0; got {rate.warmup}")
    if rate.boundaries and rate.decay != "steps":
        raise RecipeError("training.learning_rate.boundaries goes with decay 'steps' only")
    if list(rate.boundaries) != sorted({step for step in rate.boundaries if step > 0}):
        raise RecipeError(
            f"training.learning_rate.boundaries must rise, from 1 on; got {list(rate.boundaries)}"
        )
    _check_samples_fit(recipe)
    if rate.warmup and rate.decay != "cosine":
        raise RecipeError("training.learning_rate.warmup goes with decay 'cosine' only")
    for name, value in (
        ("training.steps", recipe.training.steps),
        ("training.steps_per_epoch", recipe.training.steps_per_epoch),
        ("validation.pictures", validation.pictures),
        *(("validation.lr_sizes", size) for size in validation.lr_sizes),
        *(("validation.scales", scale) for scale in validation.scales),
    ):
        if not 1 <= value < math.inf:
            raise RecipeError(f"{name} must be at least 1; got {value}")
    if training.steps % training.steps_per_epoch:
        raise RecipeError(
            f"training.steps must be a multiple of training.steps_per_epoch; got {training.steps} "
            f"and {training.steps_per_epoch}"
        )
    if not recipe.reductions():
        raise RecipeError("validation needs lr_sizes or scales")
    try:
        check_protocol(validation.protocol)
    except InvalidArgument as error:
        raise RecipeError(f"validation.{error}") from error
    return recipe


def _check_samples_fit(recipe: Recipe) -> None:
    """A fixed-scale model is trained on whole patches of its scale, all others on query points."""
    sampling, scale = recipe.data.sampling, recipe.model.get("scale")
    if scale is None:
        if sampling.queries is None:
            raise RecipeError("data.sampling.queries must be a number for a model with a decoder")
        return
    fixed = sampling.mode == "crops" and sampling.scale == (scale, scale)
    if sampling.queries is not None or not fixed:
        raise RecipeError(
            f"a model of scale {scale} is trained with data.sampling mode crops, "
            f"scale [{scale}, {scale}] and queries empty"
        )


def _check_model(config: Mapping[str, Any], parameters: int | None) -> None:
    try:
        found = from_config(config).count_params()
    # Keras and Python say in their own words which value a layer cannot have.
    except (InvalidArgument, TypeError, ValueError, AttributeError) as error:
        raise RecipeError(f"model: {' '.join(str(error).split())}") from error
    if parameters not in (None, found):
        raise RecipeError(f"parameters: the recipe says {parameters}, and its model has {found}")


def to_mapping(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain data, from which `parse` makes an equal one."""
    return json.loads(json.dumps(asdict(recipe)))
