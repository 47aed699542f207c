"""How many channels of an EDSR's residual blocks no image activates: ReLUs that training has lost.

python benchmarks/activations.py runs/mine runs/other --faces faces/val
"""

import argparse
from pathlib import Path

import numpy as np
from machine import import_backend

SIDE, COUNT = 64, 4


def inactive(run, images):
    """The share of channels behind each block's ReLU that are 0 everywhere."""
    from tfsr.presets import from_preset

    encoder = from_preset(run).encoder
    x = encoder.head(2 * images - 1)
    shares = []
    for block in encoder.body:
        activations = np.asarray(block.conv1(x))
        shares.append(float((activations.max((0, 1, 2)) <= 1e-6).mean()))
        x = block(x)
    return shares


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", help="runs or presets with an EDSR encoder")
    parser.add_argument("--faces", type=Path, required=True, help="a folder of images")
    arguments = parser.parse_args()
    import_backend()
    from tfsr.images import files, read, resize, to_float

    paths = files.list_images(arguments.faces)[:COUNT]
    images = np.stack([to_float(resize(read(path), (SIDE, SIDE))) for path in paths])
    for run in arguments.runs:
        shares = inactive(run, images)
        text = " ".join(f"{share:.0%}" for share in shares)
        print(f"{run}: {np.mean(shares):.0%} of all; by block {text}")


if __name__ == "__main__":
    main()
