"""The list of trainings that a queue runs: a YAML file.

    runs:
      faces:
        recipe: recipes/faces-clean.yaml
        data: [faces512/train, faces256/train, faces256_extra/train]
        validation: faces256/val
      portraits:
        recipe: recipes/faces-clean.yaml
        output: runs/portraits-v2
        data: portraits/train
        validation: portraits/val
        set: {training.steps: 5000, training.learning_rate.initial: 1e-4}
        init: faces

Paths are relative to the current folder, as on the command line. Neither this module nor those that
it imports load Keras: a queue waits for days beside its trainings.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from tfsr.errors import RecipeError, did_you_mean
from tfsr.training.recipe_yaml import read_recipe, read_yaml
from tfsr.training.schema import read


@dataclass(frozen=True)
class QueuedRun:
    """A training of a list.

    Attributes:
        recipe: path of the recipe.
        output: the run's directory; runs/NAME if not given.
        data: folder of training images, instead of the recipe's; or as many as the recipe has.
        validation: folder of validation images, instead of the recipe's.
        set: changes of the recipe: dotted keys, and their values.
        after: names of runs of the list that must be done before this one begins.
        init: what it starts from: a run of the list (its best weights, once it is done), a preset
            or a directory.
        name: of the run in the list.
        content: the recipe with its bases and the changes, not checked.
    """

    recipe: str
    output: str = ""
    data: str | tuple[str, ...] | None = None
    validation: str | None = None
    set: Mapping[str, Any] = field(default_factory=dict)
    after: str | tuple[str, ...] = ()
    init: str | None = None
    name: str = ""
    content: Any = None

    @property
    def directory(self) -> Path:
        """The run's directory."""
        return Path(self.output)

    @property
    def steps(self) -> int | None:
        """Steps of the whole run, as its recipe says; None if that is no number."""
        training = self.content.get("training") if isinstance(self.content, dict) else None
        steps = training.get("steps") if isinstance(training, dict) else None
        return steps if isinstance(steps, int) else None

    @property
    def arguments(self) -> list[str]:
        """What follows `tfsr train` to start or resume it."""
        words = [self.recipe, "--output", self.output]
        for folder in (self.data,) if isinstance(self.data, str) else self.data or ():
            words += ["--data", folder]
        words += ["--validation", self.validation] if self.validation is not None else []
        for change in self.changes:
            words += ["--set", change]
        return words

    @property
    def changes(self) -> list[str]:
        """The changes of the recipe, "key=value" each."""
        changes = dict(self.set) if self.init is None else {**self.set, "init": self.init}
        return [f"{key}={json.dumps(value)}" for key, value in changes.items()]

    @property
    def fingerprint(self) -> str:
        """A checksum of all that decides what is trained, but for the contents of the folders."""
        text = json.dumps([self.content, self.data, self.validation], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


# Those that a list says; the others follow.
_KEYS = tuple(f.name for f in fields(QueuedRun) if f.name not in ("name", "content"))


def load_list(path: str | os.PathLike[str]) -> list[QueuedRun]:
    """Read and check a list of trainings.

    Args:
        path: of the YAML file.

    Returns:
        The runs in the list's order, `after` with the run that `init` names.

    Raises:
        RecipeError: if the list or a recipe cannot be read, a key is unknown (the nearest known one
            is named), a run waits for one that is not in the list or for itself, or two runs have
            one directory.

    Example:
        >>> [run.name for run in load_list("trainings.yaml")]
        ['faces', 'portraits']
    """
    try:
        content = read_yaml(Path(path))
        if not isinstance(content, dict) or list(content) != ["runs"]:
            raise RecipeError("must be a mapping with the one key 'runs'")
        if not isinstance(content["runs"], dict) or not content["runs"]:
            raise RecipeError("runs must be a mapping of names to runs, at least one")
        named = {str(name): value for name, value in content["runs"].items()}
        runs = [_run(name, value, set(named)) for name, value in named.items()]
        _check_order(runs)
        _check_directories(runs)
        return [_with_recipe(run, {other.name: other.output for other in runs}) for run in runs]
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error


def _run(name: str, value: Any, names: set[str]) -> QueuedRun:
    where = f"runs.{name}"
    for key in value if isinstance(value, Mapping) else ():
        if key not in _KEYS:
            raise RecipeError(
                f"unknown key '{where}.{key}'; known: {', '.join(_KEYS)}."
                + did_you_mean(str(key), _KEYS)
            )
    run = read(QueuedRun, value, where)
    after = (run.after,) if isinstance(run.after, str) else tuple(run.after)
    for other in after:
        if other not in names:
            raise RecipeError(
                f"{where}.after: no run {other!r} in this list; its runs: "
                f"{', '.join(sorted(names))}." + did_you_mean(other, names)
            )
    if run.init in names and run.init not in after:
        after = (*after, run.init)
    return replace(run, name=name, output=run.output or f"runs/{name}", after=after)


def _with_recipe(run: QueuedRun, outputs: Mapping[str, str]) -> QueuedRun:
    """A run with its recipe's content; `init` of a run of the list is that run's directory."""
    if run.init is not None:
        run = replace(run, init=outputs.get(run.init, run.init))
    try:
        return replace(run, content=read_recipe(run.recipe, run.changes))
    except RecipeError as error:
        raise RecipeError(f"runs.{run.name}: {run.recipe}: {error}") from error


def _check_order(runs: list[QueuedRun]) -> None:
    try:
        TopologicalSorter({run.name: run.after for run in runs}).prepare()
    except CycleError as error:
        names = " after ".join(reversed(error.args[1]))
        raise RecipeError(f"runs wait for each other: {names}") from error


def _check_directories(runs: list[QueuedRun]) -> None:
    seen: dict[Path, str] = {}
    for run in runs:
        path = run.directory.absolute()
        if path in seen:
            raise RecipeError(
                f"runs.{run.name}.output: {run.output} is that of runs.{seen[path]} too"
            )
        seen[path] = run.name
