"""From a run's best checkpoint to a preset."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from tfsr import __version__
from tfsr.errors import CheckpointError
from tfsr.evaluation import compare_with_bicubic
from tfsr.images import list_images
from tfsr.models import from_config
from tfsr.presets import save_preset
from tfsr.training import recipe as recipes


def pack(
    run: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    validation_data: str | os.PathLike[str] | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> None:
    """Make a preset of the best checkpoint of a run.

    The preset's metadata has the recipe whole, the steps done, and PSNR on all validation pictures
    at each reduction of the recipe, measured in float32 now, not copied from the training log.

    Args:
        run: the run's directory.
        output: the preset's directory.
        validation_data: folder of pictures to measure on, instead of the recipe's.
        report: called with a line for each measurement as it is made.


    Raises:
        CheckpointError: if the run has no checkpoint, or it does not fit its recipe.
        RecipeError, ImageError, PresetError: if recipe, pictures or output are at fault.
    """
    run = Path(run)
    recipe = recipes.load(run / "recipe.yaml")
    paths = list_images(validation_data or recipe.data.validation)
    model = from_config(recipe.model)
    try:
        state = json.loads((run / "state.json").read_text())
        steps = int(state["best_epoch"]) * recipe.training.steps_per_epoch
        model.load_weights(run / "best.weights.h5")
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(
            f"{run}: has no best checkpoint that fits its recipe: {reason}"
        ) from error
    measured = {}
    for reduction in recipe.reductions():
        ours, bicubic = compare_with_bicubic(model, paths, reduction, recipe.validation.protocol)
        measured[reduction.label] = {"psnr": round(ours, 3), "bicubic": round(bicubic, 3)}
        report(
            f"from {reduction.label}: {ours:.3f} dB, bicubic {bicubic:.3f}, "
            f"gain {ours - bicubic:+.3f}"
        )
    metadata = {
        "name": Path(output).name,
        "tfsr": __version__,
        "commit": _commit(),
        "parameters": model.count_params(),
        "provenance": dict(recipe.provenance),
        "recipe": recipes.to_mapping(recipe),
        "steps": steps,
        "quality": {
            "what": "mean PSNR in dB of originals reduced to a side, or by a scale, and restored",
            "protocol": recipe.validation.protocol,
            "degradation": recipe.data.sampling.degradation,
            "pictures": len(paths),
            "from": measured,
        },
    }
    save_preset(model, output, metadata)
    report(f"{output}: {model.count_params():,} parameters after {steps:,} steps")


def _commit() -> str | None:
    """The commit of the code that packs, where it runs from a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
