"""A run's directory: whose it is, and what is in it.

recipe.yaml   the recipe, whole: bases, --set and --data are in it
run.json      which images they were, and for each start: command, commit, versions, devices
checkpoints/  the last two states
best/         a preset of the best weights so far
history.csv   a row of figures for each epoch
progress.json where it stands, written every few seconds
logs/         TensorBoard's
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
from tfsr.presets import save_preset
from tfsr.training import recipe_files as recipes
from tfsr.training.checkpoints import State, found
from tfsr.training.recipe import Recipe

# What may differ where a run goes on: none of it changes what is computed.
_FREE = (
    "data.train",
    "data.validation",
    "data.cache",
    "training.checkpoint_steps",
    "training.checkpoint_minutes",
    "provenance",
    "expected",
    "parameters",
    "name",
)
# What may differ as well where the user says so with --resume.
_FREE_IF_RESUMED = ("training.steps", "validation", "data.skip_damaged")


def open_run(
    directory: Path,
    recipe: Recipe,
    sampler: Sampler,
    validation: Sequence[Path],
    start: dict[str, Any],
    resume: bool,
) -> bool:
    """Make a run's directory, or go on in the one that is there.

    Args:
        directory: of the run.
        recipe: of this start.
        sampler: of its training images.
        validation: images to validate on.
        start: what `provenance.start` says of it.
        resume: whether the user asked to go on, perhaps for more steps.

    Returns:
        Whether validation is what it was, so that its figures can be compared.

    Raises:
        CheckpointError: if the directory has a run of another recipe or of other images, or has
            none and was to be resumed.
        RecipeError: if it cannot be read or written.
    """
    images = {
        "images": {"count": len(sampler.paths), "sha256": sampler.fingerprint()},
        "validation": {"count": len(validation), "sha256": fingerprint(validation)},
    }
    starts: list[Any] = []
    comparable = True
    if os.path.exists(directory / "recipe.yaml"):
        was = recipes.load(directory / "recipe.yaml")
        _check_same_recipe(directory, was, recipe, resume)
        starts, same_images = _starts(directory, images, resume)
        comparable = same_images and was.validation == recipe.validation
    elif resume:
        raise CheckpointError(f"{directory}: no run to resume; train without --resume")
    elif found(directory):
        raise CheckpointError(
            f"{directory}: has checkpoints and no recipe.yaml; name another directory"
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


def with_decided_steps(directory: Path, recipe: Recipe) -> Recipe:
    """A recipe with what a run of it has decided in place of `auto`, if there is one that has.

    Raises:
        RecipeError: if the run's recipe cannot be read.
    """
    if not os.path.exists(directory / "recipe.yaml"):
        return recipe
    before, training = recipes.load(directory / "recipe.yaml").training, recipe.training
    start = before.learning_rate.decay_start
    if before.steps == "auto" or not start:
        return recipe
    schedule = training.learning_rate
    training = replace(
        training,
        steps=before.steps if training.steps == "auto" else training.steps,
        steps_per_epoch=(
            before.steps_per_epoch
            if training.steps_per_epoch == "auto"
            else training.steps_per_epoch
        ),
        learning_rate=replace(schedule, decay_start=schedule.decay_start or start),
    )
    return replace(recipe, training=training)


def write_recipe(directory: Path, recipe: Recipe) -> None:
    """Write a run's recipe.

    Raises:
        OSError: if it cannot be written; the old one is then as it was.
    """
    content = yaml.safe_dump(recipes.to_mapping(recipe), sort_keys=False)
    _write(directory / "recipe.yaml", content)


def write_history(directory: Path, state: State) -> None:
    """Write history.csv anew, of a state's rows.

    Raises:
        OSError: if it cannot be written; the old one is then as it was.
    """
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in state.history for name in row))
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(state.history)
    _write(directory / "history.csv", text.getvalue())


def write_best(directory: Path, model: AnyModel, metadata: dict[str, Any]) -> None:
    """Make a preset of a model the run's best one.

    Raises:
        OSError: if it cannot be written; the old one is then as it was.
    """
    part, best, old = (directory / name for name in ("part.best", "best", "old.best"))
    shutil.rmtree(part, ignore_errors=True)
    try:
        save_preset(model, part, metadata)
    except PresetError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise OSError(str(error.__cause__ or error)) from error
    shutil.rmtree(old, ignore_errors=True)
    # A folder cannot take a full one's place. Between these two lines there is no best; a run
    # killed here goes on from before, finds the same best again, and puts it in its place.
    if os.path.exists(best):
        os.replace(best, old)
    os.replace(part, best)
    shutil.rmtree(old, ignore_errors=True)


def _check_same_recipe(directory: Path, before: Recipe, recipe: Recipe, resume: bool) -> None:
    was, now = (_leaves(recipes.to_mapping(one)) for one in (before, recipe))
    free = _FREE + (_FREE_IF_RESUMED if resume else ())
    for key in sorted(was.keys() | now.keys()):
        if was.get(key) == now.get(key) or any(f"{key}.".startswith(f"{f}.") for f in free):
            continue
        more = any(f"{key}.".startswith(f"{f}.") for f in _FREE_IF_RESUMED)
        raise CheckpointError(
            f"{directory}: holds a run of another recipe: its {key} is {was.get(key)!r}, "
            f"here it is {now.get(key)!r}; "
            + ("add --resume to go on so, or " if more else "")
            + "name another directory"
        )


def _leaves(mapping: Any, where: str = "") -> dict[str, Any]:
    """The values of nested mappings, by their dotted keys."""
    if not isinstance(mapping, dict):
        return {where: mapping}
    found = {}
    for key, value in mapping.items():
        found.update(_leaves(value, f"{where}.{key}" if where else str(key)))
    return found


def _starts(directory: Path, images: dict[str, Any], resume: bool) -> tuple[list[Any], bool]:
    """The starts so far, and whether the validation images are the same."""
    path = directory / "run.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        was, starts = record["images"], list(record["starts"])
        validation = record.get("validation", images["validation"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: cannot be read: {error}; name another directory") from error
    for kind, before, now, so in (
        ("training", was, images["images"], "they would be seen in another order"),
        ("validation", validation, images["validation"], "figures could not be compared"),
    ):
        if before != now and not resume:
            raise CheckpointError(
                f"{directory}: its run has other {kind} images, {before['count']} of them, than "
                f"these {now['count']}: {so}; add --resume to go on so, or name another directory"
            )
    return starts, validation == images["validation"]


def _write(path: Path, text: str) -> None:
    write_atomically(str(path), text.encode("utf-8", errors="surrogateescape"))
