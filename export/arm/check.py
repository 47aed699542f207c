"""Draws the same images by the same files here and on an emulated Arm processor, and compares.

    python export/arm/check.py

See README.md beside it for what it needs. Fails, with one line, where Arm renders something else.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from machine import PROCESSORS, Machine

from tfsr.errors import TfsrError
from tfsr.exporters import tflite
from tfsr.images import read, resize, to_float
from tfsr.presets import DEFAULT, from_preset

HERE = Path(__file__).parent
WORK = HERE / "work"
FACE = HERE.parents[1] / "docs" / "images" / "astronaut.png"

# Small: an emulated processor takes a hundred times as long.
LR_SIZE = (16, 16)
SIZES = [(64, 64), (47, 59)]

# The largest difference in [0, 1] that a file may show. In 8 bits a value between two steps may
# fall to either side, since floats before it differ in their last bits.
LIMITS = {"none": 1e-5, "float16": 1e-5, "dynamic": 0.01, "int8": 0.01}


def main() -> None:
    """Check every kind of file on every processor."""
    machine = Machine(WORK)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        images = work / "images.npy"
        _write_images(images)
        _export(work)
        _draw_here(images, work, work / "here.npz")
        wrong = []
        for processor, description in PROCESSORS.items():
            machine.python(processor, HERE / "draw.py", images, work, work / "arm.npz")
            print(f"{processor} ({description}):")
            wrong += _compare(processor, np.load(work / "here.npz"), np.load(work / "arm.npz"))
    if wrong:
        raise RuntimeError(f"Arm renders something else: {'; '.join(wrong)}")


def _write_images(path: Path) -> None:
    """A face and noise."""
    face = to_float(resize(read(FACE), LR_SIZE))
    noise = np.random.default_rng(0).random((*LR_SIZE, 3), dtype=np.float32)
    np.save(path, np.stack([face, noise]))


def _export(folder: Path) -> None:
    model = from_preset(DEFAULT)
    for kind in LIMITS:
        calibration = [FACE] if kind == "int8" else []
        path = folder / f"{kind}.tflite"
        tflite(model, path, LR_SIZE, SIZES, quantize=kind, calibration=calibration)


def _draw_here(images: Path, folder: Path, out: Path) -> None:
    command = [sys.executable, HERE / "draw.py", images, folder, out]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def _compare(processor: str, here, there) -> list[str]:
    """Print one line per file and size; returns what is wrong."""
    wrong = []
    for name in here:
        if here[name].shape != there[name].shape:
            wrong.append(f"{name} on {processor} has another shape")
            continue
        differences = np.abs(here[name].astype(np.float64) - there[name])
        largest, limit = differences.max(), LIMITS[name.partition("/")[0]]
        count = np.count_nonzero(differences)
        print(f"  {name:14} differs by {largest:.1e} at most, in {count} of {differences.size}")
        # NaN is no output either.
        if not largest <= limit:
            wrong.append(f"{name} on {processor} differs by {largest:.2g}, more than {limit:g}")
    return wrong


if __name__ == "__main__":
    try:
        main()
    except (RuntimeError, TfsrError) as error:
        sys.exit(f"test-arm: {error}")
