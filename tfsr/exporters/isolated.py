"""A program: runs a SavedModel in a process where neither tfsr nor Keras can be imported.

    python -I fresh.py DIRECTORY REQUESTS ANSWERS

REQUESTS is an .npz file of arrays named NUMBER/SIGNATURE/INPUT; ANSWERS becomes one of arrays
named NUMBER/OUTPUT. Files travel as arrays of bytes: INPUT and OUTPUT then end in _bytes.
"""

import sys
from collections import defaultdict
from typing import Any

import numpy as np


def main(directory: str, requests: str, results: str) -> None:
    """Run each request, and write what was answered."""
    sys.modules.update(dict.fromkeys(("tfsr", "keras")))  # type: ignore[arg-type]
    import tensorflow as tf

    inputs: dict[tuple[str, str], dict] = defaultdict(dict)
    with np.load(requests) as file:
        for key, value in file.items():
            number, signature, name = key.split("/")
            is_file = name.endswith("_bytes")
            inputs[number, signature][name] = tf.constant(value.tobytes() if is_file else value)

    loaded = tf.saved_model.load(directory)
    outputs: dict[str, Any] = {}
    for (number, signature), arguments in inputs.items():
        for name, tensor in loaded.signatures[signature](**arguments).items():
            value = tensor.numpy()
            is_file = name.endswith("_bytes")
            outputs[f"{number}/{name}"] = np.frombuffer(value, np.uint8) if is_file else value
    np.savez(results, **outputs)


if __name__ == "__main__":
    main(*sys.argv[1:])
