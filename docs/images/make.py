"""Draw the pictures of small photographs, enlarged by the bicubic filter and by tfsr.

    python docs/images/make.py

group.png is the README's; typical.png and small-faces.png are those of docs/results.md. They are
cut from photographs of the U.S. General Services Administration (digitalcorps.gsa.gov, where
group.png was reduced, and 18f.gsa.gov; US government works, public domain).
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tfsr.cli.startup import import_keras

import_keras()

from tfsr import load_upscaler  # noqa: E402
from tfsr.images import read, resize  # noqa: E402

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"
GAP, CAPTION, FACE = 8, 24, 154


def main() -> None:
    """Write photograph.webp beside this file, and the cases of the results."""
    draw(HERE / "group.png", 4, HERE / "photograph.webp", faces=True)
    draw(RESULTS / "typical.png", 2, RESULTS / "typical.webp")
    draw(RESULTS / "small-faces.png", 2, RESULTS / "small-faces.webp")


def draw(source: Path, scale: int, target: Path, faces: bool = False) -> None:
    """Draw both outputs side by side; with `faces` at half their size, above the faces at full."""
    small = read(source)
    size = scale * small.shape[0], scale * small.shape[1]
    upscaler = load_upscaler(faces="auto")
    captions = f"bicubic x{scale}", f"tfsr upscale {source.name} --scale {scale}"
    outputs = load_upscaler("bicubic")(small, size), upscaler(small, size)
    shown = (size[0] // 2, size[1] // 2) if faces else size
    height = CAPTION + shown[0] + (GAP + FACE if faces else 0)
    sheet = Image.new("RGB", (2 * shown[1] + GAP, height), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=15)
    boxes = sorted(face["box"] for face in upscaler.details["faces"]) if faces else []
    for i, (caption, output) in enumerate(zip(captions, outputs, strict=True)):
        left = i * (shown[1] + GAP)
        pen.text((left + 2, 2), caption, fill="black", font=font)
        sheet.paste(Image.fromarray(resize(output, shown)), (left, CAPTION))
        for j, box in enumerate(boxes):
            at = left + j * (shown[1] - FACE) // (len(boxes) - 1), CAPTION + shown[0] + GAP
            sheet.paste(Image.fromarray(_cut(output, [scale * value for value in box])), at)
    sheet.save(target, quality=90, method=6)


def _cut(output: np.ndarray, box: list[int]) -> np.ndarray:
    """The square around a face."""
    x, y, width, height = box
    top, left = y + height // 2 - FACE // 2, x + width // 2 - FACE // 2
    return output[top : top + FACE, left : left + FACE]


if __name__ == "__main__":
    main()
