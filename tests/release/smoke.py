"""Upscale, train two steps and export by an installed tfsr, in the current, empty folder.

    python -I smoke.py

Run by the Python that tfsr is installed in; it needs nothing else.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

RECIPE = {
    "name": "smoke",
    "seed": 1,
    "model": {
        "encoder": {"name": "edsr", "features": 8, "blocks": 1},
        "decoder": {"name": "arasfsr-linear", "hidden": [8], "functions": 4, "frequency": False},
    },
    "data": {
        "train": "faces",
        "validation": "faces",
        "sampling": {
            "batch": 2,
            "lr_size": [16, 24],
            "hr_size": [24, 48],
            "window": 12,
            "num_points": 64,
        },
    },
    "training": {
        "steps": 2,
        "steps_per_epoch": 2,
        "loss": "charbonnier",
        "learning_rate": {"initial": 0.001},
        "jit_compile": False,
    },
    "validation": {"lr_sizes": [24], "images": 1},
    "provenance": {"licence": "made by the test"},
}

COMMANDS = [
    "presets show faces-mobile",
    "upscale faces/0.png -o large.png --size 79x65 --preset faces-mobile",
    "train smoke.yaml -o run",
    "upscale faces/0.png -o trained.png --scale 2 --preset run",
    "export saved-model --preset run -o served",
    "export tflite --preset run --lr-size 24x24 --scales 2 -o x2.tflite",
    "upscale faces/0.png -o exported.png --scale 2 --preset served",
]


def main() -> None:
    """Run the commands and look at what they wrote."""
    Path("faces").mkdir()
    rng = np.random.default_rng(0)
    for number in range(2):
        coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), np.uint8))
        coarse.resize((48, 48), Image.Resampling.BICUBIC).save(f"faces/{number}.png")
    Path("smoke.yaml").write_text(yaml.safe_dump(RECIPE))
    program = Path(sys.executable).with_name("tfsr")
    for command in COMMANDS:
        print(f"tfsr {command}", flush=True)
        subprocess.run([program, *command.split()], check=True)
    for name, size in {"large": (79, 65), "trained": (96, 96), "exported": (96, 96)}.items():
        with Image.open(f"{name}.png") as image:
            image.load()
            if image.size != size:
                sys.exit(f"{name}.png is {image.size}, not {size}")
    if json.loads(Path("run/best/metadata.json").read_text()).get("name") is None:
        sys.exit("run/best has no name")
    print("smoke test passed")


if __name__ == "__main__":
    main()
