"""How fast exported TFLite files are, beside the published formulation.

    python benchmarks/tflite.py

64x64 to 256x256: LIIF with the EDSR-baseline encoder and the same random weights on both sides, and
the shipped preset. Needs Linux and `pip install -e .[benchmark,export]`. Writes tflite.json and
tflite.md, and the table into docs/performance.md. It takes two minutes on two cores.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from contenders import ENCODER, Published
from machine import (
    RESULTS,
    OtherPrograms,
    Worker,
    alternately,
    described,
    description,
    image,
    import_backend,
    mebibytes,
    medians,
    memory_of,
    seconds_of,
    table,
    three_digits,
    write,
)

LR, SIZE = 64, (256, 256)
QUANTISATIONS = ("none", "float16", "dynamic", "int8")
PRESET = "arasfsr-compact-faces-v1"


class Exporter:
    """Writes TFLite files."""

    def __init__(self):
        import_backend()

    def export(self, folder, name, quantisation, weights):
        """The file of a quantisation, and its agreement with the model in dB.

        Args:
            folder: of the file.
            name: of the file, less its suffix.
            quantisation: as in `tfsr export`.
            weights: published ones of LIIF; None: the preset's.
        """
        from PIL import Image

        from tfsr.converters import load_published
        from tfsr.exporters import tflite
        from tfsr.models import ImplicitSR
        from tfsr.presets import from_preset

        if weights is None:
            model = from_preset(PRESET)
        else:
            model = ImplicitSR(ENCODER, "liif")
            load_published(model, weights)
        path = Path(folder) / f"{name}.tflite"
        shown = Path(folder) / "shown.png"
        Image.fromarray((255 * image(LR)[0]).round().astype(np.uint8)).save(shown)
        report = tflite(model, path, (LR, LR), [SIZE], quantize=quantisation, calibration=[shown])
        return str(path), report.psnr_vs_model


class File:
    """An exported file that is run, with as many threads as there are cores."""

    def __init__(self, path):
        from tfsr.inference.tflite_upscaler import runners, signature_name

        self.image = image(LR)

        def load():
            content = Path(path).read_bytes()
            self._run = runners(content, os.cpu_count(), Path(path))[signature_name(SIZE)]
            self.seconds()

        # Named by the runtime when it is first imported, and not the file's.
        import ai_edge_litert.interpreter  # noqa: F401

        self.memory = memory_of(load)[1]

    def seconds(self):
        """Seconds of an image."""
        return seconds_of(lambda: self._run(image=self.image))

    def peak_memory(self):
        """Bytes that the process grew by when it loaded the file and drew an image."""
        return self.memory


def measured(folder, repeats):
    """Of LIIF and the preset, every quantisation; of LIIF, the published formulation as well."""
    cases = []
    with Worker(Published, "liif", image(LR), SIZE) as published, Worker(Exporter) as exporter:
        for model, weights in (("LIIF", published("weights")), (PRESET, None)):
            for quantisation in QUANTISATIONS:
                name = f"{model}-{quantisation}"
                path, decibels = exporter("export", folder, name, quantisation, weights)
                case = {"model": model, "quantisation": quantisation, "psnr_vs_model": decibels}
                with Worker(File, path) as file:
                    asked = {"seconds": lambda file=file: file("seconds")}
                    counts = {"seconds": 2 * repeats}
                    if weights is not None:
                        asked["published_seconds"] = lambda: published("seconds")
                        counts["published_seconds"] = repeats
                    case |= medians(alternately(asked, counts))
                    case |= {"file_bytes": os.path.getsize(path), "bytes": file("peak_memory")}
                cases.append(case)
                print(f"{name}: {three_digits(case['seconds'])} s", file=sys.stderr)
    return cases


def text_of(results):
    """The table, in Markdown."""
    header = ["model", "`--quantize`", "file, MiB", "memory, MiB", "s", "PyTorch, s"]
    header += ["times as fast", "agreement, dB"]
    rows = []
    for case in results["cases"]:
        row = [case["model"], case["quantisation"], three_digits(case["file_bytes"] / 2**20)]
        row += [mebibytes(case["bytes"]), three_digits(case["seconds"])]
        theirs = case.get("published_seconds")
        row += [three_digits(theirs), f"{theirs / case['seconds']:.1f}"] if theirs else ["", ""]
        rows.append([*row, f"{case['psnr_vs_model']:.1f}"])
    return f"{described(results['machine'])}\n\n{table(header, rows)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--repeats", type=int, default=5, help="calls of which the median is printed"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    others = OtherPrograms()
    results = {"machine": description("torch", "ai-edge-litert")}
    with tempfile.TemporaryDirectory() as folder:
        results["cases"] = measured(folder, arguments.repeats)
    results["machine"]["others"] = others.share()
    write(arguments.out, "tflite", results, text_of(results))


if __name__ == "__main__":
    main()
