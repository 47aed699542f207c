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
        init_from: faces

Paths are relative to the current folder, as on the command line. This module and its imports do not
load Keras: a queue waits for days beside its trainings.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from pydantic import ConfigDict

from tfsr.errors import RecipeError, check_choice
from tfsr.training.recipe_yaml import read_recipe, read_yaml
from tfsr.training.schema import read


@dataclass(frozen=True)
class QueueEntry:
    """What a list says of a training."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    recipe: str  # path
    output: str = ""  # the run's directory; runs/NAME if empty
    data: str | tuple[str, ...] | None = None  # training folders, instead of the recipe's
    validation: str | None = None  # folder of validation images, instead of the recipe's
    set: Mapping[str, Any] = field(default_factory=dict)  # dotted keys of the recipe
    after: str | tuple[str, ...] = ()  # runs of the list that must be done before
    init_from: str | None = None  # a run of the list, which must be done before, or a preset


@dataclass(frozen=True)
class QueuedRun(QueueEntry):
    """A training of a list, with its name and its recipe's unchecked content."""

    name: str = ""
    content: Any = None

    @property
    def directory(self) -> Path:
        """The run's directory."""
        return Path(self.output)

    @property
    def steps(self) -> int | None:
        """Steps of the whole run; None if the recipe does not give a number."""
        training = self.content.get("training") if isinstance(self.content, dict) else None
        steps = training.get("steps") if isinstance(training, dict) else None
        return steps if isinstance(steps, int) else None

    @property
    def arguments(self) -> list[str]:
        """The arguments of `tfsr train` that start or resume it."""
        words = [self.recipe, "--output", self.output]
        for folder in (self.data,) if isinstance(self.data, str) else self.data or ():
            words += ["--data", folder]
        words += ["--validation", self.validation] if self.validation is not None else []
        for change in self.changes:
            words += ["--set", change]
        return words

    @property
    def changes(self) -> list[str]:
        """The changes of the recipe, "KEY=VALUE" each."""
        init_from = {} if self.init_from is None else {"init_from": self.init_from}
        return [f"{k}={json.dumps(value)}" for k, value in {**self.set, **init_from}.items()]

    @property
    def fingerprint(self) -> str:
        """A checksum of everything that decides the training, except the folders' contents."""
        text = json.dumps([self.content, self.data, self.validation], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def load_list(path: str | os.PathLike[str]) -> list[QueuedRun]:
    """Read and check a list of trainings; each run's `after` includes that of its `init_from`.

    Raises:
        RecipeError: if the list or a recipe cannot be read, a key or a run is unknown, runs wait
            for each other, or two runs have one directory.
    """
    try:
        content = read_yaml(Path(path))
        if not isinstance(content, dict) or list(content) != ["runs"]:
            raise RecipeError("must be a mapping with the one key 'runs'")
        if not isinstance(content["runs"], dict) or not content["runs"]:
            raise RecipeError("runs must be a mapping of names to runs, at least one")
        entries = {
            str(name): read(QueueEntry, value, f"runs.{name}")
            for name, value in content["runs"].items()
        }
        runs = [_run(name, entries) for name in entries]
        _check_together(runs)
        return runs
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error


def _run(name: str, entries: Mapping[str, QueueEntry]) -> QueuedRun:
    entry = entries[name]
    after = (entry.after,) if isinstance(entry.after, str) else entry.after
    for other in after:
        check_choice(f"runs.{name}.after", other, sorted(entries), RecipeError)
    init_from = entry.init_from
    if init_from is not None and init_from in entries:
        after = tuple(dict.fromkeys((*after, init_from)))
        init_from = _output(init_from, entries[init_from])
    changes = {"output": _output(name, entry), "after": after, "init_from": init_from}
    run = QueuedRun(**{**vars(entry), **changes}, name=name)
    try:
        return replace(run, content=read_recipe(run.recipe, run.changes))
    except RecipeError as error:
        raise RecipeError(f"runs.{name}: {run.recipe}: {error}") from error


def _output(name: str, entry: QueueEntry) -> str:
    return entry.output or f"runs/{name}"


def _check_together(runs: list[QueuedRun]) -> None:
    """Check that no runs wait for each other or share a directory."""
    try:
        TopologicalSorter({run.name: run.after for run in runs}).prepare()
    except CycleError as error:
        names = " after ".join(reversed(error.args[1]))
        raise RecipeError(f"runs wait for each other: {names}") from error
    seen: dict[Path, str] = {}
    for run in runs:
        other = seen.setdefault(run.directory.absolute(), run.name)
        if other != run.name:
            raise RecipeError(f"runs.{run.name}.output: {run.output} is that of runs.{other} too")
