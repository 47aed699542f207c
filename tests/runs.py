"""What a training run left, to be compared with another's."""

import json

import h5py

from tfsr import from_preset


def contents(run):
    """What the run computed: the bytes of all arrays, figures and texts that it keeps."""
    found = {name: (run / name).read_bytes() for name in ("history.csv", "recipe.yaml")}
    found["best"] = [array.tobytes() for array in from_preset(run).get_weights()]
    for folder in (run / "checkpoints").iterdir():
        state = json.loads((folder / "state.json").read_text())
        # The files have the names of Keras' layers too, which are counted in each process.
        del state["sha256"]
        found[folder.name] = state, weights(folder / "model.weights.h5")
    return found


def weights(path):
    """The bytes of every array of a checkpoint: weights, optimizer and moving average."""
    found = {}

    def add(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()].tobytes()

    with h5py.File(path) as file:
        file.visititems(add)
    return found
