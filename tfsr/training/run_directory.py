"""The directory of a run: whether a recipe may be trained in it, and its files.

recipe.yaml   the recipe with its bases and changes
run.json      counts and checksums of the images; for each start: command, commit, versions, devices
checkpoints/  the last two states
best/         a preset of the best weights so far
history.csv   a row of figures for each epoch
progress.json progress, written every few seconds
logs/         of TensorBoard
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from tfsr.data import Sampler
from tfsr.data.training_images import fingerprint
from tfsr.errors import CheckpointError, PresetError, RecipeError
from tfsr.images.atomic import write_atomically
from tfsr.models import AnyModel
from tfsr.presets import check_new, save_preset
from tfsr.training import recipe_files as recipes
from tfsr.training.checkpoints import RunState, list_checkpoints
from tfsr.training.provenance import describe_weights
from tfsr.training.recipe import Recipe

# Keys that may differ when a run is resumed: none changes what is computed.
_FREE = (
    *("data.train", "data.validation", "data.cache", "name"),
    *("training.checkpoint_steps", "training.checkpoint_minutes"),
    *("provenance", "expected", "parameters"),
)
# Keys that may differ with `resume`.
_FREE_IF_RESUMED = ("training.steps", "validation", "data.skip_damaged")


def open_run(
    directory: Path,
    recipe: Recipe,
    sampler: Sampler,
    validation: Sequence[Path],
    before: Recipe | None,
    start: dict[str, Any],
    resume: bool,
) -> bool:
    """Make a run's directory, or check that its run, of the recipe `before`, can be resumed.

    With `resume` there must be a run; its steps, images and validation may differ.

    Returns:
        Whether validation is as before, so that its figures can be compared.

    Raises:
        CheckpointError: if the run cannot be resumed.
        RecipeError: if the directory cannot be written.
    """
    images = {
        "images": {"count": len(sampler.paths), "sha256": sampler.fingerprint()},
        "validation": {"count": len(validation), "sha256": fingerprint(validation)},
    }
    starts: list[Any] = []
    comparable = True
    if before is not None:
        _check_same_recipe(directory, before, recipe, resume)
        starts, same_images = _check_same_images(directory, images, resume)
        comparable = same_images and before.validation == recipe.validation
    elif resume:
        raise CheckpointError(f"{directory}: no run to resume; train without resume")
    elif list_checkpoints(directory):
        raise CheckpointError(
            f"{directory}: has checkpoints but no recipe.yaml; choose another directory"
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        record = {"seed": recipe.seed, **images, "starts": [*starts, start]}
        _write(directory / "run.json", json.dumps(record, indent=2) + "\n")
        # Last: a directory that has it has the rest.
        write_recipe(directory, recipe)
    except OSError as error:
        raise RecipeError(f"{directory}: cannot be written: {error.strerror}") from error
    return comparable


def read_recipe_of_run(directory: Path) -> Recipe | None:
    """Load the recipe of a run; None if there is none."""
    path = directory / "recipe.yaml"
    return recipes.load(path) if os.path.exists(path) else None


def with_decided_steps(recipe: Recipe, before: Recipe | None) -> Recipe:
    """Replace `auto` by what the run of the recipe `before` has decided, if it has."""
    if before is None or not before.training.learning_rate.decay_start:
        return recipe
    old, training, rate = before.training, recipe.training, recipe.training.learning_rate
    start = rate.decay_start or old.learning_rate.decay_start
    if training.steps == "auto":
        training = replace(training, steps=old.steps)
    if training.steps_per_epoch == "auto":
        training = replace(training, steps_per_epoch=old.steps_per_epoch)
    rate = replace(rate, decay_start=start)
    return replace(recipe, training=replace(training, learning_rate=rate))


def write_recipe(directory: Path, recipe: Recipe) -> None:
    """Write a run's recipe, completely or not at all."""
    content = yaml.safe_dump(recipes.to_mapping(recipe), sort_keys=False)
    _write(directory / "recipe.yaml", content)


def write_run(directory: Path, recipe: Recipe, model: AnyModel, steps: int, origin: str) -> None:
    """Write a model as a run that was not trained there, completely or not at all.

    Args:
        directory: of the run; new.
        recipe: of the model.
        model: whose weights are the best of the run.
        steps: that it was trained for.
        origin: how the weights were made, for the provenance.

    Raises:
        PresetError: if the directory is not new, or cannot be written.
    """
    check_new(directory)
    recipe = replace(recipe, provenance={**recipe.provenance, "training": origin})
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_recipe(directory, recipe)
        write_best(directory, model, describe_weights(recipe, model, steps))
    except OSError as error:
        shutil.rmtree(directory, ignore_errors=True)
        raise PresetError(f"{directory}: cannot be written: {error.strerror or error}") from error


def write_history(directory: Path, state: RunState) -> None:
    """Write history.csv, completely or not at all."""
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in state.history for name in row))
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(state.history)
    _write(directory / "history.csv", text.getvalue())


def write_best(directory: Path, model: AnyModel, metadata: dict[str, Any]) -> None:
    """Replace the preset of the run's best weights, completely or not at all."""
    part, best, old = (directory / name for name in ("part.best", "best", "old.best"))
    for leftover in (part, old):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        save_preset(model, part, metadata)
    except PresetError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise OSError(str(error.__cause__ or error)) from error
    # A folder cannot replace a folder that is not empty. A run killed between these two lines has
    # no best; resumed from its checkpoint, it finds the same best again.
    if os.path.exists(best):
        os.replace(best, old)
    os.replace(part, best)
    shutil.rmtree(old, ignore_errors=True)


def _check_same_recipe(directory: Path, before: Recipe, recipe: Recipe, resume: bool) -> None:
    was, now = (_leaves(recipes.to_mapping(one)) for one in (before, recipe))
    free = _FREE + (_FREE_IF_RESUMED if resume else ())
    for key in sorted(was.keys() | now.keys()):
        if was.get(key) == now.get(key) or _is_in(key, free):
            continue
        raise CheckpointError(
            f"{directory}: contains a run of another recipe: its {key} is {was.get(key)!r}, "
            f"here it is {now.get(key)!r}; "
            + ("continue with resume, or " if _is_in(key, _FREE_IF_RESUMED) else "")
            + "choose another directory"
        )


def _is_in(key: str, parents: Sequence[str]) -> bool:
    return any(f"{key}.".startswith(f"{parent}.") for parent in parents)


def _leaves(mapping: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values of nested mappings, by their dotted keys."""
    found: dict[str, Any] = {}
    for key, value in mapping.items():
        nested = isinstance(value, dict)
        found |= _leaves(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return found


def _check_same_images(
    directory: Path, images: dict[str, Any], resume: bool
) -> tuple[list[Any], bool]:
    """Return the starts so far, and whether the validation images are the same."""
    path = directory / "run.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        starts, before = list(record["starts"]), {key: record[key] for key in images}
        counts = {key: value["count"] for key, value in before.items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path}: cannot be read: {error}; choose another directory"
        ) from error
    for key, kind in (("images", "training"), ("validation", "validation")):
        if before[key] != images[key] and not resume:
            raise CheckpointError(
                f"{directory}: its run has other {kind} images, {counts[key]} of them; received "
                f"{images[key]['count']}. Continue with resume, or choose another directory"
            )
    return starts, before["validation"] == images["validation"]


def _write(path: Path, text: str) -> None:
    write_atomically(str(path), text.encode("utf-8", errors="surrogateescape"))
