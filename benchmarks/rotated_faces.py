"""What it costs to turn a face upright before it is restored.

    python benchmarks/rotated_faces.py --faces faces512/test --backgrounds photos/val

Faces of 40 to 90 pixels, rotated by several angles, are pasted into photographs, reduced by 4, and
restored in three ways: from the pixels as they are, and from an upright crop, interpolated by the
cubic of `tfsr.faces.crop_face` or by a spline of order 5. Prints PSNR inside the ovals.
"""

import argparse
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
from photographs import error, psnr, union
from scipy.ndimage import map_coordinates

SCALE, LR_SIZE, PAD = 4, (120, 120), 8
ANGLES = (0, 5, 10, 15, 20, 30, 45)


def main():
    """Rotate, reduce, restore, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=Path, required=True, help="aligned faces, 512x512")
    parser.add_argument("--backgrounds", type=Path, required=True, help="tiles of 512x512")
    parser.add_argument("--preset", default="faces-clean")
    parser.add_argument("--count", type=int, default=10, help="faces for each angle")
    arguments = parser.parse_args()

    from tfsr import load_upscaler
    from tfsr.images import list_images, read

    upscale, bicubic = load_upscaler(arguments.preset), load_upscaler("bicubic")
    faces, tiles = (list_images(path) for path in (arguments.faces, arguments.backgrounds))
    print("| degrees | as they are | upright, cubic | upright, spline | bicubic |")
    print("| --- | --- | --- | --- | --- |")
    for degrees in ANGLES:
        errors = defaultdict(list)
        for number in range(arguments.count):
            rng = np.random.default_rng([degrees, number])
            face = read(faces[7 * number % len(faces)])
            measure(upscale, bicubic, face, read(tiles[number]), degrees, rng, errors)
        values = " | ".join(f"{psnr(values):.2f}" for values in errors.values())
        print(f"| {degrees} | {values} |", flush=True)


def measure(upscale, bicubic, face, tile, degrees, rng, errors):
    """Add the mean squared errors of one face."""
    from tfsr.faces import FaceRegion, crop_face, paste_face, surrounding_box
    from tfsr.images import resize

    size = tuple(SCALE * side for side in LR_SIZE)
    side = rng.uniform(40, 90) * SCALE
    turn = math.radians(degrees) * rng.choice([-1, 1])
    across = side / 2 * math.sin(turn), side / 2 * math.cos(turn)
    centre = tuple(length / 2 + rng.uniform(-6, 6) for length in size)
    region = FaceRegion(centre, (across[1], -across[0]), across)
    original = tile[: size[0], : size[1]].copy()
    paste_face(original, resize(face, region.size), region, oval=region)
    lr = resize(original, LR_SIZE)
    inside = union([region], size) == 1
    small = region.resized(size, LR_SIZE)
    rows, columns, target = surrounding_box(small, LR_SIZE, size)
    for name, crop, place in (
        ("as they are", np.ascontiguousarray(lr[slice(*rows), slice(*columns)]), target),
        ("cubic", crop_face(lr, small), region),
        ("spline", spline_crop(lr, small), region),
    ):
        output = bicubic(lr, size)
        paste_face(output, upscale(crop, place.size), place)
        errors[name].append(error(output, original, inside))
    errors["bicubic"].append(error(bicubic(lr, size), original, inside))


def spline_crop(pixels, region):
    """As `crop_face`, by splines of order 5."""
    padded = np.pad(pixels, ((PAD, PAD), (PAD, PAD), (0, 0)), "edge").astype(float)
    positions = region.positions((0, region.size[0]), region.size)
    at = [coordinate + PAD for coordinate in positions]
    channels = [map_coordinates(padded[..., i], at, order=5, mode="nearest") for i in range(3)]
    return np.clip(np.round(np.stack(channels, axis=-1)), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
