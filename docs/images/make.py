"""Draw the README's picture: a small photograph, enlarged by the bicubic filter and by tfsr.

    python docs/images/make.py

group.png is cut from a photograph of the U.S. General Services Administration, and reduced
(digitalcorps.gsa.gov; a US government work, public domain).
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tfsr.cli.startup import import_keras

import_keras()

from tfsr import load_upscaler  # noqa: E402
from tfsr.images import read, resize  # noqa: E402

HERE = Path(__file__).parent
SCALE, GAP, CAPTION, FACE = 4, 8, 24, 154


def main() -> None:
    """Write photograph.webp beside this file."""
    small = read(HERE / "group.png")
    height, width = small.shape[:2]
    size = SCALE * height, SCALE * width
    upscaler = load_upscaler(faces="auto")
    captions = f"bicubic x{SCALE}", f"tfsr upscale group.png --scale {SCALE}"
    outputs = load_upscaler("bicubic")(small, size), upscaler(small, size)
    half = size[0] // 2, size[1] // 2
    sheet = Image.new("RGB", (2 * half[1] + GAP, CAPTION + half[0] + GAP + FACE), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=15)
    boxes = sorted(face["box"] for face in upscaler.details["faces"])
    for i, (caption, output) in enumerate(zip(captions, outputs, strict=True)):
        left = i * (half[1] + GAP)
        draw.text((left + 2, 2), caption, fill="black", font=font)
        sheet.paste(Image.fromarray(resize(output, half)), (left, CAPTION))
        for j, box in enumerate(boxes):
            at = left + j * (half[1] - FACE) // (len(boxes) - 1), CAPTION + half[0] + GAP
            sheet.paste(Image.fromarray(_cut(output, box)), at)
    sheet.save(HERE / "photograph.webp", quality=90, method=6)


def _cut(output: np.ndarray, box: list[int]) -> np.ndarray:
    """The square around a face."""
    x, y, width, height = (SCALE * value for value in box)
    top, left = y + height // 2 - FACE // 2, x + width // 2 - FACE // 2
    return output[top : top + FACE, left : left + FACE]


if __name__ == "__main__":
    main()
