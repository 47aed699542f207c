"""How far from a pixel RDN's features still depend on the image, in practice.

    python benchmarks/rdn_halo.py

Encodes an image whole, and the same 32x32 pixels from cuts with ever wider halos. No full-size
trained weights are at hand, so weights are those that training starts from, times a gain: a trained
network's are larger than at the start.
"""

import argparse

from tfsr.cli.startup import import_keras

import_keras()

import keras  # noqa: E402
import numpy as np  # noqa: E402

from tfsr.backend import MAP, jit  # noqa: E402
from tfsr.encoders import RDN  # noqa: E402
from tfsr.images import read, resize, to_float  # noqa: E402

CORE, HALOS = 32, (8, 16, 24, 32, 48, 64, 96)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", default="docs/images/astronaut-46.png")
    parser.add_argument("--gains", type=float, nargs="+", default=[1.0, 1.5, 2.0])
    arguments = parser.parse_args()

    margin = max(HALOS) + 43  # 139: more than the 131 pixels on which features depend at all.
    image = to_float(resize(read(arguments.image), (2 * margin + CORE,) * 2))[None]
    print("| gain | " + " | ".join(f"halo {halo}" for halo in HALOS) + " |")
    print("|---" * (len(HALOS) + 1) + "|")
    for gain in arguments.gains:
        keras.utils.set_random_seed(0)
        encoder = RDN()
        encoder.build((None, None, None, 3))
        encoder.set_weights([gain * weights for weights in encoder.get_weights()])
        errors = differences(jit(encoder.__call__, encoder, (MAP,)), 2 * image - 1, margin)
        print(f"| {gain} | " + " | ".join(f"{error:.1e}" for error in errors) + " |", flush=True)


def differences(encode, image, margin):
    """Largest difference of the core's features at each halo, in their standard deviations."""
    core = slice(margin, margin + CORE)
    whole = np.asarray(encode(image))[:, core, core]
    for halo in HALOS:
        cut = slice(margin - halo, margin + CORE + halo)
        part = np.asarray(encode(image[:, cut, cut]))[:, halo:-halo, halo:-halo]
        yield np.abs(part - whole).max() / whole.std()


if __name__ == "__main__":
    main()
