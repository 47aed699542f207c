"""References of the demo's tests: what tfsr computes in Python. Raw RGBA bytes out."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image


def restored(path: str, width: str, height: str, preset: str = "", strength: str = "") -> bytes:
    """An image file's output of this size, as `tfsr upscale --faces auto` computes it."""
    import tfsr
    from tfsr.presets import DEFAULT

    amount = float(strength) if strength else None
    upscaler = tfsr.load_upscaler(preset or DEFAULT, strength=amount, faces="auto")
    return _rgba(upscaler(tfsr.images.read(path), (int(height), int(width))))


def bicubic(path: str, width: str, height: str) -> bytes:
    """An image file resized by bicubic, in floats."""
    import tfsr

    upscaler = tfsr.inference.ModelUpscaler(tfsr.models.Bicubic())
    return _rgba(upscaler(tfsr.images.read(path), (int(height), int(width))))


def pixels(path: str) -> bytes:
    """An image file's pixels."""
    with Image.open(path) as image:
        return image.convert("RGBA").tobytes()


def twins(directory: str) -> bytes:
    """Make two tiny presets: `robust`, whose clean twin is `clean`."""
    sys.path.insert(0, str(Path(__file__).parents[3] / "tests"))
    import tiny

    tiny.twins(Path(directory))
    return b""


def _rgba(pixels: np.ndarray) -> bytes:
    return Image.fromarray(pixels).convert("RGBA").tobytes()


if __name__ == "__main__":
    command = {f.__name__: f for f in (restored, bicubic, pixels, twins)}[sys.argv[1]]
    sys.stdout.buffer.write(command(*sys.argv[2:]))
