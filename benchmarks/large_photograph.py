"""What the faces of a large photograph cost beside its background.

    python benchmarks/large_photograph.py --faces faces512/test --backgrounds photos/val

Composes a photograph of 12 megapixels with ten faces, on crops of 52 to 250 pixels, and enlarges it
by 2 with `tfsr upscale`: once by the background preset alone, once with faces. Prints seconds, the
processors' seconds and the peak memory of each process, in turn, `--repeats` times.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SIZE, SCALE = (3000, 4000), 2
SIDES = (52, 64, 80, 100, 120, 150, 180, 210, 240, 250)


def main():
    """Compose, run both in turn, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=Path, required=True, help="aligned faces, 512x512")
    parser.add_argument("--backgrounds", type=Path, required=True, help="tiles of 512x512")
    parser.add_argument("--background", default="photos", help="a preset")
    parser.add_argument("--preset", default="faces", help="of faces")
    parser.add_argument("--memory", default="2GiB")
    parser.add_argument("--repeats", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "photograph.jpg"), Path(folder, "large.jpg")
        compose(arguments.faces, arguments.backgrounds, source)
        options = {
            "background alone": ["--preset", arguments.background],
            "with faces": [
                *("--preset", arguments.preset, "--background", arguments.background),
                *("--faces", "auto"),
            ],
        }
        for _ in range(arguments.repeats):
            for name, chosen in options.items():
                command = [*(sys.executable, "-m", "tfsr", "upscale", source, "-o", target)]
                command += ["--scale", SCALE, "--memory", arguments.memory, "--overwrite", *chosen]
                seconds, busy, peak = measure(list(map(str, command)))
                print(
                    f"{name}: {seconds:.1f} s, {busy:.1f} s of processors, {peak / 2**30:.2f} GiB",
                    flush=True,
                )


def compose(faces, backgrounds, target):
    """Write the photograph."""
    from tfsr.faces import face_region_from_box, paste_face
    from tfsr.images import list_images, read, resize, write

    tiles = [read(path) for path in list_images(backgrounds)]
    columns = [
        np.concatenate([tiles[(6 * j + i) % len(tiles)] for i in range(6)]) for j in range(8)
    ]
    image = np.ascontiguousarray(np.concatenate(columns, axis=1)[: SIZE[0], : SIZE[1]])
    paths = list_images(faces)
    for number, side in enumerate(SIDES):
        top, left = 300 + 1400 * (number // 5), 300 + 700 * (number % 5)
        region = face_region_from_box(SIZE, (top, left, side, side))
        face = resize(read(paths[number]), region.size)
        paste_face(image, face, region, oval=region)
    write(target, image)


def measure(command):
    """Seconds, seconds of processors and peak bytes of a process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(command)}")
    print(output.strip())
    busy = usage.ru_utime + usage.ru_stime
    return time.perf_counter() - start, busy, usage.ru_maxrss * 1024


if __name__ == "__main__":
    main()
