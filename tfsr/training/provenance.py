"""What is needed to repeat a run."""

from __future__ import annotations

import contextlib
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


def describe_start(distribution: Distribution) -> dict[str, Any]:
    """Describe this start of a run: the command, the code's commit, versions and devices."""
    return {
        "command": sys.argv,
        "tfsr": __version__,
        "commit": commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": _versions(),
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
    try:
        return subprocess.check_output(
            ["git", "-C", str(root), *arguments], text=True, stderr=subprocess.DEVNULL
        ).strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _versions() -> dict[str, str]:
    found = {}
    for name in ("keras", "tensorflow", "jax", "torch", "numpy", "pillow"):
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
