"""From a run's best checkpoint to a preset."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tfsr import __version__
from tfsr.errors import CheckpointError, PresetError
from tfsr.evaluation import compare_with_bicubic
from tfsr.images import list_images
from tfsr.models import AnyModel, folded
from tfsr.presets import (
    check_new,
    check_same_architecture,
    from_preset,
    read_metadata,
    reference,
    save_preset,
)
from tfsr.training import recipe_files as recipes
from tfsr.training.provenance import commit
from tfsr.training.recipe import Recipe


def pack(
    run: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    validation_data: str | os.PathLike[str] | None = None,
    clean: str | os.PathLike[str] | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> None:
    """Make a preset of the best checkpoint of a run.

    Re-parameterised convolutions are folded: the run's own checkpoint keeps their branches.

    The preset's metadata has the recipe whole, the steps done, and PSNR on all validation images
    at each reduction of the recipe, measured in float32 now, not copied from the training log.

    Args:
        run: the run's directory.
        output: the preset's directory, which must be new.
        validation_data: folder of images to measure on, instead of the recipe's.
        clean: the preset, or run, that the run was fine-tuned from: the preset's clean twin, with
            which it takes a strength. The metadata name it by a shipped preset's name, or by a path
            relative to `output`. The two are compared as folded. Defaults to None: no strength.
        report: called with a line for each measurement as it is made.

    Raises:
        CheckpointError: if the run has no checkpoint, or it does not fit its recipe.
        RecipeError, ImageError, PresetError: if recipe, images or output are at fault, or the
            clean twin cannot be loaded or is of another architecture.

    Example:
        pack("runs/robust", "my-preset", clean="arasfsr-compact-faces-v1")
    """
    check_new(output)
    run = Path(run)
    recipe = recipes.load(run / "recipe.yaml")
    paths = list_images(validation_data or recipe.data.validation)
    try:
        model, steps = from_preset(run / "best"), int(read_metadata(run / "best")["steps"])
    except (PresetError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{run}: has no best checkpoint that is whole: {error}") from error
    model = folded(model)
    if clean is not None:
        check_same_architecture(clean, folded(from_preset(clean)), run, model)
    measured = {}
    for reduction in recipe.reductions():
        ours, bicubic = compare_with_bicubic(model, paths, reduction, recipe.validation.protocol)
        measured[reduction.label] = {"psnr": round(ours, 3), "bicubic": round(bicubic, 3)}
        report(
            f"from {reduction.label}: {ours:.3f} dB, bicubic {bicubic:.3f}, "
            f"gain {ours - bicubic:+.3f}"
        )
    metadata = {**described(recipe, model, steps), "name": Path(output).name}
    if clean is not None:
        metadata["clean"] = reference(clean, output)
    metadata["quality"] = {
        "what": "mean PSNR in dB of originals reduced to a side, or by a scale, and restored",
        "protocol": recipe.validation.protocol,
        "degradation": list(recipe.validation.degradations) or recipe.data.sampling.degradation,
        "images": len(paths),
        "from": measured,
    }
    save_preset(model, output, metadata)
    report(f"{output}: {model.count_params():,} parameters after {steps:,} steps")


def described(recipe: Recipe, model: AnyModel, steps: int) -> dict[str, Any]:
    """What a preset's metadata says of where its weights come from.

    Args:
        recipe: that they were trained by.
        model: whose they are.
        steps: for how long.
    """
    return {
        "name": recipe.name,
        "tfsr": __version__,
        "commit": commit(),
        "parameters": model.count_params(),
        "provenance": dict(recipe.provenance),
        "recipe": recipes.to_mapping(recipe),
        "steps": steps,
    }
