"""Whether the values of a recipe, each valid alone, make sense together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tfsr import losses
from tfsr.data.sources import check_sources
from tfsr.errors import InvalidArgument, RecipeError
from tfsr.inference.memory import parse_memory
from tfsr.metrics import check_protocol
from tfsr.models import from_config
from tfsr.training.recipe import OptimizerConfig, Recipe, TrainingConfig


def check(recipe: Recipe) -> None:
    """Check a recipe whose values have the right types.

    Raises:
        RecipeError: naming the key.
    """
    data, training, validation = recipe.data, recipe.training, recipe.validation
    with _error_of("data.sampling"):
        data.sampling.validate()
    with _error_of("data.train"):
        check_sources(data.sources, data.sampling)
    with _error_of("data.cache"):
        parse_memory(data.cache)
    _check_model(recipe)
    _check_sampling_fits_model(recipe)
    _check_optimizer(training.optimizer)
    _check_steps(training)
    _check_loss(recipe)
    with _error_of("validation.degradations"):
        labels = [reduction.label for reduction in recipe.reductions()]
    if not labels:
        raise RecipeError("validation needs lr_sizes or scales")
    if len(set(labels)) < len(labels):
        raise RecipeError(
            f"validation.degradations gives two figures one name in {', '.join(labels)}: "
            "use each once, and one of clean and nn65"
        )
    with _error_of("validation.protocol"):
        check_protocol(validation.protocol)


@contextmanager
def _error_of(key: str) -> Iterator[None]:
    try:
        yield
    except InvalidArgument as error:
        raise RecipeError(f"{key}: {error}") from error


def _check_model(recipe: Recipe) -> None:
    try:
        count = from_config(recipe.model).count_params()
    # Keras and Python reject a layer's arguments in their own words.
    except (InvalidArgument, TypeError, ValueError, AttributeError) as error:
        raise RecipeError(f"model: {' '.join(str(error).split())}") from error
    if recipe.parameters not in (None, count):
        raise RecipeError(f"parameters must be {count}, as the model's; got {recipe.parameters}")


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
