"""How well faces are found in photographs, and how well they are restored there.

    python benchmarks/photographs.py --faces faces256/test --backgrounds photos/val

Aligned faces are pasted in their ovals into backgrounds of 1024x1024 pixels, in sizes that give
faces of 25 to 65 pixels after a reduction by 4. The reduced photograph is upscaled by
`PhotographUpscaler`. Prints the faces found and missed, false ones, and PSNR against the original:
inside the ovals, of the same preset on the exact crops, in the ring where faces are blended, and
outside.
"""

import argparse
from pathlib import Path

import numpy as np

# Sides of pasted crops in pixels of the reduced photograph; a face is 0.77 of its crop.
SIDES = (32, 40, 48, 60, 72, 84)
CANVAS = 1024


def main():
    """Compose, upscale, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=Path, required=True, help="aligned faces, 256x256 or more")
    parser.add_argument("--backgrounds", type=Path, required=True, help="tiles of 512x512")
    parser.add_argument("--scale", type=int, default=4)
    parser.add_argument("--preset", default="arasfsr-compact-faces-v1")
    parser.add_argument("--photographs", type=int, default=12)
    arguments = parser.parse_args()

    from tfsr import load_upscaler
    from tfsr.faces import FaceRegion, paste_face
    from tfsr.images import list_images, read, resize
    from tfsr.inference import PhotographUpscaler

    scale, preset = arguments.scale, load_upscaler(arguments.preset)
    photograph = PhotographUpscaler(preset, detector="mtcnn")
    plain = PhotographUpscaler(preset)
    faces = [read(path) for path in list_images(arguments.faces)]
    tiles = [read(path) for path in list_images(arguments.backgrounds)]
    rng = np.random.default_rng(0)
    found = missed = false = 0
    errors = {name: [] for name in ("inside", "exact crop", "ring", "outside", "bicubic inside")}
    for number in range(arguments.photographs):
        original = background(tiles, rng)
        places = []
        for side, (row, column) in zip(rng.permutation(SIDES), cells(rng), strict=True):
            region = FaceRegion((row, column), (side * scale / 2, 0.0), (0.0, side * scale / 2))
            face = resize(faces[rng.integers(len(faces))], region.size)
            paste_face(original, face, region, oval=True)
            places.append(region)
        lr = resize(original, (CANVAS // scale, CANVAS // scale))
        output = photograph(lr, original.shape[:2]).astype(float)
        bicubic = plain(lr, original.shape[:2]).astype(float)
        squares = (output - original) ** 2, (bicubic - original) ** 2
        inner, outer = np.zeros(original.shape[:2], bool), np.zeros(original.shape[:2], bool)
        boxes = [face["box"] for face in photograph.details["faces"]]
        for region in places:
            hits = [box for box in boxes if holds(box, region, scale)]
            boxes = [box for box in boxes if box not in hits]
            found, missed = found + bool(hits), missed + (not hits)
            false += max(0, len(hits) - 1)
            core, whole = (oval(region, original.shape, limit) for limit in (0.9, 1.35))
            inner, outer = inner | core, outer | whole
            if hits:
                exact = preset(*crop(lr, region, scale))
                errors["inside"].append(squares[0][core].mean())
                errors["bicubic inside"].append(squares[1][core].mean())
                errors["exact crop"].append(exact_error(exact, original, region, core))
        false += len(boxes)
        errors["ring"].append(squares[0][outer & ~inner].mean())
        errors["outside"].append(squares[0][~outer].mean())
        changed = (output != bicubic)[~outer].sum()
        print(f"photograph {number}: {len(places)} faces, {changed} values changed outside")
    print(f"found {found}, missed {missed}, false {false}")
    for name, values in errors.items():
        print(f"{name}: {np.mean(10 * np.log10(255**2 / np.array(values))):.2f} dB")


def background(tiles, rng):
    """Four tiles side by side, a copy."""
    chosen = [tiles[i] for i in rng.choice(len(tiles), 4, replace=False)]
    rows = [np.concatenate(chosen[i : i + 2], axis=1) for i in (0, 2)]
    return np.concatenate(rows)[:CANVAS, :CANVAS].copy()


def cells(rng):
    """Centres that keep the largest faces apart: six cells of 512x341 pixels, somewhat moved."""
    for row in (256, 768):
        for column in (171, 512, 853):
            yield tuple(np.float64([row, column]) + rng.uniform(-12, 12, 2))


def holds(box, region, scale):
    """Whether a found box's middle is near a pasted face's."""
    left, top, width, height = box
    row, column = (x / scale for x in region.centre)
    reach = 0.3 * region.size[0] / scale
    return abs(top + height / 2 - row) < reach and abs(left + width / 2 - column) < reach


def oval(region, shape, limit):
    """The pixels of a face's oval, in units of the oval that faces are blended in."""
    from tfsr.faces.crops import _ELLIPSE

    v, u = region.coordinates((0, shape[0]), (0, shape[1]))
    return np.hypot(v / _ELLIPSE[0], u / _ELLIPSE[1]) < limit


def crop(lr, region, scale):
    """The exact crop of a pasted face from the reduced photograph, and its size there."""
    from tfsr.faces import crop_face

    reduced = region.resized((scale, scale), (1, 1))
    return crop_face(lr, reduced), region.size


def exact_error(exact, original, region, core):
    """Mean squared error inside the oval of an exact crop that is pasted without a blend."""
    from tfsr.faces.crops import _interpolate

    rows, columns = np.nonzero(core)
    v, u = region.coordinates((0, core.shape[0]), (0, core.shape[1]))
    height, width = exact.shape[:2]
    colours = _interpolate(
        exact,
        ((v + 1) * (height / 2) - 0.5)[rows, columns],
        ((u + 1) * (width / 2) - 0.5)[rows, columns],
    )
    return ((np.clip(colours, 0, 255) - original[rows, columns]) ** 2).mean()


if __name__ == "__main__":
    main()
