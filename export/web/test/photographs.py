"""Photographs for the page tests."""

import io
from pathlib import Path

from PIL import Image

PHOTOGRAPH = Path(__file__).with_name("photograph.jpg")


def made(kind: str) -> bytes:
    """A PNG that a test needs: "sky", "huge", or "close", a face larger than the model's output."""
    ramp = Image.linear_gradient("L")
    if kind == "close":
        with Image.open(PHOTOGRAPH) as image:
            picture = image.crop((320, 40, 460, 180)).resize((840, 840), Image.Resampling.BICUBIC)
    else:
        size = (400, 300) if kind == "sky" else (6000, 4000)
        picture = Image.merge("RGB", (ramp, ramp, ramp.rotate(90))).resize(size)
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def png(path: str) -> bytes:
    """An image file as PNG, which all decoders read alike."""
    file = io.BytesIO()
    with Image.open(path) as image:
        image.save(file, "PNG")
    return file.getvalue()
