"""Where the gain over bicubic differs with skin lightness: in the face, or around it.

    python benchmarks/skin_lightness.py --faces faces256/test --train faces256/train faces512/train

Prints a Markdown table: the mean gain of each third of the faces by skin lightness (see
preset_checks.py), inside an oval from chin to forehead and outside it, of presets trained on faces
and of one trained on photographs. "by chance" is the share of random thirds of the same faces whose
spread is at least as large; r is the correlation of lightness and gain. Then how many of the faces
in --train are as light as those of each third.
"""

import argparse
from pathlib import Path

import numpy as np
from preset_checks import skin_lightness

PRESETS = ("faces", "faces-clean", "photos-clean")
SIDES = (128, 64, 32)
# Centre and half axes (row, column) of the oval in a face of 256x256 pixels.
CENTRE, AXES = (145, 127.5), (78, 56)
TRIALS = 10_000


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=Path, required=True, help="aligned faces, 256x256")
    parser.add_argument(
        "--train", type=Path, nargs="+", default=[], help="aligned faces to count by lightness"
    )
    arguments = parser.parse_args()

    from tfsr import load_upscaler
    from tfsr.images import list_images, read, resize

    images = [read(path) for path in list_images(arguments.faces)]
    lightness = np.array([skin_lightness(image) for image in images])
    third = np.argsort(np.argsort(lightness)) * 3 // len(images)
    ranges = [(lightness[third == t].min(), lightness[third == t].max()) for t in range(3)]
    heads = " | ".join(f"L* {low:.0f} to {high:.0f}" for low, high in ranges)
    print(f"| preset | from | where | {heads} | spread | by chance | r |\n{'| --- ' * 9}|")
    upscalers = {name: load_upscaler(name) for name in PRESETS}
    for side in SIDES:
        bicubic = errors(resize, images, side)
        for name, upscale in upscalers.items():
            gains = 10 * np.log10(bicubic / errors(upscale, images, side))
            for place, gain in zip(("in the face", "around it"), gains, strict=True):
                print_row(f"{name} | {side} | {place}", gain, lightness, third)
    for folder in arguments.train:
        faces = (resize(read(path), (256, 256)) for path in list_images(folder))
        values = np.array([skin_lightness(face) for face in faces])
        counts = np.bincount(np.digitize(values, [low for low, _ in ranges[1:]]), minlength=3)
        print(f"\n{len(values)} faces in {folder}: {counts.tolist()} as light as each third")


def errors(upscale, images, side):
    """Mean squared errors inside the oval and outside it: (2, images)."""
    from tfsr.images import resize

    rows, columns = (
        ((np.arange(256) - middle) / axis) ** 2 for middle, axis in zip(CENTRE, AXES, strict=True)
    )
    inside = rows[:, None] + columns < 1
    values = []
    for image in images:
        restored = upscale(resize(image, (side, side)), image.shape[:2])
        squares = np.square(restored.astype(float) - image).mean(axis=-1)
        values.append((squares[inside].mean(), squares[~inside].mean()))
    return np.transpose(values)


def print_row(head, gain, lightness, third):
    """The means of the thirds, their spread, and what chance makes of it."""
    rng = np.random.default_rng(0)
    means = [gain[third == t].mean() for t in range(3)]
    chance = [
        np.ptp([gain[other == t].mean() for t in range(3)])
        for other in (rng.permutation(third) for _ in range(TRIALS))
    ]
    likely = np.mean(np.array(chance) >= np.ptp(means))
    print(f"| {head} |" + "".join(f" {value:+.2f} |" for value in means), end="")
    print(f" {np.ptp(means):.2f} | {likely:.0%} | {np.corrcoef(lightness, gain)[0, 1]:+.2f} |")


if __name__ == "__main__":
    main()
