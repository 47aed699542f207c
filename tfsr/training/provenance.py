"""What is needed to repeat a run."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import keras

from tfsr import __version__
from tfsr.models import AnyModel
from tfsr.training import recipe_files as recipes
from tfsr.training.distribution import Distribution
from tfsr.training.recipe import Recipe

_PACKAGES = ("keras", "tensorflow", "jax", "torch", "numpy", "pillow")


def describe_start(distribution: Distribution) -> dict[str, Any]:
    """Describe this start of a run: the command, the code's commit, versions and devices."""
    return {
        "command": sys.argv,
        "tfsr": __version__,
        "commit": commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: v for name in _PACKAGES if (v := _version(name)) is not None},
        "backend": keras.backend.backend(),
        "strategy": distribution.name,
        "replicas": distribution.replicas,
        "workers": distribution.workers,
    }


def describe_weights(recipe: Recipe, model: AnyModel, steps: int) -> dict[str, Any]:
    """Describe the origin of a model's weights, for a preset's metadata."""
    return {
        "name": recipe.name,
        "tfsr": __version__,
        "commit": commit(),
        "parameters": model.count_params(),
        "provenance": dict(recipe.provenance),
        "recipe": recipes.to_mapping(recipe),
        "steps": steps,
    }


def commit() -> str | None:
    """The commit of this code, "-dirty" after it if files differ; None outside its repository."""
    root = Path(__file__).parents[2]
    # An installed copy may be inside the repository of something else.
    if _git(root, "rev-parse", "--show-toplevel") != str(root):
        return None
    return _git(root, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
