"""What `fit`, with all that a run does between its steps, adds to the bare compiled step.

    python benchmarks/fit_overhead.py
    KERAS_BACKEND=jax python benchmarks/fit_overhead.py

A model so small that a step takes a millisecond or two, so that the rest shows, and one batch in
memory. The bare step is Keras' compiled train function in a loop; `fit` runs it as `tfsr train`
does, in intervals with the clock, reports and losses, for each number of steps in one call. Both
are measured in turn; the median of the ratios is printed.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from tfsr.cli.startup import import_keras

import_keras()

import keras  # noqa: E402
import numpy as np  # noqa: E402

from tfsr.training import recipe_files as recipes  # noqa: E402
from tfsr.training.checkpoints import RunState  # noqa: E402
from tfsr.training.compilation import compiled_model  # noqa: E402
from tfsr.training.distribution import Distribution  # noqa: E402
from tfsr.training.interval_callback import IntervalCallback  # noqa: E402
from tfsr.training.pace import Pace  # noqa: E402

RECIPE = {
    "name": "small",
    "model": {
        "encoder": {"name": "edsr", "features": 8, "blocks": 1, "residual_scale": 1.0},
        "decoder": {"name": "liif", "hidden": [16]},
    },
    "data": {"train": "-", "validation": "-"},
    "validation": {"lr_sizes": [32]},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3000, help="steps of one measurement")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    for execution in (1, 10):
        bare, fit = measured(execution, arguments.steps, arguments.repeats)
        added = statistics.median(b / a for a, b in zip(bare, fit, strict=True)) - 1
        milliseconds = 1000 * statistics.median(bare) / arguments.steps
        print(
            f"{keras.backend.backend()}: bare step {milliseconds:.2f} ms; fit with "
            f"steps_per_execution {execution} adds {added:+.1%}"
        )


def measured(execution: int, steps: int, repeats: int) -> tuple[list[float], list[float]]:
    """Seconds of so many bare steps and of as many in `fit`, in turn."""
    training = {"steps": 10**9, "steps_per_epoch": 10**9, "steps_per_execution": execution}
    recipe = recipes.parse({**RECIPE, "training": training})
    bare_model = compiled_model(
        recipes.parse({**RECIPE, "training": {**training, "steps_per_execution": 1}})
    )
    model = compiled_model(recipe)
    batch = a_batch()
    bare, fit = [], []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(repeats + 1):
            seconds = bare_steps(bare_model, batch, steps)
            others = fit_steps(model, batch, steps, recipe, Path(folder))
            if turn:  # The first turn compiles.
                bare.append(seconds)
                fit.append(others)
    return bare, fit


def a_batch():
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (4, 32, 2)).astype("float32")
    inputs = {
        "image": rng.uniform(0, 1, (4, 8, 8, 3)).astype("float32"),
        "coordinates": points,
        "cell": np.full_like(points, 0.1),
    }
    return inputs, rng.uniform(0, 1, (4, 32, 3)).astype("float32")


def bare_steps(model, batch, steps):
    """Keras' own compiled step, in a loop."""
    if keras.backend.backend() == "jax":
        return bare_jax_steps(model, batch, steps)
    import tensorflow as tf

    iterator = iter(tf.data.Dataset.from_tensors(batch).cache().repeat())
    model.make_train_function()
    start = time.perf_counter()
    for _ in range(steps):
        logs = model.train_function(iterator)
    float(logs["loss"])
    return time.perf_counter() - start


def bare_jax_steps(model, batch, steps):
    import jax

    model.train_on_batch(*batch)
    if not hasattr(model, "bare_step"):
        model.bare_step = jax.jit(model.train_step, donate_argnums=0)
    state = model._get_jax_state(
        trainable_variables=True,
        non_trainable_variables=True,
        optimizer_variables=True,
        metrics_variables=True,
    )
    # The variables keep their arrays: the step takes copies.
    state = jax.tree.map(jax.numpy.copy, state)
    logs, state = model.bare_step(state, batch)
    start = time.perf_counter()
    for _ in range(steps):
        logs, state = model.bare_step(state, batch)
    float(logs["loss"])
    return time.perf_counter() - start


def fit_steps(model, batch, steps, recipe, folder):
    """The same steps as `tfsr train` runs them."""
    intervals = IntervalCallback(
        folder, RunState(), recipe, None, Distribution("single"), Pace(), [], lambda line: None
    )
    interval = recipe.training.interval()
    start = time.perf_counter()
    model.fit(
        stream(batch),
        epochs=steps // interval,
        steps_per_epoch=interval,
        callbacks=[intervals],
        shuffle=False,
        verbose=0,
    )
    return time.perf_counter() - start


def stream(batch):
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.data.Dataset.from_tensors(batch).cache().repeat()
    return Constant(batch)


class Constant(keras.utils.PyDataset):
    """One batch for ever."""

    def __init__(self, batch):
        super().__init__()
        self.batch = batch

    @property
    def num_batches(self):
        """Any number."""
        return None

    def __getitem__(self, index):
        return self.batch


if __name__ == "__main__":
    main()
