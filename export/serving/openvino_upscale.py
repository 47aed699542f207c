"""Upscales an image by OpenVINO, from an exported SavedModel. TensorFlow is not needed.

    pip install openvino pillow
    python openvino_upscale.py DIRECTORY/1 face.jpg -o large.png --size 512x512

OpenVINO leaves the checks of the graph out, so sizes are checked here.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import openvino
from PIL import Image, ImageOps


def main() -> None:
    """Upscale one file."""
    parser = argparse.ArgumentParser(description="Upscale an image by OpenVINO")
    parser.add_argument("directory", type=Path, help="one version's, such as served/1")
    parser.add_argument("image", type=Path, metavar="IN")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT")
    parser.add_argument("--size", required=True, metavar="WxH")
    arguments = parser.parse_args()
    width, height = (int(side) for side in arguments.size.split("x"))
    with Image.open(arguments.image) as pixels:
        image = np.array(ImageOps.exif_transpose(pixels).convert("RGB"))
    upscale = load(arguments.directory)
    Image.fromarray(upscale(image, (height, width))).save(arguments.output)


def load(directory: Path):
    """Return a function of (h, w, 3) uint8 and (H, W) to (H, W, 3) uint8: `serving_default`."""
    model = openvino.convert_model(directory)
    # Left to itself, OpenVINO computes in bfloat16 where the processor can.
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    run = openvino.Core().compile_model(model, "CPU", options)

    def upscale(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        if min(size) < 1 or max(size) > 2**24:
            raise ValueError(f"size must be (height, width), each from 1 to {2**24}; got {size}")
        if any(side < lr for side, lr in zip(size, image.shape[:2], strict=True)):
            raise ValueError(f"size must not be smaller than the image's; got {size}")
        return run({"image": image[None], "size": np.array(size, np.int32)})["output"][0]

    return upscale


if __name__ == "__main__":
    main()
