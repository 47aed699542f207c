"""A program that runs a SavedModel where neither tfsr nor Keras can be imported.

    python -I isolated.py DIRECTORY INPUTS OUTPUTS

INPUTS is an .npz file of arrays named NUMBER/SIGNATURE/INPUT; OUTPUTS becomes one of arrays named
NUMBER/OUTPUT. Files travel as arrays of bytes: INPUT and OUTPUT then end in _bytes.
"""

import sys
from collections import defaultdict
from typing import Any

import numpy as np


def main(directory: str, inputs: str, outputs: str) -> None:
    """Run each request and write its outputs."""
    sys.modules.update(dict.fromkeys(("tfsr", "keras")))  # type: ignore[arg-type]
    import tensorflow as tf

    requests: dict[tuple[str, str], dict] = defaultdict(dict)
    with np.load(inputs) as file:
        for key, value in file.items():
            number, signature, name = key.split("/")
            is_file = name.endswith("_bytes")
            requests[number, signature][name] = tf.constant(value.tobytes() if is_file else value)

    loaded = tf.saved_model.load(directory)
    found: dict[str, Any] = {}
    for (number, signature), arguments in requests.items():
        for name, tensor in loaded.signatures[signature](**arguments).items():
            value = tensor.numpy()
            is_file = name.endswith("_bytes")
            found[f"{number}/{name}"] = np.frombuffer(value, np.uint8) if is_file else value
    np.savez(outputs, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
