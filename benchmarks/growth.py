"""How seconds and memory grow with the size of the output.

    python benchmarks/growth.py
    python benchmarks/growth.py --largest 1 --model edsr-baseline+liif --out trial

Upscales squares by 4 as `tfsr upscale` does, each in a process of its own, under two budgets of
memory. Needs Linux and `pip install -e .[benchmark]`. Writes growth.json, growth.md and growth.svg,
and the table into docs/performance.md. Up to 16 megapixels it takes five minutes on two cores.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from machine import (
    RESULTS,
    OtherPrograms,
    Worker,
    described,
    description,
    import_backend,
    mebibytes,
    memory_of,
    seconds_of,
    table,
    three_digits,
    write,
)

BUDGETS = {"2 GiB": 2**31, "512 MiB": 2**29}
MEGAPIXELS = (0.1, 0.25, 1, 4, 16, 64)
SCALE = 4
# Smaller than any that is measured; two, so that compiled functions have seen the size vary.
WARM_UP = ((6, 8), (8, 10))


class Upscaling:
    """An upscaler that has rendered two small images already.

    Args:
        model: as on the command line; None: the shipped preset.
        memory: the upscaler's budget in bytes.
    """

    def __init__(self, model, memory):
        import_backend()
        from tfsr.inference import ModelUpscaler

        self.upscaler = ModelUpscaler(_model(model), memory)
        for lr_size in WARM_UP:
            self._upscale(_noise(lr_size))

    def measure(self, side):
        """Seconds of a square image, and the bytes it takes beside itself and the output."""
        image = _noise((side, side))
        seconds = []
        before, growth = memory_of(lambda: seconds.append(seconds_of(lambda: self._upscale(image))))
        output = image.nbytes * SCALE**2
        return {
            "seconds": seconds[0],
            "bytes": growth - output,
            "program_bytes": before - image.nbytes,
        }

    def _upscale(self, image):
        height, width = (SCALE * n for n in image.shape[:2])
        return self.upscaler(image, (height, width))


def _noise(size):
    return np.random.default_rng(0).integers(256, size=(*size, 3), dtype=np.uint8)


def _model(name):
    import keras

    from tfsr.models import ImplicitSR
    from tfsr.presets import DEFAULT, from_preset

    if name is None or "+" not in name:
        return from_preset(name or DEFAULT)
    keras.utils.set_random_seed(0)
    return ImplicitSR(*name.split("+"))


def text_of(results):
    """The table, in Markdown."""
    header = ["output, Mpx", "from", "to"]
    for budget in BUDGETS:
        header += [f"{budget}: s", "MiB"]
    rows = []
    for point in results["points"]:
        sides = point["side"], SCALE * point["side"]
        row = [f"{point['megapixels']:g}", *(f"{side}x{side}" for side in sides)]
        for budget in BUDGETS:
            row += [three_digits(point[budget]["seconds"]), mebibytes(point[budget]["bytes"])]
        rows.append(row)
    program = max(
        point[budget]["program_bytes"] for point in results["points"] for budget in BUDGETS
    )
    return (
        f"{described(results['machine'])} The program itself, which the table leaves out, takes "
        f"{mebibytes(program)} MiB.\n\n{table(header, rows)}"
    )


def plot(results, path):
    """Seconds and MiB against megapixels, both logarithmic."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "tfsr"
    from matplotlib import pyplot, ticker

    points = results["points"]
    megapixels = [point["megapixels"] for point in points]
    figure, panels = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for i, (budget, limit) in enumerate(BUDGETS.items()):
        seconds = [point[budget]["seconds"] for point in points]
        panels[0].plot(megapixels, seconds, "o-", color=f"C{i}", label=f"memory {budget}")
        memory = [point[budget]["bytes"] / 2**20 for point in points]
        panels[1].plot(megapixels, memory, "o-", color=f"C{i}")
        panels[1].axhline(limit / 2**20, color=f"C{i}", linestyle=":")
    panels[0].set(ylabel="seconds", yscale="log")
    panels[1].set(ylabel="MiB (dotted: the budget)")
    panels[1].set_yscale("log", base=2)
    for panel in panels:
        panel.set(xscale="log", xlabel="output, megapixels")
        panel.set_xticks(megapixels, [f"{value:g}" for value in megapixels])
        panel.xaxis.set_minor_locator(ticker.NullLocator())
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_formatter(ticker.NullFormatter())
        panel.grid(alpha=0.3)
    panels[0].legend()
    figure.savefig(path, metadata={"Date": None})


def parsed():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--largest", type=float, default=16, help="megapixels of the output")
    parser.add_argument(
        "--model", help="a preset, or ENCODER+DECODER with random weights; the shipped preset"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


def main() -> None:
    arguments, others = parsed(), OtherPrograms()
    results = {"machine": description(), "model": arguments.model, "points": []}
    for megapixels in MEGAPIXELS:
        if megapixels > arguments.largest:
            break
        side = round((megapixels * 1e6) ** 0.5 / SCALE)
        point = {"megapixels": megapixels, "side": side}
        for budget, memory in BUDGETS.items():
            with Worker(Upscaling, arguments.model, memory) as worker:
                point[budget] = worker("measure", side)
            print(f"{megapixels} Mpx, {budget}: {point[budget]}", file=sys.stderr)
        results["points"].append(point)
    results["machine"]["others"] = others.share()
    write(arguments.out, "growth", results, text_of(results))
    plot(results, arguments.out / "growth.svg")


if __name__ == "__main__":
    main()
