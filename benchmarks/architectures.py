"""What an architecture gives for its cost, from which those of the presets are chosen.

    python benchmarks/architectures.py train --data faces/train --validation faces/val
    python benchmarks/architectures.py table --validation faces/val

`train` gives every architecture the same processor time (`--budget`, in minutes of a core), by the
number of steps that its measured step allows, in runs/architectures. Runs that are done are kept.
`table` measures each one's time, counts its multiply-adds, and writes architectures.json,
architectures.md and architectures.svg. Needs `pip install -e .[benchmark]`.
"""

import argparse
import csv
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import yaml
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
RUNS = Path("runs/architectures")
SIDES = ("171", "128", "64", "32")
OUTPUT = 256
# dB below the best that the plot shows.
SHOWN = 1.0


def edsr(features, blocks):
    """A plain encoder."""
    return {"name": "edsr", "features": features, "blocks": blocks, "residual_scale": 1.0}


def arasfsr(width, layers, **arguments):
    """A compact ARASFSR, as the presets of before."""
    return {"name": "arasfsr", "hidden": [width] * layers, "noise": False, **arguments}


def linear(*hidden, **arguments):
    """A linear ARASFSR, without tokens unless they are asked for."""
    return {"name": "arasfsr-linear", "hidden": list(hidden), "frequency": False, **arguments}


COMPACT = {"frequency_features": 24, "frequency_blocks": 2}
SMALL = {"frequency_features": 8, "frequency_blocks": 1}
E48 = edsr(48, 8)

# Name: encoder, decoder.
ARCHITECTURES = {
    "arasfsr-compact": (E48, arasfsr(96, 4, **COMPACT)),
    "arasfsr-mobile": (edsr(32, 7), arasfsr(40, 3, **SMALL)),
    "liif-compact": (E48, {"name": "liif", "hidden": [96] * 4}),
    "lte": (E48, {"name": "lte", "waves": 48, "hidden": [96] * 3}),
    "lm-lte": (E48, {"name": "lm-lte"}),
    "thera": (E48, "thera"),
    "thera-ensemble": (
        E48,
        {"name": "thera", "local_ensemble": True, "skip": "bilinear", "max_frequency": 12.566},
    ),
    "linear": (E48, linear(96, 96, frequency=True, **COMPACT)),
    "linear-no-tokens": (E48, linear(96, 96)),
    "linear-no-coordinates": (E48, linear(96, 96, global_coordinates=False)),
    "linear-wide": (
        E48,
        linear(192, 192, functions=64, activation="gelu", global_coordinates=False),
    ),
    "linear-gelu": (E48, linear(96, 96, activation="gelu", global_coordinates=False)),
    "linear-no-ensemble": (E48, linear(96, 96, local_ensemble=False)),
    "linear-64": (edsr(64, 10), linear(96, 96)),
    "linear-span-48": ({"name": "span", "features": 48}, linear(96, 96)),
    "linear-span-32": ({"name": "span", "features": 32}, linear(64, 64)),
    "linear-32": (edsr(32, 6), linear(48, 48)),
    "linear-mobile": (edsr(32, 5), linear(32, 32)),
    "linear-ecb-32": ({"name": "ecb", "features": 32, "blocks": 10}, linear(48, 48)),
}

# Of the winner, what else a step is made of. Name: changes of the recipe.
SETTINGS = {
    "rate-7e-4": {"learning_rate": 7e-4},
    "rate-3e-3": {"learning_rate": 3e-3},
    "no-decay": {"optimizer": "muon"},
    "decay-0.3": {"optimizer": {"name": "muon", "weight_decay": 0.3}},
    "batch-2": {"batch": 2},
    "batch-8": {"batch": 8},
    "batch-16": {"batch": 16},
    "window-24": {"window": 24},
    "window-48": {"window": 48},
    "queries-784": {"num_points": 784},
    "queries-4096": {"num_points": 4096},
    "scattered": {"points": "scattered", "num_points": 784},
    "patch": {"points": "patch"},
    "adam-1e-3": {"optimizer": "adam", "learning_rate": 1e-3},
}
WINNER = "linear-no-coordinates"


def recipe(encoder, decoder, *, steps, **changes):
    """The recipe of a run, as plain data."""
    linear_decoder = (decoder if isinstance(decoder, str) else decoder["name"]) in (
        "thera",
        "arasfsr-linear",
    )
    settings = {
        "batch": 4,
        "window": 32,
        "num_points": 2304 if linear_decoder else 768,
        "points": "lattice" if linear_decoder else "scattered",
        "optimizer": {"name": "muon", "weight_decay": 0.1},
        "learning_rate": 1.5e-3,
        **changes,
    }
    return {
        "name": "architectures",
        "seed": 0,
        "model": {"encoder": encoder, "decoder": decoder},
        "data": {
            "train": "faces/train",
            "validation": "faces/val",
            "sampling": {
                "mode": "resize",
                "lr_size": [max(32, settings["window"]), 176],
                "hr_size": [96, 256],
                "augment": ["horizontal"],
                **{name: settings[name] for name in ("batch", "window", "num_points", "points")},
            },
        },
        "training": {
            "steps": steps,
            "steps_per_epoch": steps,
            "loss": "charbonnier",
            "optimizer": settings["optimizer"],
            "learning_rate": {
                "initial": settings["learning_rate"],
                "decay": "cosine",
                "warmup": 200,
            },
            "precision": "mixed_bfloat16",
            "checkpoint_minutes": 2,
        },
        "validation": {"images": 12, "lr_sizes": [int(side) for side in SIDES]},
    }


def seconds_a_step(plan, data):
    """Processor time of a training step, sampling included: the least of a few."""
    import_backend()
    import keras

    from tfsr.data.sampler import Sampler
    from tfsr.data.sampling_config import SamplingConfig
    from tfsr.losses import Charbonnier
    from tfsr.models import ImplicitSR
    from tfsr.training.muon import Muon

    sampling = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in plan["data"]["sampling"].items()
    }
    sampler = Sampler(data, SamplingConfig(**sampling))
    model = ImplicitSR(**plan["model"], dtype="mixed_bfloat16")
    adam = plan["training"]["optimizer"] == "adam"
    optimizer = keras.optimizers.Adam(1e-3) if adam else Muon(1e-3)
    model.compile(loss=Charbonnier(), optimizer=optimizer, jit_compile=False)
    times = []
    for step in range(14):
        start = time.process_time()
        model.train_on_batch(*sampler.batch(step))
        times.append(time.process_time() - start)
    # The first ones trace the graph, and decode the images.
    return statistics.median(times[4:])


def train(name, architecture, changes, arguments):
    """Give a run its processor time."""
    run = RUNS / name
    if (run / "done").exists():
        return
    run.mkdir(parents=True, exist_ok=True)
    path = run / "plan.yaml"
    if not path.exists():
        plan = recipe(*architecture, steps=1000, **changes)
        with Worker(Timer, plan, arguments.data) as worker:
            seconds = worker("seconds")
        steps = max(400, round(arguments.budget * 60 / seconds))
        print(f"{name}: {1000 * seconds:.0f} ms a step, {steps} steps", flush=True)
        plan = recipe(*architecture, steps=steps, **changes)
        plan["provenance"] = {"seconds_a_step": seconds}
        path.write_text(yaml.safe_dump(plan), encoding="utf-8")
    command = [sys.executable, "-m", "tfsr", "train", path, "-o", run / "run"]
    command += ["--data", arguments.data, "--validation", arguments.validation]
    with open(run / "log.txt", "a", encoding="utf-8") as log:
        subprocess.run(command, stdout=log, stderr=log, check=True)
    (run / "done").touch()
    print(f"{name}: {psnr(run)}", flush=True)


class Timer:
    """Measures in a process of its own, on one core."""

    def __init__(self, plan, data):
        self.plan, self.data = plan, data

    def seconds(self):
        """Of a step."""
        return seconds_a_step(self.plan, self.data)


def psnr(run):
    """Validation PSNR by LR side, and the mean, after the last step."""
    with open(run / "run" / "history.csv", encoding="utf-8") as file:
        last = list(csv.DictReader(file))[-1]
    values = {side: float(last[f"val_psnr_{side}"]) for side in SIDES}
    return {**values, "mean": statistics.mean(values.values())}


class Upscaling:
    """An architecture's time, on all cores."""

    def __init__(self, run):
        import_backend()
        from tfsr.presets import from_preset

        self.model = from_preset(run)

    def figures(self):
        """Multiply-adds an output pixel, and milliseconds, at x2 and x4."""
        from tfsr.models.folding import folded
        from tfsr.rendering import multiply_adds

        model = folded(self.model)
        found = {"parameters": model.count_params()}
        for side in (128, 64):
            cost = multiply_adds(model, (side, side), (OUTPUT, OUTPUT))
            image = np.random.default_rng(0).random((1, side, side, 3), np.float32)
            scale = OUTPUT // side
            found[f"madds_x{scale}"] = (cost.encoder + cost.as_run) / OUTPUT**2
            times = [
                seconds_of(lambda x=image: model.upscale(x, (OUTPUT, OUTPUT))) for _ in range(10)
            ]
            found[f"ms_x{scale}"] = 1000 * min(times)
        return found


def text_of(results):
    """The table, in Markdown."""
    header = ["architecture", "parameters", "steps", "x1.5", "x2", "x4", "x8", "mean, dB"]
    header += ["multiply-adds x2", "x4", "ms x2", "ms x4"]
    rows = [
        [
            point["name"],
            f"{point['parameters']:,}",
            f"{point['steps']:,}",
            *(f"{point['psnr'][side]:.2f}" for side in (*SIDES, "mean")),
            *(f"{point[f'madds_x{scale}']:,.0f}" for scale in (2, 4)),
            *(f"{point[f'ms_x{scale}']:.0f}" for scale in (2, 4)),
        ]
        for point in results["points"]
    ]
    settings = [
        [point["name"], f"{point['steps']:,}", f"{point['psnr']['mean']:.2f}"]
        for point in results["settings"]
    ]
    text = f"{described(results['machine'])}\n\n{table(header, rows)}"
    if len(settings) > 1:
        text += f"\n\n{table(['of ' + WINNER, 'steps', 'mean, dB'], settings)}"
    return text


def plot(results, path):
    """PSNR at x2 and x4 against multiply-adds; what is far below the best is left out."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "tfsr"
    from matplotlib import pyplot
    from matplotlib.ticker import NullFormatter

    markers = "osD^vP*X<>hdp"
    figure, panels = pyplot.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for panel, scale, side in zip(panels, (2, 4), ("128", "64"), strict=True):
        best = max(point["psnr"][side] for point in results["points"])
        for i, point in enumerate(results["points"]):
            value = point["psnr"][side]
            if value > best - SHOWN:
                cost = point[f"madds_x{scale}"] / 1000
                marker = markers[i % len(markers)]
                panel.semilogx(cost, value, marker, color=f"C{i % 10}", label=point["name"])
        panel.set(xlabel=f"thousand multiply-adds an output pixel, x{scale}", ylabel="PSNR, dB")
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.grid(alpha=0.3, which="both")
    panels[1].legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
    figure.savefig(path, metadata={"Date": None})


def point_of(name):
    """What is known of a run without measuring it."""
    plan = yaml.safe_load((RUNS / name / "plan.yaml").read_text(encoding="utf-8"))
    return {
        "name": name,
        "steps": plan["training"]["steps"],
        "seconds_a_step": plan["provenance"]["seconds_a_step"],
        "model": plan["model"],
        "psnr": psnr(RUNS / name),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("train", "table"))
    parser.add_argument("names", nargs="*", help="runs (default: all)")
    parser.add_argument("--data", help="faces to train on")
    parser.add_argument("--validation", help="faces to measure on")
    parser.add_argument("--budget", type=float, default=3, help="minutes of a core (default: 3)")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    settings = {f"{WINNER}-{name}": changes for name, changes in SETTINGS.items()}
    if arguments.what == "train":
        for name in arguments.names or (*ARCHITECTURES, *settings):
            base = WINNER if name in settings else name
            train(name, ARCHITECTURES[base], settings.get(name, {}), arguments)
        return
    points, others = [], OtherPrograms()
    for name in ARCHITECTURES:
        if (RUNS / name / "done").exists():
            with Worker(Upscaling, RUNS / name / "run") as worker:
                points.append({**point_of(name), **worker("figures")})
    chosen = [point_of(name) for name in (WINNER, *settings) if (RUNS / name / "done").exists()]
    results = {
        "machine": description(),
        "minutes": arguments.budget,
        "points": points,
        "settings": chosen,
    }
    results["machine"]["others"] = others.share()
    write(arguments.out, "architectures", results, text_of(results))
    plot(results, arguments.out / "architectures.svg")


if __name__ == "__main__":
    main()
