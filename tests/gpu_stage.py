"""Run by JAX: a small stage of recipes/gpu/train_presets.py, in the directory that is given."""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "recipes" / "gpu"))
import train_presets
from sampling import Sampling


def main(directory):
    groups = (
        Sampling("resize", 2, 12, 8, lr_size=(12, 16), hr_size=24),
        Sampling("resize", 1, 16, 8, lr_size=(16, 20), hr_size=24),
    )
    stage = replace(
        train_presets.STAGES["faces"],
        recipe=str(directory / "recipe.yaml"),
        images=(("faces", None, 1.0), ("faces", 40, 1.0)),
        validation="val",
        capacity=8,
        groups=groups,
        after=(),
        start=None,
        degraded=("degraded", ((32, 2, 8),)),
    )
    train_presets.STEPS, train_presets.SIDE = 2, 48
    train_presets.STAGES["faces"] = stage
    deadlines = {"faces": time.time()}  # It trains for a second.
    (directory / "deadlines.json").write_text(json.dumps(deadlines))
    train_presets.main("faces", directory)


main(Path(sys.argv[1]))
