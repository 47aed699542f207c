"""Make the figures of degradations.md, one per pipeline, and print its table of ranges.

python docs/degradations_figures.py
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from tfsr.degradations import PIPELINES, get_pipeline
from tfsr.degradations.composition import OneOf, Stage, Steps
from tfsr.degradations.step import Step
from tfsr.images import read, resize

IMAGES = Path(__file__).parent / "images"
LR, SAMPLES, SHOWN = 64, 5, 184
GAP, CAPTION = 6, 16
# Sigmas are in pixels of the original, and these were made for faces of 512x512.
SIDES = {"gfpgan": 512, "codeformer": 512, "codeformer-large": 512}
FIRST_SEEDS = {"photos": 5}


def figure(name: str) -> Image.Image:
    """Show LR images of several seeds beside the original, enlarged to its size."""
    pipeline = get_pipeline(name)
    original = read(IMAGES / "astronaut.png")
    panels = [("original", original)]
    if name in SIDES:
        original = resize(original, (SIDES[name], SIDES[name]))
    first = FIRST_SEEDS.get(name, 0)
    for seed in range(first, first + (1 if pipeline.deterministic else SAMPLES)):
        rng = np.random.default_rng(seed)
        prepared = pipeline.prepare(original, rng)
        panels.append((f"seed {seed}", pipeline.degrade(prepared, (LR, LR), rng)))
    width = len(panels) * (SHOWN + GAP) - GAP
    canvas = Image.new("RGB", (width, SHOWN + CAPTION), "white")
    draw = ImageDraw.Draw(canvas)
    for i, (caption, panel) in enumerate(panels):
        left = i * (SHOWN + GAP)
        method = "bicubic" if i == 0 else "nearest"
        canvas.paste(Image.fromarray(resize(panel, (SHOWN, SHOWN), method)), (left, CAPTION))
        draw.text((left + 2, 2), caption, fill="black")
    return canvas


def rows() -> list[str]:
    """Return the lines of the table of ranges."""
    lines = ["| pipeline | what it is | steps |", "|---|---|---|"]
    for name in PIPELINES:
        pipeline = get_pipeline(name)
        words = _steps(pipeline.steps)
        if pipeline.clean:
            words = f"{_percent(pipeline.clean)} `clean`, else {words}"
        if pipeline.before:
            words = f"both images from: {_steps(pipeline.before)}; then {words}"
        lines.append(f"| `{name}` | {pipeline.title} | {words} |")
    return lines


def _steps(steps: Steps) -> str:
    return ", ".join(_step(step) for step in steps)


def _step(step: Step) -> str:
    if isinstance(step, OneOf):
        return " or ".join(f"{_percent(b.probability)} [{_steps(b.steps)}]" for b in step.branches)
    data = {k: v for k, v in vars(step).items() if v != step.__dataclass_fields__[k].default}
    data.pop("probability", None)
    chance = "" if step.probability == 1 else f"{_percent(step.probability)} "
    if isinstance(step, Stage):
        words = _steps(data.pop("steps"))
        return (
            f"{chance}in any order: [{words}]" if step.name == "shuffle" else f"{chance}[{words}]"
        )
    if step.main != "probability":
        data = {step.main: getattr(step, step.main), **data}
    if data.get("divisor") or data.get("variance"):
        data.pop(step.main)
    words = ", ".join(
        _value(value) if key == step.main else f"{key} {_value(value)}"
        for key, value in data.items()
    )
    return f"{chance}{step.name} {words}".rstrip()


def _value(value) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{name} {chance:g}" for name, chance in value.items()) + ")"
    if isinstance(value, tuple) and len(value) == 2 and not isinstance(value[0], str):
        low, high = value
        return f"{low:.3g}" if low == high else f"{low:.3g}-{high:.5g}"
    if isinstance(value, tuple):
        return "/".join(value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _percent(chance: float) -> str:
    return f"{100 * chance:.3g} %"


def main() -> None:
    """Write the figures and print the table."""
    for name in PIPELINES:
        figure(name).save(IMAGES / f"degradation-{name}.webp", quality=90, method=6)
    print("\n".join(rows()))


if __name__ == "__main__":
    main()
