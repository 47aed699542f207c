"""What each kind of exported file costs, and what it loses.

    python export/table.py --faces DIR --calibration DIR

Exports the default preset in every format, and the one for phones in three, runs each file in a
process of its own on every face of a folder reduced to the file's input, and writes the table into
export/README.md. Seconds are medians on this machine's cores, memory is what the process grew by
from before the file was loaded.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
LR = (64, 64)
PRESET, MOBILE = "faces", "faces-mobile"
# Title, preset, arguments of `tfsr export`, output size, and consumer of the file.
EVERYWHERE = "LiteRT on CPU (XNNPACK) on Android, iOS, Linux, in the browser (WASM)"
BY_WEBGPU = f"{EVERYWHERE}, and entirely by WebGPU"
SERVERS = "TensorFlow Serving, TensorFlow in C and Java, OpenVINO"
ROWS = [
    ("TFLite float32", PRESET, "tflite --scales 4", (256, 256), BY_WEBGPU),
    ("the same, bytes in and out", PRESET, "tflite --scales 4 --io uint8", (256, 256), BY_WEBGPU),
    ("TFLite float16", PRESET, "tflite --scales 4 --quantize float16", (256, 256), BY_WEBGPU),
    ("TFLite dynamic", PRESET, "tflite --scales 4 --quantize dynamic", (256, 256), EVERYWHERE),
    ("TFLite int8", PRESET, "tflite --scales 4 --quantize int8", (256, 256), EVERYWHERE),
    ("TFLite float32, fractional scale", PRESET, "tflite --sizes 237x237", (237, 237), EVERYWHERE),
    ("SavedModel", PRESET, "saved-model", (256, 256), SERVERS),
    ("for phones, float32", MOBILE, "tflite --scales 4", (256, 256), BY_WEBGPU),
    ("for phones, int8", MOBILE, "tflite --scales 4 --quantize int8", (256, 256), EVERYWHERE),
    ("for phones, fractional scale", MOBILE, "tflite --sizes 237x237", (237, 237), EVERYWHERE),
]


def main() -> None:
    """Measure every file, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=Path, required=True, help="images to lose PSNR on")
    parser.add_argument("--calibration", type=Path, required=True, help="images for int8")
    parser.add_argument("--run", nargs=3, metavar=("FILE", "SIZE", "FACES"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        print(json.dumps(measured(*arguments.run)))
        return
    lines = [
        "| format | arguments of `tfsr export` | MiB | seconds | MiB of memory | PSNR, dB "
        "| lost, dB | runs in |",
        "|---|---|---|---|---|---|---|---|",
    ]
    keras = {
        (preset, size): run(preset, size, arguments.faces)["psnr"]
        for preset, size in {(row[1], row[3]) for row in ROWS}
    }
    with tempfile.TemporaryDirectory() as folder:
        for i, (title, preset, options, size, takers) in enumerate(ROWS):
            target = Path(folder) / (f"{i}.tflite" if options.startswith("tflite") else "saved")
            found = exported(arguments, preset, options, target)
            row = run(target, size, arguments.faces)
            lines.append(
                f"| {title} | `{options}` | {found / 2**20:.2f} | {row['seconds']:.3f} "
                f"| {row['memory'] / 2**20:.0f} | {row['psnr']:.3f} "
                f"| {round(keras[preset, size] - row['psnr'], 3) + 0.0:.3f} | {takers} |"
            )
            print(lines[-1], flush=True)
    insert(lines)


def exported(arguments, preset, options, target) -> int:
    """Export; returns the size of the output in bytes."""
    command = [Path(sys.executable).with_name("tfsr"), "export", *options.split(), "-o", target]
    command += ["--preset", preset]
    if options.startswith("tflite"):
        command += ["--lr-size", f"{LR[1]}x{LR[0]}"]
    if "--quantize int8" in options:
        command += ["--calibration", arguments.calibration]
    subprocess.run(command, check=True)
    if target.is_file():
        return target.stat().st_size
    return sum(path.stat().st_size for path in target.rglob("*") if path.is_file())


def run(what, size, faces) -> dict:
    """`measured` in a fresh process."""
    command = [sys.executable, __file__, "--faces", faces, "--calibration", faces]
    command += ["--run", str(what), f"{size[0]}x{size[1]}", str(faces)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output.splitlines()[-1])


def measured(what: str, size_text: str, faces: str) -> dict:
    """Mean PSNR (RGB, 8 bits) over the faces, median seconds of an image, and bytes of memory."""
    from tfsr.cli.startup import import_keras

    import_keras()
    from tfsr.images import list_images, read, resize
    from tfsr.inference import load_upscaler
    from tfsr.metrics import psnr

    size = tuple(map(int, size_text.split("x")))
    originals = [resize(read(path), size) for path in list_images(faces)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    upscale = load_upscaler(what)
    seconds, found = [], []
    for original in originals:
        small = resize(original, LR)
        start = time.perf_counter()
        output = upscale(small, size)
        seconds.append(time.perf_counter() - start)
        found.append(psnr(output / 255.0, original / 255.0))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {
        "psnr": float(np.mean(found)),
        "seconds": statistics.median(seconds[1:]),
        "memory": 1024 * grown,
    }


def insert(lines: list[str]) -> None:
    """Put the table between the marks of export/README.md."""
    page = HERE / "README.md"
    before, rest = page.read_text(encoding="utf-8").split("<!-- table -->\n")
    _, after = rest.split("<!-- end of table -->")
    table = "\n".join(["<!-- table -->", "", *lines, "", "<!-- end of table -->"])
    page.write_text(before + table + after, encoding="utf-8")


if __name__ == "__main__":
    main()
