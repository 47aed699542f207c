"""References of the page tests: Pillow, LiteRT and tfsr in Python. Raw bytes in and out."""

import io
import sys

import numpy as np
from face_references import faces, pasted, regions, restored, run_model, upright
from photographs import made, png
from PIL import Image


def run(model: str) -> bytes:
    """The model's output to the float32 image on standard input."""
    return run_model(model, np.frombuffer(sys.stdin.buffer.read(), np.float32)).tobytes()


def resize(width: str, height: str, new_width: str, new_height: str) -> bytes:
    """The RGBA image on standard input, resized by bicubic."""
    size = int(width), int(height)
    image = Image.frombytes("RGBA", size, sys.stdin.buffer.read()).convert("RGB")
    resized = image.resize((int(new_width), int(new_height)), Image.Resampling.BICUBIC)
    return resized.convert("RGBA").tobytes()


def crop(path: str, x: str, y: str, side: str, size: str) -> bytes:
    """A square of an image file, resized by bicubic: RGBA."""
    left, top, length = int(x), int(y), int(side)
    with Image.open(path) as image:
        square = image.convert("RGB").crop((left, top, left + length, top + length))
    resized = square.resize((int(size), int(size)), Image.Resampling.BICUBIC)
    return resized.convert("RGBA").tobytes()


def tile(method: str, path: str, *numbers: str) -> bytes:
    """A tile of an image file's output by the shipped preset ("tfsr") or bicubic: RGBA.

    The numbers are the output's width and height, then the tile's left, top, columns and rows.
    """
    from tfsr import from_preset
    from tfsr.images import read, to_float, to_uint8
    from tfsr.models import Bicubic
    from tfsr.presets import DEFAULT

    width, height, left, top, columns, rows = map(int, numbers)
    image = to_float(read(path))[None]
    if method == "tfsr":
        model = from_preset(DEFAULT)
        plan = model.plan(image.shape[1:3], (height, width), window=(top, left, rows, columns))
        colours = np.asarray(model.render(model.encode(image), plan))
    else:
        colours = Bicubic().upscale(image, (height, width))[
            :, top : top + rows, left : left + columns
        ]
    return Image.fromarray(to_uint8(colours[0])).convert("RGBA").tobytes()


def pixels(path: str) -> bytes:
    """An image file's RGBA bytes."""
    with Image.open(path) as image:
        return image.convert("RGBA").tobytes()


def turned() -> bytes:
    """A JPEG that lies on its side, and whose EXIF data say so: upright 48x64, its top red."""
    upright = Image.new("RGB", (48, 64), (0, 0, 255))
    upright.paste((255, 0, 0), (0, 0, 48, 32))
    exif = Image.Exif()
    exif[274] = 6  # orientation: turn by 90 degrees clockwise to see it upright
    file = io.BytesIO()
    upright.transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", quality=95, exif=exif)
    return file.getvalue()


COMMANDS = (
    run,
    resize,
    crop,
    tile,
    regions,
    faces,
    upright,
    pasted,
    restored,
    made,
    png,
    pixels,
    turned,
)

if __name__ == "__main__":
    command = {f.__name__: f for f in COMMANDS}[sys.argv[1]]
    sys.stdout.buffer.write(command(*sys.argv[2:]))
