"""What quality costs on phones: small ARASFSRs, from which the mobile preset was chosen.

    python benchmarks/mobile.py --train faces/train --validation faces/val

Trains each candidate by recipes/arasfsr-mobile-faces.yaml for 2,000 steps on the default preset's
mixture of sizes, into runs/mobile, exports it as int8, and measures both against bicubic on the
validation faces. Runs that are done are not trained again; all of them take an hour on two cores.
Writes mobile.json, mobile.md and mobile.svg, and the table into docs/results.md. Needs
`pip install -e .[benchmark,export]`.
"""

import argparse
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from machine import (
    OtherPrograms,
    Worker,
    described,
    description,
    import_backend,
    seconds_of,
    table,
    write,
)

RESULTS = Path(__file__).parents[1] / "docs" / "results"
RECIPE = Path(__file__).parents[1] / "recipes" / "arasfsr-mobile-faces.yaml"
RUNS = Path("runs/mobile")
STEPS = 2000
LR, SIZE = (64, 64), (256, 256)
REDUCED = ("128", "64", "32")
MOST = 40_000


@dataclass(frozen=True)
class Candidate:
    """A small model: `blocks` of `features` in the encoder, `hidden` in the decoder."""

    features: int
    blocks: int
    hidden: tuple[int, ...]
    ensemble: bool

    @property
    def name(self):
        """Of its run."""
        ensemble = "" if self.ensemble else "-single"
        return f"{self.features}x{self.blocks}-{self.hidden[0]}x{len(self.hidden)}{ensemble}"

    @property
    def changes(self):
        """Of the recipe."""
        yield f"training.steps={STEPS}"
        yield "data.sampling.lr_size=[32,176]"
        yield "data.sampling.hr_size=[96,256]"
        yield f"model.encoder.features={self.features}"
        yield f"model.encoder.blocks={self.blocks}"
        yield f"model.decoder.hidden=[{','.join(map(str, self.hidden))}]"
        yield f"model.decoder.local_ensemble={str(self.ensemble).lower()}"
        yield f"validation.lr_sizes=[{','.join(REDUCED)}]"


CANDIDATES = (
    Candidate(24, 4, (16,) * 3, True),
    Candidate(32, 6, (32,) * 3, True),
    Candidate(32, 4, (40,) * 3, True),
    Candidate(32, 7, (40,) * 3, True),
    Candidate(32, 6, (64,) * 3, False),
    Candidate(48, 8, (32,) * 2, True),
    Candidate(48, 8, (48,) * 3, False),
)


def trained(candidate, arguments):
    """The candidate's run."""
    run = RUNS / candidate.name
    command = [tfsr(), "train", RECIPE, "-o", run, "--data", arguments.train]
    command += ["--validation", arguments.validation]
    for change in candidate.changes:
        command += ["--set", change]
    subprocess.run(command, check=True)
    return run


def exported(run, arguments):
    """The run's best model as an int8 file beside it."""
    path = RUNS / f"{run.name}.tflite"
    command = [tfsr(), "export", "tflite", "--preset", run, "-o", path, "--quantize", "int8"]
    command += ["--lr-size", f"{LR[1]}x{LR[0]}", "--scales", "4", "--calibration", arguments.train]
    subprocess.run(command, check=True)
    return path


def tfsr():
    """The command beside this Python."""
    return Path(sys.executable).with_name("tfsr")


class Measured:
    """A candidate's model and its file.

    Args:
        run: directory of the run.
        file: the int8 file.
        faces: folder of images to measure on.
    """

    def __init__(self, run, file, faces):
        import_backend()
        from tfsr.evaluation import load_upscalers

        self.upscalers = load_upscalers([str(run), str(file)])
        self.run, self.file, self.faces = run, file, faces

    def cost(self):
        """Parameters, and multiply-adds an output pixel of encoder and decoder."""
        from tfsr.presets import from_preset
        from tfsr.rendering import multiply_adds

        model = from_preset(self.run)
        found = multiply_adds(model, LR, SIZE)
        pixels = SIZE[0] * SIZE[1]
        return {
            "parameters": model.count_params(),
            "encoder": found.encoder / pixels,
            "decoder": found.as_run / pixels,
            "bytes": self.file.stat().st_size,
        }

    def gains(self):
        """Mean gain over bicubic in dB of model and file, by the LR side; RGB, 8 bits."""
        from tfsr.evaluation import PROTOCOLS
        from tfsr.evaluation.dataset import make_columns
        from tfsr.evaluation.table import evaluate_columns

        rule = PROTOCOLS["files"]
        columns = make_columns(self.faces, rule, rule.specs(REDUCED))
        result = evaluate_columns(rule, "", columns, self.upscalers)
        return [
            {lr: result.gain(row, column, 0) for column, lr in enumerate(REDUCED)} for row in (1, 2)
        ]

    def seconds(self):
        """Median seconds of one image by the file."""
        image = np.random.default_rng(0).integers(256, size=(*LR, 3), dtype=np.uint8)
        upscaler = list(self.upscalers.values())[2]
        return statistics.median(seconds_of(lambda: upscaler(image, SIZE)) for _ in range(20))


def measured(candidate, run, file, faces):
    """All figures of a candidate."""
    with Worker(Measured, run, file, faces) as worker:
        model, quantized = worker("gains")
        return {
            "name": candidate.name,
            **vars(candidate),
            **worker("cost"),
            "gains": model,
            "mean_gain": statistics.mean(model.values()),
            "int8_lost": model["64"] - quantized["64"],
            "seconds": worker("seconds"),
        }


def text_of(results):
    """The table, in Markdown."""
    header = ["encoder", "decoder", "ensemble", "parameters", "multiply-adds a pixel"]
    header += ["x2", "x4", "x8", "mean gain, dB", "int8 file, KB", "int8 loses, dB", "int8, ms"]
    rows = [
        [
            f"{point['blocks']} blocks of {point['features']}",
            f"{len(point['hidden'])} layers of {point['hidden'][0]}",
            "yes" if point["ensemble"] else "no",
            f"{point['parameters']:,}",
            f"{point['encoder'] + point['decoder']:,.0f}",
            *(f"{point['gains'][lr]:+.3f}" for lr in REDUCED),
            f"{point['mean_gain']:+.3f}",
            f"{point['bytes'] / 1000:.0f}",
            f"{point['int8_lost']:.3f}",
            f"{1000 * point['seconds']:.1f}",
        ]
        for point in results["points"]
    ]
    return f"{described(results['machine'])}\n\n{table(header, rows)}"


def plot(results, path):
    """Mean gain against multiply-adds."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "tfsr"
    from matplotlib import pyplot

    figure, panel = pyplot.subplots(figsize=(7, 3.6), layout="constrained")
    for ensemble, marker in ((True, "o"), (False, "s")):
        points = [point for point in results["points"] if point["ensemble"] == ensemble]
        costs = [(point["encoder"] + point["decoder"]) / 1000 for point in points]
        gains = [point["mean_gain"] for point in points]
        label = "local ensemble" if ensemble else "nearest pixel alone"
        panel.plot(costs, gains, marker, label=label)
        for point, cost, gain in zip(points, costs, gains, strict=True):
            panel.annotate(point["name"], (cost, gain), (5, 4), textcoords="offset points")
    panel.axvline(MOST / 1000, color="0.6", linestyle=":")
    panel.set(xlabel="thousand multiply-adds an output pixel, 64x64 to 256x256")
    panel.set(ylabel="mean gain over bicubic, dB", xlim=(0, 1.2 * MOST / 1000))
    panel.grid(alpha=0.3)
    panel.legend(loc="lower right")
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", required=True, help="faces to train on, and to calibrate with")
    parser.add_argument("--validation", required=True, help="faces to measure on")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    runs = {candidate: trained(candidate, arguments) for candidate in CANDIDATES}
    files = {candidate: exported(run, arguments) for candidate, run in runs.items()}
    others = OtherPrograms()
    points = [measured(c, runs[c], files[c], arguments.validation) for c in CANDIDATES]
    results = {"machine": description("ai-edge-litert"), "steps": STEPS, "points": points}
    results["machine"]["others"] = others.share()
    write(arguments.out, "mobile", results, text_of(results))
    plot(results, arguments.out / "mobile.svg")


if __name__ == "__main__":
    main()
