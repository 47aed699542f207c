"""Small images, models and recipes that several test files start from."""

import numpy as np
import yaml
from PIL import Image

# The decoder that compiles soonest.
MODEL = {
    "encoder": {"name": "edsr", "features": 8, "blocks": 1, "residual_scale": 1.0},
    "decoder": {"name": "arasfsr-linear", "hidden": [8], "functions": 4, "frequency": False},
}

ARASFSR = {
    "name": "arasfsr",
    "hidden": [8, 8],
    "frequency_features": 4,
    "frequency_blocks": 1,
    "noise": False,
}


def image(height=48, width=48, seed=0):
    """A smooth image of many colours, (height, width, 3) uint8."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3)).astype(np.uint8)
    return np.array(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def save(path, image):
    """Write an image in the format its suffix names, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
    return path


def write_frames(path, frames, quality=None):
    """Write an animation as a batch does, and return its notes."""
    from tfsr.images.files import write_file
    from tfsr.images.frames import encode_frames

    content, notes = encode_frames(path, frames, quality)
    write_file(path, content)
    return notes


def folder(path, count=3, side=48):
    """A folder of `count` square images named 0.png, 1.png and so on."""
    for seed in range(count):
        save(path / f"{seed}.png", image(side, side, seed))
    return path


def twins(path):
    """Two presets of `MODEL`, `clean` and `robust`, the second with the first as its clean twin."""
    import keras

    from tfsr import ImplicitSR
    from tfsr.presets import save_preset

    for seed, name in enumerate(("clean", "robust")):
        keras.utils.set_random_seed(seed)
        metadata = {"name": name, **({"clean": "../clean"} if seed else {})}
        save_preset(ImplicitSR.from_config(MODEL), path / name, metadata)
    return path / "clean", path / "robust"


def recipe(images, **training):
    """The mapping of a recipe that trains `MODEL` for two epochs of three steps in a moment."""
    return {
        "name": "tiny",
        "seed": 5,
        "model": MODEL,
        "data": {
            "train": str(images),
            "validation": str(images),
            "sampling": {
                "batch": 2,
                "lr_size": [16, 24],
                "hr_size": [24, 48],
                "window": 12,
                "num_points": 64,
            },
        },
        "training": {
            "steps": 6,
            "steps_per_epoch": 3,
            "loss": "charbonnier",
            "learning_rate": {"initial": 1e-3, "decay": "cosine"},
            # XLA takes far longer to compile a step than these runs to train.
            "jit_compile": False,
            **training,
        },
        "validation": {"lr_sizes": [24], "images": 2},
        "provenance": {"licence": "made by the test"},
    }


def write_recipe(path, content):
    """Write a recipe's mapping as YAML, and return the path."""
    path.write_text(yaml.safe_dump(content))
    return path


def teacher(path):
    """A preset of another architecture than `MODEL`, for it to learn from; returns the path."""
    import keras

    from tfsr import ImplicitSR
    from tfsr.presets import save_preset

    keras.utils.set_random_seed(3)
    decoder = {"name": "liif", "hidden": [8]}
    save_preset(ImplicitSR({**MODEL["encoder"], "blocks": 2}, decoder), path, {})
    return path
