"""Train one of the shipped presets on a GPU that also makes the samples, for a given time.

    python recipes/gpu/train_presets.py STAGE DIRECTORY

STAGE is a preset's name. DIRECTORY holds folders of images, `data/NAME/`, each with an empty file
`data/NAME.complete` once all are there, and `deadlines.json`: the end of each stage in seconds
since the epoch, which may be changed while it trains. A stage compiles, waits for those before it,
trains until its deadline, and writes `STAGE.npz`, the moving average of its weights, and a run,
`STAGE/`, which `tfsr save-preset` takes. Stages are processes of their own and may all be started
at once; XLA_PYTHON_CLIENT_PREALLOCATE=false lets them share the GPU's memory.
"""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"

import jax
import jax.numpy as jnp
import keras
import numpy as np
from PIL import Image
from sampling import Images, Sampling, sample

from tfsr.training import Muon, recipe_files
from tfsr.training.provenance import describe_weights
from tfsr.training.run_directory import write_best, write_recipe

# Steps in one call of the compiled loop.
STEPS = 25
# Side of the array of images; smaller images leave part of it empty.
SIDE = 512
# Momentum of the weights' moving average.
EMA = 0.999
WARMUP = 500
RECIPES = Path(__file__).parents[1]


@dataclass(frozen=True)
class Stage:
    """What one preset is trained on, and how.

    Attributes:
        recipe: of the model.
        images: (folder, side that they are reduced to or None, weight) each.
        validation: folder of images.
        capacity: images for which there is room.
        groups: of the samples in a step.
        rate: peak learning rate.
        weight_decay: of Muon.
        after: stages that come before.
        start: stage whose weights it starts from.
        last_epsilon: Charbonnier's at the end; 0.05 is nearly the squared error.
        degraded: folder of samples made by `degraded.py`, and of each kind (window, samples in a
            step, capacity).
        teacher: stage whose output is half of the target.
    """

    recipe: str
    images: tuple[tuple[str, int | None, float], ...]
    validation: str
    capacity: int
    groups: tuple[Sampling, ...]
    rate: float
    weight_decay: float = 0.1
    after: tuple[str, ...] = ()
    start: str | None = None
    last_epsilon: float = 0.05
    degraded: tuple[str, tuple[tuple[int, int, int], ...]] | None = None
    teacher: str | None = None


FACES = (
    ("faces512", None, 2.0),
    ("faces512", 384, 1.0),
    ("faces512", 256, 1.0),
    ("faces256", None, 4.0),
    ("faces256_extra", None, 0.4),
)
PHOTOS = (
    ("photos", None, 2.0),
    ("photos", 384, 1.0),
    ("photos", 307, 1.0),
    ("faces512", None, 1.0),
)
FACE_GROUPS = (
    Sampling("resize", 48, 32, 48, lr_size=(32, 100)),
    Sampling("resize", 12, 64, 80, lr_size=(64, 176)),
)
PHOTO_GROUPS = (
    Sampling("random_crop", 48, 32, 48, scale=(1.0, 8.0), transpose=True),
    Sampling("random_crop", 12, 64, 80, scale=(1.0, 5.0), transpose=True),
)
STAGES = {
    "faces-clean": Stage("faces-clean.yaml", FACES, "faces256_val", 4096, FACE_GROUPS, 2e-3),
    "photos-clean": Stage(
        "photos-clean.yaml",
        PHOTOS,
        "photos_val",
        3072,
        PHOTO_GROUPS,
        2e-3,
        after=("faces-clean",),
    ),
    "faces": Stage(
        "faces.yaml",
        FACES,
        "faces256_val",
        4096,
        (replace(FACE_GROUPS[0], batch=8), replace(FACE_GROUPS[1], batch=2)),
        6e-4,
        0.0,
        after=("photos-clean",),
        start="faces-clean",
        last_epsilon=5e-3,
        degraded=("degraded-faces", ((32, 40, 400_000), (64, 10, 100_000))),
    ),
    "photos": Stage(
        "photos.yaml",
        PHOTOS,
        "photos_val",
        3072,
        (replace(PHOTO_GROUPS[0], batch=8), replace(PHOTO_GROUPS[1], batch=2)),
        6e-4,
        0.0,
        after=("faces",),
        start="photos-clean",
        last_epsilon=5e-3,
        degraded=("degraded-photos", ((32, 40, 300_000), (64, 10, 75_000))),
    ),
    "faces-mobile": Stage(
        "faces-mobile.yaml",
        FACES,
        "faces256_val",
        4096,
        FACE_GROUPS,
        2e-3,
        after=("photos",),
        teacher="faces-clean",
    ),
}


def main(name: str, directory: str) -> None:
    """Compile a stage, wait for its turn, train and save it."""
    stage, directory = STAGES[name], Path(directory)
    say = partial(print, f"[{name}]", flush=True)
    said = time.time()
    trainer = Trainer(stage, name)
    say(f"model built after {time.time() - said:.0f} s; {jax.devices()[0]}")
    trainer.compile()
    say(f"compiled after {time.time() - said:.0f} s")
    folders = {folder for folder, _, _ in stage.images} | {stage.validation}
    while not all((directory / "data" / f"{folder}.complete").exists() for folder in folders):
        time.sleep(0.2)
    images, held_out = read_images(stage, directory / "data", say)
    say(f"images read after {time.time() - said:.0f} s")
    pool = Pool(stage, directory)
    while not all(_is_over(directory, other) for other in stage.after):
        pool.read(least=8)
        time.sleep(0.2)
    if stage.start:
        trainer.load(_weights(directory, stage.start))
    if stage.teacher:
        trainer.load_teacher(_weights(directory, stage.teacher))
    pool.read()
    arrays = pool.arrays()
    say(f"starts after {time.time() - said:.0f} s with {pool.counts} degraded samples")
    trainer.train(images, held_out, arrays, directory, say)


def _is_over(directory: Path, name: str) -> bool:
    """Whether a stage is done, or has failed: nothing came after its deadline."""
    deadline = json.loads((directory / "deadlines.json").read_text())[name]
    return (directory / f"{name}.npz").exists() or time.time() > deadline + 8


def _weights(directory: Path, name: str) -> Path:
    """The weights of a stage, the last saved before it failed if it did."""
    path = directory / f"{name}.npz"
    return path if path.exists() else directory / f"{name}-part.npz"


class Trainer:
    """The model's weights, the optimizer's state and the compiled loop of one stage."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.stage, self.name = stage, name
        self.recipe = recipe_files.load(RECIPES / stage.recipe)
        keras.utils.set_random_seed(self.recipe.seed)
        self.model = self.recipe.build_model()
        self.optimizer = Muon(learning_rate=1.0, weight_decay=stage.weight_decay or None)
        self.optimizer.exclude_from_weight_decay(var_names=["bias"])
        self.optimizer.build(self.model.trainable_variables)
        self._rate = next(
            i for i, v in enumerate(self.optimizer.variables) if "learning_rate" in v.path
        )
        values = [v.value for v in self.model.trainable_variables]
        self.state = {
            "values": values,
            "average": _copy(values),
            "optimizer": [v.value for v in self.optimizer.variables],
        }
        self.fixed = [v.value for v in self.model.non_trainable_variables]
        self.teacher = None
        self._teacher_values: list[Any] = []
        if stage.teacher:
            self.teacher = recipe_files.load(RECIPES / STAGES[stage.teacher].recipe).build_model()
            self._teacher_values = [v.value for v in self.teacher.trainable_variables]

    def load(self, path: Path) -> None:
        """Start from saved weights."""
        values = _read_weights(path)
        self.state |= {"values": values, "average": _copy(values)}

    def load_teacher(self, path: Path) -> None:
        """Load the weights of the teacher."""
        self._teacher_values = _read_weights(path)

    def compile(self) -> None:
        """Compile the loop, for arrays of the stage's capacities."""
        count = self.stage.capacity
        images = Images(
            _shape((count, 3, SIDE, SIDE), np.uint8), _shape((count,), np.int32), _shape((count,))
        )
        kinds = self.stage.degraded[1] if self.stage.degraded else ()
        degraded = [
            (
                jax.tree.map(lambda a: _shape(a.shape, a.dtype), _empty(window, capacity)),
                _shape((), np.int32),
            )
            for window, _, capacity in kinds
        ]
        arguments = (
            self._teacher_values,
            images,
            degraded,
            _shape((), np.int32),
            _shape((STEPS,)),
            _shape(()),
        )
        self._run = jax.jit(self._loop, donate_argnums=0).lower(self.state, *arguments).compile()

    def _loop(self, state, teacher, images, degraded, first, rates, epsilon):
        key = jax.random.fold_in(jax.random.key(0), first)

        def step(state, each):
            key, rate = each
            loss, gradients = jax.value_and_grad(self._loss)(
                state["values"], teacher, images, degraded, key, epsilon
            )
            optimizer = list(state["optimizer"])
            optimizer[self._rate] = rate
            values, optimizer = self.optimizer.stateless_apply(
                optimizer, gradients, state["values"]
            )
            average = [
                EMA * a + (1 - EMA) * v for a, v in zip(state["average"], values, strict=True)
            ]
            return {"values": values, "average": average, "optimizer": list(optimizer)}, loss

        return jax.lax.scan(step, state, (jax.random.split(key, STEPS), rates))

    def _loss(self, values, teacher, images, degraded, key, epsilon):
        total, pixels = 0.0, 0
        keys = iter(jax.random.split(key, len(self.stage.groups) + len(degraded)))
        batches = [sample(next(keys), images, group) for group in self.stage.groups]
        if self.stage.degraded:
            for (arrays, count), (_, batch, _) in zip(
                degraded, self.stage.degraded[1], strict=True
            ):
                chosen = jax.random.randint(next(keys), (batch,), 0, count)
                inputs = {name: array[chosen] for name, array in arrays.items()}
                colours = inputs.pop("colours").astype(jnp.float32) / 255
                inputs["image"] = inputs["image"].astype(jnp.float32) / 255
                batches.append((inputs, colours))
        for inputs, colours in batches:
            output, _ = self.model.stateless_call(values, self.fixed, inputs, training=True)
            losses = [(1.0, colours)]
            if self.teacher is not None:
                soft, _ = self.teacher.stateless_call(teacher, self.fixed, inputs)
                losses = [(0.5, colours), (0.5, jax.lax.stop_gradient(soft))]
            weight = math.prod(inputs["image"].shape[:3])
            for share, target in losses:
                squares = jnp.square(output.astype(jnp.float32) - target)
                error = jnp.mean(jnp.sqrt(squares + epsilon**2) - epsilon)
                total += weight * share * error
            pixels += weight
        return total / pixels

    def measure(self, held_out: Images):
        """Compile the loss on validation images in the background; a function of weights."""
        loss = jax.jit(
            lambda values, images: jnp.mean(
                jnp.stack([self._psnr(values, images, jax.random.key(i)) for i in range(4)]),
                axis=0,
            )
        )
        return lambda values: np.asarray(loss(values, held_out))

    def _psnr(self, values, images, key):
        results = []
        for group in self.stage.groups:
            inputs, colours = sample(key, images, replace(group, batch=48, recolour=0.0))
            output, _ = self.model.stateless_call(values, self.fixed, inputs)
            error = jnp.mean(jnp.square(output.astype(jnp.float32) - colours), axis=(1, 2, 3))
            results.append(jnp.mean(-10 * jnp.log10(error + 1e-7)))
        return jnp.stack(results)

    def train(self, images, held_out, degraded, directory: Path, say) -> None:
        """Train until the deadline; the rate is a cosine of the time."""
        stage, began = self.stage, time.time()
        measure, pending = self.measure(held_out), None
        steps, reported, saved, loss = 0, began, began, None
        good = _copy(self.state)
        while True:
            deadline = json.loads((directory / "deadlines.json").read_text())[self.name]
            now = time.time()
            progress = min(1.0, (now - began) / max(1.0, deadline - began))
            if progress >= 1:
                break
            rate = stage.rate * 0.5 * (1 + math.cos(math.pi * progress))
            rates = rate * np.minimum(1, (steps + np.arange(STEPS)) / WARMUP).astype(np.float32)
            # From Charbonnier towards the squared error between 70 % and 90 % of the time.
            late = min(1.0, max(0.0, (progress - 0.7) / 0.2))
            epsilon = 5e-4 * (stage.last_epsilon / 5e-4) ** late
            self.state, losses = self._run(
                self.state,
                self._teacher_values,
                images,
                degraded,
                jnp.int32(steps),
                rates,
                jnp.float32(epsilon),
            )
            steps += STEPS
            if loss is not None:
                loss.block_until_ready()
            loss = losses
            if now - reported > 15:
                value = float(jnp.mean(losses))
                say(
                    f"step {steps} progress {progress:.3f} rate {rate:.2e} loss {value:.5f} "
                    f"{steps / (time.time() - began):.1f} steps/s"
                )
                reported = now
                if not math.isfinite(value):
                    self.state, stage = good, replace(stage, rate=stage.rate / 2)
                    say(f"not finite: back to the last report, rate {stage.rate}")
                good = _copy(self.state)
                average = good["average"]
                if pending is None or not pending.is_alive():
                    pending = threading.Thread(
                        target=lambda a=average, s=steps: say(f"step {s} validation {measure(a)}")
                    )
                    pending.start()
            if now - saved > 60:
                self.save(directory / f"{self.name}-part.npz")
                saved = now
        seconds = time.time() - began
        self.save(directory / f"{self.name}.npz")
        self.save_run(directory / self.name, steps, seconds)
        say(f"done: {steps} steps in {seconds:.0f} s")
        if pending is not None:
            pending.join()
        say(f"step {steps} validation {measure(self.state['average'])}")

    def save(self, path: Path) -> None:
        """Save the moving average of the weights, all or nothing."""
        part = path.with_suffix(".tmp.npz")
        np.savez(part, **{str(i): np.asarray(v) for i, v in enumerate(self.state["average"])})
        os.rename(part, path)

    def save_run(self, directory: Path, steps: int, seconds: float) -> None:
        """Save the moving average of the weights as the best of a run."""
        stage = self.stage
        samples = [(group.batch, group.window, "clean") for group in stage.groups]
        if stage.degraded:
            samples += [(batch, window, "degraded") for window, batch, _ in stage.degraded[1]]
        parts = ", ".join(f"{n} {kind} of {window}x{window}" for n, window, kind in samples)
        text = (
            f"recipes/gpu/train_presets.py {self.name}: {steps:,} steps in {seconds:.0f} s on one "
            f"{jax.devices()[0].device_kind}, Muon at {stage.rate} with a weight decay of "
            f"{stage.weight_decay} and a cosine to 0, Charbonnier with an epsilon of 0.0005 that "
            f"rises to {stage.last_epsilon} between 70 % and 90 % of the time; the samples of a "
            f"step have LR windows: {parts}"
        )
        if stage.teacher:
            text += f"; half of the target is the output of {stage.teacher}"
        training = self.recipe.training
        rate = replace(training.learning_rate, initial=stage.rate, warmup=WARMUP)
        optimizer = replace(training.optimizer, weight_decay=stage.weight_decay)
        training = replace(training, steps=steps, learning_rate=rate, optimizer=optimizer)
        data = self.recipe.data
        data = replace(data, sampling=replace(data.sampling, batch=sum(n for n, _, _ in samples)))
        provenance = {**self.recipe.provenance, "training": text}
        recipe = replace(self.recipe, data=data, training=training, provenance=provenance)
        for variable, value in zip(
            self.model.trainable_variables, self.state["average"], strict=True
        ):
            variable.assign(value)
        directory.mkdir(exist_ok=True)
        write_recipe(directory, recipe)
        write_best(directory, self.model, describe_weights(recipe, self.model, steps))


def _copy(tree: Any) -> Any:
    """Copies that a donated argument does not take along."""
    return jax.tree.map(lambda value: jnp.array(value, copy=True), tree)


def _read_weights(path: Path) -> list[Any]:
    with np.load(path) as saved:
        return [jnp.asarray(saved[str(i)]) for i in range(len(saved.files))]


class Pool:
    """Degraded samples read from files as they are made."""

    def __init__(self, stage: Stage, directory: Path) -> None:
        self._kinds = stage.degraded[1] if stage.degraded else ()
        self._folder = directory / stage.degraded[0] if stage.degraded else None
        self._read: set[Path] = set()
        self.counts = [0] * len(self._kinds)
        self._arrays = [_empty(window, capacity) for window, _, capacity in self._kinds]

    def read(self, least: int = 1) -> None:
        """Read the files that are new, if there are at least so many."""
        if self._folder is None or not self._folder.exists():
            return
        paths = [p for p in self._folder.glob("*.npz") if ".part" not in p.name]
        paths = [p for p in paths if p not in self._read]
        if len(paths) < least:
            return
        with ThreadPoolExecutor(8) as threads:
            for path, saved in zip(paths, threads.map(_read_arrays, paths), strict=True):
                self._add(path, saved)

    def _add(self, path: Path, saved: dict[str, np.ndarray]) -> None:
        self._read.add(path)
        path.unlink()
        kind = [window for window, _, _ in self._kinds].index(int(path.name.split("-")[0]))
        arrays, first = self._arrays[kind], self.counts[kind]
        count = min(len(saved["image"]), len(arrays["image"]) - first)
        for name, array in arrays.items():
            array[first : first + count] = saved[name][:count]
        self.counts[kind] += count

    def arrays(self) -> list[Any]:
        """Return the arrays on the GPU, each kind's with the number of its samples."""
        return [
            ({name: jnp.asarray(array) for name, array in arrays.items()}, jnp.int32(count))
            for arrays, count in zip(self._arrays, self.counts, strict=True)
        ]


def _shape(shape, dtype=np.float32):
    return jax.ShapeDtypeStruct(shape, dtype)


def _empty(window: int, capacity: int) -> dict[str, np.ndarray]:
    points = window + 16 * (window == 32)
    return {
        "image": np.zeros((capacity, window, window, 3), np.uint8),
        "rows": np.zeros((capacity, points), np.float32),
        "columns": np.zeros((capacity, points), np.float32),
        "cell": np.zeros((capacity, 2), np.float32),
        "window": np.zeros((capacity, 4), np.float32),
        "colours": np.zeros((capacity, points, points, 3), np.uint8),
    }


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as saved:
        arrays = dict(saved)
    arrays.setdefault("window", np.tile(np.float32([0, 0, 1, 1]), (len(arrays["image"]), 1)))
    return arrays


def read_images(stage: Stage, data: Path, say) -> tuple[Images, Images]:
    """Read and reduce a stage's images; return them once to train and once to validate."""
    jobs, weights = [], []
    for folder, side, weight in (*stage.images, (stage.validation, None, 0.0)):
        paths = sorted((data / folder).iterdir())
        jobs += [(path, side) for path in paths]
        weights += [weight / len(paths)] * len(paths)
    pixels = np.zeros((stage.capacity, 3, SIDE, SIDE), np.uint8)
    sides = np.full(stage.capacity, SIDE, np.int32)

    def read(number: int) -> None:
        path, side = jobs[number]
        with Image.open(path) as image:
            image = image.convert("RGB")
        if side is not None:
            image = image.resize((side, side), Image.Resampling.BICUBIC)
        array = np.asarray(image)
        sides[number] = len(array)
        pixels[number, :, : len(array), : len(array)] = array.transpose(2, 0, 1)

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(read, range(len(jobs))))
    weights = np.array(weights + [0.0] * (stage.capacity - len(jobs)))
    held_out = np.zeros(stage.capacity)
    held_out[len(jobs) - sum(w == 0 for w in weights[: len(jobs)]) : len(jobs)] = 1
    say(f"{len(jobs)} images, {int(held_out.sum())} of them to validate")
    on_device = jnp.asarray(pixels), jnp.asarray(sides)
    return tuple(
        Images(*on_device, jnp.asarray(np.cumsum(w) / np.sum(w), jnp.float32))
        for w in (weights, held_out)
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
