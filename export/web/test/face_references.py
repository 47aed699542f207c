"""What tfsr.faces makes of the page's photographs. Raw bytes in and out."""

import json
import sys

import numpy as np
from PIL import Image


def regions() -> bytes:
    """The regions of the landmarks and of the eyes on standard input, each as six numbers."""
    from tfsr.faces import face_region_from_eyes
    from tfsr.faces.region import face_region_from_landmarks

    landmarks = json.load(sys.stdin)
    found = [
        face_region_from_landmarks(landmarks),
        face_region_from_eyes((4000, 4000), landmarks[:2]),
    ]
    return json.dumps([[*r.centre, *r.down, *r.across] for r in found]).encode()


def faces(path: str, min_face: str) -> bytes:
    """The regions of the faces that tfsr.faces finds, each as six numbers."""
    from tfsr.faces import find
    from tfsr.images import read

    found = [face.region for face in find(read(path), min_face=int(min_face))]
    return json.dumps([[*r.centre, *r.down, *r.across] for r in found]).encode()


def upright(path: str, size: str, *numbers: str) -> bytes:
    """Faces of an image file, upright and of one size: RGBA.

    The numbers are six for each region.
    """
    from tfsr.faces import crop_face

    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    faces = [crop_face(pixels, region, (int(size), int(size))) for region in _regions(numbers)]
    return b"".join(Image.fromarray(face).convert("RGBA").tobytes() for face in faces)


def pasted(width: str, height: str, side: str, *numbers: str) -> bytes:
    """The square image on standard input, pasted as a face into grey ones: RGBA.

    The numbers are six for each region: one output each.
    """
    from tfsr.faces import paste_face

    face = Image.frombytes("RGBA", (int(side), int(side)), sys.stdin.buffer.read()).convert("RGB")
    outputs = []
    for region in _regions(numbers):
        target = np.full((int(height), int(width), 3), 128, np.uint8)
        paste_face(target, _reduced(face, region.size), region, oval=region)
        outputs.append(Image.fromarray(target).convert("RGBA").tobytes())
    return b"".join(outputs)


def restored(path: str, preset: str, width: str, height: str) -> bytes:
    """An image file, enlarged by bicubic, and the faces on standard input restored in it: RGBA."""
    from tfsr import load_upscaler
    from tfsr.faces import paste_face, surrounding_box

    with Image.open(path) as file:
        image = file.convert("RGB")
    size = int(width), int(height)
    output = np.array(image.resize(size, Image.Resampling.BICUBIC))
    pixels = np.asarray(image)
    upscaler = load_upscaler(preset)
    for region in _regions(np.ravel(json.load(sys.stdin))):
        lr_size, hr_size = image.size[::-1], size[::-1]
        rows, columns, target = surrounding_box(region, lr_size, hr_size)
        part = pixels[slice(*rows), slice(*columns)]
        face = upscaler(part, (4 * part.shape[0], 4 * part.shape[1]))
        face = _reduced(Image.fromarray(face), target.size)
        paste_face(output, face, target, oval=region.resized(lr_size, hr_size))
    return Image.fromarray(output).convert("RGBA").tobytes()


def _regions(numbers):
    from tfsr.faces import FaceRegion

    values = np.array(numbers, float).reshape(-1, 3, 2).tolist()
    return [FaceRegion(*map(tuple, points)) for points in values]


def _reduced(image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """An image, reduced to (H, W) if it is larger."""
    if size[0] < image.height or size[1] < image.width:
        image = image.resize(size[::-1], Image.Resampling.BICUBIC)
    return np.asarray(image)


def run_model(model: str, image: np.ndarray) -> np.ndarray:
    """The output of a .tflite file."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model)
    interpreter.allocate_tensors()
    (source,) = interpreter.get_input_details()
    (output,) = interpreter.get_output_details()
    interpreter.set_tensor(source["index"], image.reshape(source["shape"]))
    interpreter.invoke()
    return interpreter.get_tensor(output["index"])
