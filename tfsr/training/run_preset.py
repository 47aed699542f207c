"""From a run's best checkpoint to a preset."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfsr.errors import CheckpointError, PresetError
from tfsr.evaluation import restoration_psnr
from tfsr.images import list_images, resize
from tfsr.inference import load_upscaler
from tfsr.models import ImplicitSR, folded
from tfsr.presets import (
    check_new,
    check_same_architecture,
    from_preset,
    read_metadata,
    save_preset,
    twin_reference,
)
from tfsr.training import recipe_files as recipes
from tfsr.training.provenance import describe_weights
from tfsr.training.recipe import Recipe


def save_run_preset(
    run: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    validation_data: str | os.PathLike[str] | None = None,
    clean: str | os.PathLike[str] | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> None:
    """Make a preset of the best checkpoint of a run.

    Re-parameterised convolutions are folded. The metadata has the recipe, the steps, and PSNR on
    all validation images for each degradation of the recipe, measured in float32.

    Args:
        run: the run's directory.
        output: the preset's directory, which must be new.
        validation_data: folder of images to measure on. Defaults to the recipe's.
        clean: the clean twin that the run was fine-tuned from, a preset or a run, for `strength`.
            Saved as a shipped preset's name, or a path relative to `output`. Defaults to none.
        report: called with a line for each measurement.

    Raises:
        CheckpointError: if the run has no checkpoint, or it does not fit its recipe.
        RecipeError, ImageError, PresetError: if recipe, images or output cannot be used, or the
            clean twin cannot be loaded or is of another architecture.

    Example:
        >>> save_run_preset("runs/robust", "my-preset", clean="faces-clean")
    """
    check_new(output)
    run = Path(run)
    recipe = recipes.load(run / "recipe.yaml")
    paths = list_images(validation_data or recipe.data.validation)
    try:
        model, steps = from_preset(run / "best"), int(read_metadata(run / "best")["steps"])
    except (PresetError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{run}: has no complete best checkpoint: {error}") from error
    model = folded(model)
    if clean is not None:
        check_same_architecture(clean, folded(from_preset(clean)), run, model)
    metadata = {**describe_weights(recipe, model, steps), "name": Path(output).name}
    if clean is not None:
        metadata["clean"] = twin_reference(clean, output)
    metadata["quality"] = _measure(model, recipe, paths, report)
    save_preset(model, output, metadata)
    report(f"{output}: {model.count_params():,} parameters after {steps:,} steps")


def _measure(
    model: ImplicitSR, recipe: Recipe, paths: Sequence[Path], report: Callable[[str], None]
) -> dict[str, Any]:
    """PSNR on validation images, of the model and of the bicubic filter."""
    protocol, measured, upscaler = recipe.validation.protocol, {}, load_upscaler(model)
    for spec in recipe.degradation_specs():
        ours, bicubic = (
            float(np.mean(restoration_psnr(upscale, paths, spec, protocol)))
            for upscale in (upscaler, resize)
        )
        measured[spec.label] = {"psnr": round(ours, 3), "bicubic": round(bicubic, 3)}
        report(
            f"from {spec.label}: {ours:.3f} dB, bicubic {bicubic:.3f}, gain {ours - bicubic:+.3f}"
        )
    return {
        "what": "mean PSNR in dB of originals reduced to a side, or by a scale, and restored",
        "protocol": protocol,
        "degradation": list(recipe.validation.degradations) or recipe.data.sampling.degradation,
        "images": len(paths),
        "from": measured,
    }
