"""What a mean hides: worst faces, faces by skin lightness, flat colours; and what presets cost.

    python benchmarks/preset_checks.py --faces faces256/test

Prints Markdown tables and draws docs/results/cost.svg. Needs `pip install -e .[benchmark]`. Skin
lightness is the mean CIE L* of two patches on the cheeks of an aligned face; the tertiles are those
of the faces given.
"""

import argparse
import itertools
import statistics
import time
from pathlib import Path

import numpy as np

PLOT = Path(__file__).parents[1] / "docs" / "results" / "cost.svg"
PRESETS = ("faces", "faces-clean", "faces-mobile")
GENERAL = ("photos", "photos-clean")
EARLIER = ("arasfsr-compact-faces-v1", "arasfsr-mobile-faces-v1")
# (top, left, bottom, right) on the cheeks of a face of 256x256 pixels.
CHEEKS = ((150, 82, 172, 104), (150, 152, 172, 174))


def main():
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=Path, required=True, help="aligned faces, 256x256")
    arguments = parser.parse_args()

    from tfsr.images import list_images

    paths = list_images(arguments.faces)
    print_gains(paths)
    print_flats()
    milliseconds = print_times()
    plot(milliseconds, {name: mean_psnr(name, paths) for name in milliseconds}, PLOT)


def print_gains(paths):
    """Gains over bicubic: of the worst face, and by tertile of skin lightness."""
    from tfsr import load_upscaler
    from tfsr.evaluation import DegradationSpec, restoration_psnr
    from tfsr.images import read, resize

    lightness = np.array([skin_lightness(read(path)) for path in paths])
    tertile = np.argsort(np.argsort(lightness)) * 3 // len(paths)
    ranges = [
        f"L* {lightness[tertile == t].min():.0f} to {lightness[tertile == t].max():.0f}"
        for t in range(3)
    ]
    print("| preset | from | degradation | mean gain, dB | worst face |", end="")
    print(f" {' | '.join(ranges)} | spread |\n{'| --- ' * 9}|")
    for name, side, degradation in itertools.product(
        PRESETS, (128, 64, 32), ("clean", "real-medium")
    ):
        if name != "faces" and degradation != "clean":
            continue
        spec = DegradationSpec(side, None, degradation)
        ours, bicubic = (
            np.array(restoration_psnr(upscale, paths, spec))
            for upscale in (load_upscaler(name), resize)
        )
        gain = ours - bicubic
        parts = [gain[tertile == t].mean() for t in range(3)]
        figures = (gain.mean(), gain.min(), *parts)
        print(f"| {name} | {side} | {degradation} |", end="")
        print(
            "".join(f" {value:+.2f} |" for value in figures), f"{np.ptp(parts):.2f} |", flush=True
        )


def skin_lightness(face):
    """The mean L* of the cheeks, in [0, 100]."""
    pixels = [face[top:bottom, left:right].reshape(-1, 3) for top, left, bottom, right in CHEEKS]
    values = np.concatenate(pixels) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    root = np.where(luminance > 216 / 24389, np.cbrt(luminance), luminance * 841 / 108 + 4 / 29)
    return float((116 * root - 16).mean())


def print_flats():
    """How far flat images of 729 colours move, in levels of 255."""
    from tfsr import from_preset

    levels = (0, 32, 64, 96, 128, 160, 192, 224, 255)
    colours = np.array(list(itertools.product(levels, repeat=3)), np.float32) / 255
    print(
        "\n| preset | their mean, at most | a pixel: median | 99 % | at most |\n| --- "
        + "| --- " * 4
        + "|"
    )
    for name in (*PRESETS, *GENERAL):
        model, means, pixels = from_preset(name), [], []
        for part in np.array_split(colours, 12):
            flat = np.broadcast_to(part[:, None, None], (len(part), 24, 24, 3)).copy()
            moved = 255 * (np.clip(model.upscale(flat, size=(63, 63)), 0, 1) - part[:, None, None])
            means.append(np.abs(moved.mean(axis=(1, 2))).max(axis=-1))
            pixels.append(np.abs(moved).max(axis=(1, 2, 3)))
        means, pixels = np.concatenate(means), np.concatenate(pixels)
        figures = (means.max(), np.median(pixels), np.quantile(pixels, 0.99), pixels.max())
        print(f"| {name} |" + "".join(f" {value:.2f} |" for value in figures), flush=True)


def print_times():
    """Print and return milliseconds from 64x64 to 256x256, measured in turns."""
    from tfsr import load_upscaler

    names = ("bicubic", *PRESETS, *GENERAL, *EARLIER)
    upscalers = {name: load_upscaler(name) for name in names}
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    seconds = {name: [] for name in names}
    for turn in range(12):
        for name, upscale in upscalers.items():
            began = time.perf_counter()
            upscale(image, (256, 256))
            if turn > 1:
                seconds[name].append(time.perf_counter() - began)
    medians = {name: 1000 * statistics.median(values) for name, values in seconds.items()}
    print(f"\n| preset | ms, 64x64 to 256x256 | times {EARLIER[0]} |\n| --- | --- | --- |")
    for name, median in medians.items():
        print(f"| {name} | {median:.1f} | {median / medians[EARLIER[0]]:.3f} |")
    return medians


def mean_psnr(name, paths):
    """The mean PSNR of faces reduced to 64x64 and restored to 256x256."""
    from tfsr import load_upscaler
    from tfsr.evaluation import DegradationSpec, restoration_psnr

    return np.mean(restoration_psnr(load_upscaler(name), paths, DegradationSpec(64, None, "clean")))


def plot(milliseconds, psnr, path):
    """Draw PSNR against time."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "tfsr"
    from matplotlib import pyplot

    figure, panel = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for name, x in milliseconds.items():
        panel.semilogx(x, psnr[name], "o")
        panel.annotate(name, (x, psnr[name]), (6, -3), textcoords="offset points", fontsize=8)
    panel.set(xlabel="ms, 64x64 to 256x256", ylabel="PSNR of test faces, dB")
    panel.margins(x=0.3)
    panel.grid(alpha=0.3, which="both")
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
