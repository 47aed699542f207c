"""Runs exported files by LiteRT, on the machine that it finds itself on. tfsr is not needed.

python draw.py PICTURES.npy FOLDER OUT.npz renders each image by each .tflite file of the folder, at
each of its sizes. What OUT holds is named FILE/SIZE.
"""

import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def main(images: str, folder: str, out: str) -> None:
    """Draw everything."""
    batches = np.load(images)[:, None]
    rendered = {}
    for file in sorted(Path(folder).glob("*.tflite")):
        interpreter = Interpreter(str(file), num_threads=1)
        for size in interpreter.get_signature_list():
            run = interpreter.get_signature_runner(size)
            outputs = [run(image=batch)["output"].copy() for batch in batches]
            rendered[f"{file.stem}/{size}"] = np.concatenate(outputs)
    np.savez(out, **rendered)


if __name__ == "__main__":
    main(*sys.argv[1:])
