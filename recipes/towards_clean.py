"""Take a preset some of the way towards its clean twin: better on clean images.

    python recipes/towards_clean.py PRESET CLEAN SHARE RUN

Every weight is (1 - SHARE) * PRESET + SHARE * CLEAN, which `tfsr evaluate --strengths` measures
beforehand: SHARE is 1 - strength, below 1. PRESET and CLEAN are names or directories of presets or
runs; PRESET was fine-tuned from CLEAN, and its metadata has its recipe. RUN is a new directory,
which recipes/flat_colours.py and `tfsr save-preset` take.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from tfsr.cli.startup import import_keras

import_keras()

from tfsr.presets import interpolate, read_metadata  # noqa: E402
from tfsr.training import recipe_files  # noqa: E402
from tfsr.training.provenance import describe_weights  # noqa: E402
from tfsr.training.run_directory import write_best, write_recipe  # noqa: E402


def main(preset: str, clean: str, share: float, run: str) -> None:
    """Interpolate the weights, and write them as a run."""
    if not 0 <= share < 1:
        raise SystemExit(f"SHARE must be at least 0 and below 1; received {share}")
    model = interpolate(clean, preset, 1 - share)
    metadata = read_metadata(preset)
    recipe = recipe_files.parse(metadata["recipe"])
    origin = read_metadata(clean).get("name", Path(clean).name)
    text = f"{recipe.provenance['training']}; then recipes/towards_clean.py: {share:g} of {origin}"
    recipe = replace(recipe, provenance={**recipe.provenance, "training": text})
    Path(run).mkdir(parents=True)
    write_recipe(Path(run), recipe)
    write_best(Path(run), model, describe_weights(recipe, model, int(metadata["steps"])))


if __name__ == "__main__":
    main(*sys.argv[1:3], float(sys.argv[3]), *sys.argv[4:])
