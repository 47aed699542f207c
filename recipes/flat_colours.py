"""Make a preset keep flat colours, at the least change of what it makes of its training images.

    python recipes/flat_colours.py PRESET RUN [SHARE]

The output of a linear decoder is linear in its last layer W. The change D of W minimises

    mean over training samples of |D's effect|^2 / (the sample's squared error)
    + FLATS x mean over flat images of 729 colours of |error + D's effect|^2,

both means relative to the size of what D multiplies, and a little of |D|^2: a linear system. PRESET
is a name or a directory whose metadata has its recipe; the recipe's folders of images are found
from here. RUN is a new directory, which `tfsr save-preset` takes. SHARE, above 0 and at most 1 (the
default), is how much of D is added. Some minutes of two cores.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tfsr.cli.startup import import_keras

import_keras()

import numpy as np  # noqa: E402
from keras import ops  # noqa: E402

from tfsr import from_preset  # noqa: E402
from tfsr.data import Sampler  # noqa: E402
from tfsr.errors import TfsrError  # noqa: E402
from tfsr.geometry import points_plan, window_coordinates  # noqa: E402
from tfsr.presets import check_new, read_metadata  # noqa: E402
from tfsr.rendering.maps import split_latent  # noqa: E402
from tfsr.training import recipe_files  # noqa: E402
from tfsr.training.run_directory import write_run  # noqa: E402

FLATS, LEAST = 0.1, 0.1
SAMPLES, QUERIES = 400, 96
LEVELS = (0, 32, 64, 96, 128, 160, 192, 224, 255)
# LR and output sides of flat images.
SIDES = ((24, 63), (24, 33), (32, 128), (24, 192), (48, 96))


def main(preset: str, run: str, share: float = 1.0) -> None:
    """Change a preset's last layer, and write it as a run."""
    if not 0 < share <= 1:
        raise SystemExit(f"SHARE must be above 0 and at most 1; received {share}")
    check_new(run)
    metadata = read_metadata(preset)
    recipe = recipe_files.parse(metadata["recipe"])
    model, rng = from_preset(preset), np.random.default_rng(0)
    real, flat = System(model), System(model)
    for inputs, colours in _training_samples(model, recipe, rng):
        error = _error(model, inputs, colours)
        weight = 1 / (np.square(error).mean(axis=(1, 2), keepdims=True) + 1e-4)
        real.add(inputs, weight=weight)
    print(f"{preset}: {real.count:,} queries of training samples", flush=True)
    for inputs, colours in _flats(rng):
        flat.add(inputs, _error(model, inputs, colours))
    change = real.solve(flat)
    kernel = model.decoder.last_layer.kernel
    kernel.assign(kernel + share * change.reshape(kernel.shape))
    origin = recipe.provenance["training"] + "; then recipes/flat_colours.py"
    if share < 1:
        origin += f", {share:g} of its change"
    write_run(Path(run), recipe, model, int(metadata["steps"]), origin)


class System:
    """The normal equations of a change of the last layer, the same matrix for each colour."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.colours = model.decoder.basis_layer.colours
        self.channels = model.decoder.last_layer.kernel.shape[2]
        size = self.channels * self.colours.shape[0] // 3
        self.matrix, self.right = np.zeros((size, size)), np.zeros((size, 3))
        self.count = 0

    def add(self, inputs: dict[str, Any], error: Any = 0.0, weight: Any = 1.0) -> None:
        """Add queries, and errors to be undone: (batch, queries, 3), a level is 2 / 255."""
        factors = self._factors(inputs)
        root = np.broadcast_to(np.sqrt(weight), (*factors.shape[:2], 1))
        rows = (factors * root).reshape(-1, len(self.matrix)).astype(np.float32)
        self.matrix += rows.T @ rows
        self.right -= rows.T @ np.broadcast_to(error * root, (*root.shape[:2], 3)).reshape(-1, 3)
        self.count += len(rows)

    def solve(self, flat: System) -> np.ndarray:
        """The change of the kernel: (channels, coefficients)."""
        size = len(self.matrix)
        matrix = self.matrix * (size / np.trace(self.matrix))
        share = FLATS * size / np.trace(flat.matrix)
        matrix += share * flat.matrix + LEAST * np.eye(size)
        change = np.linalg.solve(matrix, share * flat.right)
        kernel = np.zeros((self.channels, len(self.colours)))
        for colour in range(3):
            of_colour = change[:, colour].reshape(self.channels, -1)
            kernel[:, self.colours[:, colour] == 1] = of_colour
        return kernel

    def _factors(self, inputs: dict[str, Any]) -> np.ndarray:
        """What the kernel multiplies: (batch, queries, channels x functions)."""
        decoder, image, window = self.model.decoder, inputs["image"], inputs.get("window")
        axes = None
        if window is not None and decoder.latent_coordinates:
            axes = window_coordinates(window, image.shape[1:3])
        latent, _ = split_latent(decoder, self.model.encode(image, coordinates=axes))
        latent = ops.convert_to_numpy(latent)
        points, cells = inputs["coordinates"], inputs["cell"]
        plan = points_plan(points, cells, image.shape[1:3], decoder.neighbour_mode, window)
        batch, queries = points.shape[:2]
        sample, factors = np.arange(batch)[:, None], 0.0
        for i, j in itertools.product(range(2), repeat=2):
            rows, columns = plan.rows.neighbour(i), plan.columns.neighbour(j)
            values = ops.convert_to_numpy(decoder.basis_layer.values(rows, columns))
            values = values[..., self.colours[:, 0] == 1]
            weight = ops.convert_to_numpy(rows.weight * columns.weight).reshape(batch, queries, 1)
            at = (
                ops.convert_to_numpy(axis.index).reshape(batch, queries) for axis in (rows, columns)
            )
            neighbour = weight * latent[(sample, *at)]
            factors = factors + neighbour[..., None] * values[:, :, None]
        return factors.reshape(batch, queries, -1)


def _error(model: Any, inputs: dict[str, Any], colours: np.ndarray) -> np.ndarray:
    return 2 * (ops.convert_to_numpy(model(inputs)) - colours)


def _training_samples(model: Any, recipe: Any, rng: np.random.Generator) -> Iterator[Any]:
    """Queries of samples of the recipe, and of clean ones a quarter as many."""
    own = recipe.data.sampling
    parts = ((own, SAMPLES), (replace(own, degradation="clean"), SAMPLES // 4))
    for config, count in parts:
        sampler = Sampler(recipe.data.train, replace(config, batch=4), seed=1)
        for step in range(count // 4):
            inputs, colours = sampler.batch(step)
            cell = inputs.pop("cell")
            rows, columns = inputs.pop("rows"), inputs.pop("columns")
            sample = np.arange(len(rows))[:, None]
            i, j = rng.integers(0, rows.shape[1], (2, len(rows), QUERIES))
            points = np.stack([rows[sample, i], columns[sample, j]], axis=-1)
            cells = np.broadcast_to(cell[:, None], points.shape).copy()
            yield {**inputs, "coordinates": points, "cell": cells}, colours[sample, i, j]


def _flats(rng: np.random.Generator) -> Iterator[Any]:
    """Twelve queries of flat images of every colour, from and to several sizes."""
    colours = np.array(list(itertools.product(LEVELS, repeat=3)), np.float32) / 255
    for lr, hr in SIDES:
        for part in np.array_split(colours, 20):
            flat = np.broadcast_to(part[:, None, None], (len(part), lr, lr, 3)).copy()
            index = rng.integers(0, hr, (len(part), 12, 2))
            points = (-1 + (2 * index + 1) / hr).astype(np.float32)
            cells = np.full(points.shape, 2 / hr, np.float32)
            yield {"image": flat, "coordinates": points, "cell": cells}, part[:, None]


if __name__ == "__main__":
    try:
        main(*sys.argv[1:3], *map(float, sys.argv[3:]))
    except TfsrError as error:
        raise SystemExit(str(error)) from None
