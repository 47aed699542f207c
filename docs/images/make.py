"""Draws the README's image: a small face, bicubic, ours, the original.

python docs/images/make.py
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from tfsr.cli.startup import import_keras

import_keras()

from tfsr.images import read, resize, write  # noqa: E402
from tfsr.inference import ModelUpscaler  # noqa: E402
from tfsr.metrics import psnr  # noqa: E402
from tfsr.presets import DEFAULT, from_preset  # noqa: E402

HERE = Path(__file__).parent
GAP, CAPTION = 8, 18


def main() -> None:
    """Write strip.png beside this file."""
    original, small = read(HERE / "astronaut.png"), read(HERE / "astronaut-46.png")
    size = original.shape[0], original.shape[1]
    bicubic = resize(small, size, "bicubic")
    ours = ModelUpscaler(from_preset(DEFAULT))(small, size)
    panels = {
        f"{small.shape[1]}x{small.shape[0]}": resize(small, size, "nearest"),
        f"bicubic, {psnr(bicubic, original):.1f} dB": bicubic,
        f"tfsr x4, {psnr(ours, original):.1f} dB": ours,
        "original": original,
    }
    width = len(panels) * (size[1] + GAP) - GAP
    sheet = Image.new("RGB", (width, size[0] + CAPTION), "white")
    draw = ImageDraw.Draw(sheet)
    for i, (caption, panel) in enumerate(panels.items()):
        left = i * (size[1] + GAP)
        sheet.paste(Image.fromarray(panel), (left, CAPTION))
        draw.text((left + 2, 3), caption, fill="black")
    write(HERE / "strip.png", np.array(sheet))


if __name__ == "__main__":
    main()
