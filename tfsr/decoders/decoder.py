"""What every coordinate decoder is, and the two ways to run one: scattered points and grids.

A decoder says four things, and shares all the rest:

- `latent`: what it keeps of an encoded picture, one tensor;
- `project`: the part of its work that depends on the LR pixel alone, once per LR pixel;
- `condition`: the part that depends on the query's position alone, once per query;
- `decode`: the rest, for one neighbour of every query.

`decode` sees gathered features and geometry that broadcasts against them, whatever their leading
shape: (batch, points) in training, (batch, rows, columns) with per-axis geometry in pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import keras
from keras import ops

from tfsr.geometry import Axis, Lookup, Neighbour, SamplingPlan, points_plan


class Decoder(keras.layers.Layer):
    """Base of the decoders: local ensemble, bilinear skip, points and grids.

    Coordinates, weights and the sum over neighbours stay float32 whatever the dtype policy; the
    features' own work follows it.

    Args:
        local_ensemble: bool. Whether the four LR pixels around a query answer together, weighted
            by area (LIIF, section 3.2); otherwise the nearest one answers.
        input_skip: bool. Whether the bilinearly interpolated input is added to the answer.
    """

    def __init__(self, *, local_ensemble: bool, input_skip: bool, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.local_ensemble = local_ensemble
        self.input_skip = input_skip

    # What a decoder says.

    def project(self, features):
        """(batch, h, w, feature channels) to what one LR pixel contributes, (batch, h, w, n)."""
        raise NotImplementedError(f"{type(self).__name__} must define project")

    def condition(self, rows: Axis, columns: Axis) -> Any:
        """What depends on the queries' coordinates alone; handed to every `decode`."""
        return None

    def decode(self, features, rows: Neighbour, columns: Neighbour, condition: Any):
        """One neighbour's answer to every query, (..., 3) in [-1, 1] before ensemble and skip.

        Args:
            features: (..., n) what `project` gave for that neighbour.
            rows: its geometry on the row axis, each value (..., 1) and broadcastable.
            columns: the same on the column axis.
            condition: what `condition` gave.
        """
        raise NotImplementedError(f"{type(self).__name__} must define decode")

    def latent(self, features, image, *, training: bool = False, sample: bool = False):
        """One float32 tensor of all that the decoder needs of a picture, (batch, h, w, channels).

        The encoder's features and, where there is a skip, the normalised input itself.
        """
        parts = [features, image] if self.input_skip else [features]
        return ops.concatenate([ops.cast(part, "float32") for part in parts], axis=-1)

    # What all of them share.

    @property
    def lookup(self) -> Lookup:
        """How this decoder finds its LR neighbours."""
        return "ensemble" if self.local_ensemble else "nearest"

    def split(self, latent):
        """A latent's projected features, and its input channels (None without skip)."""
        features, image = (
            (latent[..., :-3], latent[..., -3:]) if self.input_skip else (latent, None)
        )
        return self.project(ops.cast(features, self.compute_dtype)), image

    def call(self, latent, coordinates, cells, window=None):
        """Colours (batch, points, 3) in [-1, 1] of scattered points; see `geometry.points_plan`."""
        projected, image = self.split(latent)
        batch, height, width = (ops.shape(latent)[axis] for axis in range(3))
        plan = points_plan(coordinates, cells, (height, width), self.lookup, window)
        first = ops.reshape(ops.arange(batch) * height * width, (-1, 1))

        def gather(source, row_indices, column_indices):
            flat = ops.reshape(source, (-1, source.shape[-1]))
            return ops.take(flat, first + row_indices * width + column_indices, axis=0)

        return self._answer(projected, image, plan.rows, plan.columns, gather)

    def grid(self, projected, image, plan: SamplingPlan):
        """Colours (batch, rows, columns, 3) in [-1, 1] of a grid.

        Args:
            projected: (batch, h, w, n), the first of what `split` answers.
            image: (batch, h, w, 3) or None, the second.
            plan: the grid's, from `geometry.grid_plan` with this decoder's `lookup`.
        """

        def gather(source, row_indices, column_indices):
            # A grid is two gathers along an axis each: no index is made per pixel.
            rows = ops.take(source, row_indices[:, 0], axis=1)
            return ops.take(rows, column_indices, axis=2)

        rows = plan.rows.map(lambda x: ops.convert_to_tensor(x)[:, None])
        columns = plan.columns.map(ops.convert_to_tensor)
        return self._answer(projected, image, rows, columns, gather)

    def _answer(self, projected, image, rows: Axis, columns: Axis, gather: Callable) -> Any:
        condition = self.condition(rows, columns)
        answer: Any = 0.0
        for i, j in product(range(rows.indices.shape[-1]), repeat=2):
            row, column = rows.neighbour(i), columns.neighbour(j)
            features = gather(projected, row.index, column.index)
            colours = ops.cast(self.decode(features, row, column, condition), "float32")
            answer += row.weight * column.weight * colours
        if image is not None:
            for i, j in product(range(2), repeat=2):
                pixels = gather(image, rows.pair_indices[..., i], columns.pair_indices[..., j])
                weights = rows.pair_weights[..., i, None] * columns.pair_weights[..., j, None]
                answer += weights * pixels
        return answer

    def get_config(self) -> dict[str, Any]:
        """The layer's own arguments; subclasses add theirs."""
        config = super().get_config()
        config.pop("autocast", None)
        return config
