"""How well faces are found in whole photographs, and how well they are restored there.

    python benchmarks/photographs.py --faces faces512/test --backgrounds photos/val

Photographs with known faces are composed: six aligned faces each, blended in ovals into general
photographs side by side, at sizes that give faces of 25 to 65 pixels after the reduction. The
reduced photographs are upscaled by `PhotographUpscaler`. The tables say how many faces were found,
and compare, in dB against the original, inside the faces, in the ring where they are blended, and
outside: the pipeline, the bicubic filter, and the face preset on the exact crops.
"""

import argparse
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

# Sides of pasted crops in pixels of the reduced photograph; a face is 0.77 of its crop.
SIDES = (32, 40, 48, 60, 72, 84)
LR_SIZE = (256, 288)
# Six cells, each large enough for any face: their middles in the reduced photograph.
CELLS = [(row, column) for row in (64, 192) for column in (48, 144, 240)]
# The tiles of photos/val that show faces of their own.
PEOPLE = ("clic-2684452db5*", "clic-8bb119b8ca*", "gov-dc-*")
COLUMNS = (
    *("inside", "inside, exact crops", "inside, bicubic"),
    *("ring", "ring, bicubic", "outside", "outside, bicubic"),
)


def main():
    """Compose, reduce, upscale, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=Path, required=True, help="aligned faces, 512x512")
    parser.add_argument("--backgrounds", type=Path, required=True, help="tiles of 512x512")
    parser.add_argument("--without", nargs="*", default=PEOPLE, help="tiles left out, patterns")
    parser.add_argument("--scales", type=int, nargs="+", default=[2, 3, 4])
    parser.add_argument("--degradation", default="clean")
    parser.add_argument("--preset", default="faces-clean")
    parser.add_argument("--background", default="photos-clean")
    parser.add_argument("--photographs", type=int, default=25)
    arguments = parser.parse_args()

    from tfsr import load_upscaler
    from tfsr.images import list_images, read
    from tfsr.inference import PhotographUpscaler

    preset, background = load_upscaler(arguments.preset), load_upscaler(arguments.background)
    pipeline = PhotographUpscaler(preset, background=background, detector="mtcnn")
    upscalers = pipeline, preset, background, load_upscaler("bicubic")
    faces = [read(path) for path in list_images(arguments.faces)]
    paths = map(Path, list_images(arguments.backgrounds))
    tiles = [read(path) for path in paths if not any(map(path.match, arguments.without))]
    print(f"{arguments.photographs} photographs of {len(CELLS)} faces, {arguments.degradation}\n")
    print("| scale | found | false | changed outside | " + " | ".join(COLUMNS) + " |")
    print("| --- | --- | --- | --- |" + " --- |" * len(COLUMNS))
    for scale in arguments.scales:
        counts, errors = Counter(), defaultdict(list)
        for number in range(arguments.photographs):
            rng = np.random.default_rng([scale, number])
            original, boxes = compose(faces, tiles, scale, rng)
            lr = degrade(original, arguments.degradation, rng)
            measure(*upscalers, lr, original, boxes, counts, errors)
        total = counts["found"] + counts["missed"]
        values = " | ".join(f"{psnr(errors[name]):.2f}" for name in COLUMNS)
        found = f"{counts['found']} of {total} | {counts['false']} | {counts['changed']}"
        print(f"| x{scale} | {found} | {values} |", flush=True)


def compose(faces, tiles, scale, rng):
    """A photograph with a face in each cell, and the boxes of their crops when it is reduced."""
    from tfsr.faces import face_region_from_box, paste_face
    from tfsr.images import resize

    chosen = [tiles[i] for i in rng.choice(len(tiles), 6, replace=False)]
    rows = [np.concatenate(chosen[i : i + 3], axis=1) for i in (0, 3)]
    height, width = (side * scale for side in LR_SIZE)
    original = np.ascontiguousarray(np.concatenate(rows)[:height, :width])
    boxes = []
    for side, (row, column) in zip(rng.permutation(SIDES), CELLS, strict=True):
        box = (row - side // 2, column - side // 2, side, side)
        region = face_region_from_box((height, width), [value * scale for value in box])
        face = resize(faces[rng.integers(len(faces))], region.size)
        paste_face(original, face, region, oval=region)
        boxes.append(box)
    return original, boxes


def degrade(original, degradation, rng):
    from tfsr.degradations import get_pipeline

    return get_pipeline(degradation).degrade(original, LR_SIZE, rng)


def measure(pipeline, preset, background, bicubic, lr, original, boxes, counts, errors):
    """Add the counts and mean squared errors of one photograph."""
    from tfsr.faces import face_region_from_box

    size = original.shape[:2]
    output, general, plain = (upscale(lr, size) for upscale in (pipeline, background, bicubic))
    found = pipeline.find(lr)
    opacity = union([face.region.resized(lr.shape[:2], size) for face in found], size)
    counts["changed"] += int((output != general)[opacity == 0].sum())
    scale = size[0] // lr.shape[0]
    regions = [face_region_from_box(size, [value * scale for value in box]) for box in boxes]
    opacity = union(regions, size)
    areas = {"ring": (opacity > 0) & (opacity < 1), "outside": opacity == 0}
    for name, area in areas.items():
        errors[name].append(error(output, original, area))
        errors[f"{name}, bicubic"].append(error(plain, original, area))
    left = list(found)
    for box, region in zip(boxes, regions, strict=True):
        hits = [face for face in left if is_of(face, box)]
        left = [face for face in left if face not in hits]
        counts.update(found=bool(hits), missed=not hits, false=max(0, len(hits) - 1))
        if not hits:
            continue
        inside = union([region], size) == 1
        errors["inside"].append(error(output, original, inside))
        errors["inside, bicubic"].append(error(plain, original, inside))
        top, left_column, side, _ = box
        rows, columns = slice(top, top + side), slice(left_column, left_column + side)
        exact = output.copy()
        target = tuple(slice(s.start * scale, s.stop * scale) for s in (rows, columns))
        exact[target] = preset(np.ascontiguousarray(lr[rows, columns]), region.size)
        errors["inside, exact crops"].append(error(exact, original, inside))
    counts["false"] += len(left)


def union(regions, size):
    """The largest opacity of any of these faces, at every pixel."""
    from tfsr.faces.crops import oval_opacity

    opacity = np.zeros(size)
    for region in regions:
        rows, columns = region.spans(size)
        part = opacity[slice(*rows), slice(*columns)]
        part[...] = np.maximum(part, oval_opacity(region, rows, columns))
    return opacity


def is_of(face, box):
    """Whether a found face is the one in this crop: its middle is within a third of the side."""
    top, left, height, width = face.box
    row, column = top + height / 2, left + width / 2
    reach = box[2] / 3
    return abs(row - box[0] - box[2] / 2) < reach and abs(column - box[1] - box[2] / 2) < reach


def error(output, original, area):
    return np.mean((output[area].astype(float) - original[area]) ** 2)


def psnr(errors):
    return np.mean(10 * np.log10(255**2 / np.array(errors)))


if __name__ == "__main__":
    main()
