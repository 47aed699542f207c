"""The contract of coordinate decoders. `tfsr.rendering` runs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from keras import ops

from tfsr.decoders.layer_cost import LayerCost
from tfsr.errors import InvalidArgument, check_choice
from tfsr.geometry import Axis, Neighbour, NeighbourMode
from tfsr.layers.configured_layer import ConfiguredLayer

SKIPS = ("bilinear", "nearest", "none")
"""Interpolations of the input that is added to the output."""


class Decoder(ConfiguredLayer):
    """Base of the coordinate decoders: the colour of any point from a latent and a position.

    A subclass defines `project` and `decode`, and the other methods where they save work. Features
    and geometry broadcast against each other, whatever their leading shape: (batch, points) in
    training, (batch, rows, columns) with per-axis geometry on a grid.

    Coordinates, weights and sums stay float32 whatever the dtype policy; features follow it.

    Args:
        local_ensemble: whether the four LR pixels around a query are blended (LIIF, arXiv
            2012.09161, section 3.2), or the nearest one is taken alone.
        input_skip: interpolation of the input that is added to the output: "bilinear" (or True),
            "nearest", "none" (or False).

    Raises:
        InvalidArgument: for another interpolation.

    Example:
        >>> class FlatDecoder(tfsr.decoders.Decoder):
        ...     def __init__(self):
        ...         super().__init__(local_ensemble=False, input_skip="none")
        ...     def decode(self, features, rows, columns, modulation):
        ...         return features[..., :3]
        >>> model = tfsr.ImplicitSR("edsr-baseline", FlatDecoder())
        >>> model.upscale(np.zeros((1, 8, 8, 3), np.float32), size=(11, 13)).shape
        (1, 11, 13, 3)
    """

    has_cell_projection = False
    """Whether `project_cell` is defined."""

    global_coordinates = False
    """Whether the output depends on where in the whole image a query lies."""

    latent_coordinates = False
    """Whether `latent` depends on where in the whole image an LR pixel lies."""

    sums_rows_first = False
    """Whether row neighbours may be summed before columns are gathered. It needs a `decode` that is
    linear in the features, and rows that enter through `add_row_terms` alone."""

    blends_by_weight = True
    """Whether neighbours of weight 0 have no part in `blend`. They are then left out."""

    halo = 1
    """LR pixels around a pixel that `project` depends on."""

    latent_halo = 0
    """LR pixels around a pixel of the image that `latent` depends on, beside the encoder's."""

    query_width = 1
    """Width of the widest layer that runs for each query."""

    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    """A colour in [0, 1] that is added to the output."""

    def __init__(self, *, local_ensemble: bool, input_skip: bool | str, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        if isinstance(input_skip, bool):
            input_skip = "bilinear" if input_skip else "none"
        check_choice("skip", input_skip, SKIPS)
        self.local_ensemble = local_ensemble
        self.input_skip = input_skip != "none"
        self.nearest_skip = input_skip == "nearest"

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: renderers call `project` and `decode`."""
        raise InvalidArgument(
            "a decoder is not called; model.upscale(image, scale=2) upscales, and "
            "model.render(latent, plan) renders what model.encode returned"
        )

    @property
    def neighbour_mode(self) -> NeighbourMode:
        """How this decoder finds its LR neighbours."""
        return "ensemble" if self.local_ensemble else "nearest"

    def latent(
        self,
        features,
        image,
        *,
        coordinates: tuple[Any, Any] | None = None,
        training: bool = False,
        sample: bool = False,
    ):
        """Compute what the decoder needs of an encoded image, (batch, h, w, channels).

        Args:
            features: (batch, h, w, channels) from the encoder.
            image: (batch, h, w, 3), the input in [-1, 1].
            coordinates: rows (..., h) and columns (..., w) of the LR pixels in the whole image, in
                [-1, 1], where this is a crop of it; None where it is the whole image.
            training: whether this is a training step.
            sample: whether a stochastic decoder samples its noise.
        """
        return features

    def project(self, features):
        """Compute what one LR pixel contributes: (batch, h, w, n), or several in any nesting."""
        return features

    def project_cell(self, projected, row_cell, column_cell):
        """Apply the output pixel's size to projected features, where `has_cell_projection`.

        Args:
            projected: from `project`, each (batch, h, w, n) or (batch, points, n).
            row_cell: float32, broadcasts to (..., 1): output pixel height; of an LR pixel, 2.
            column_cell: output pixel width, likewise.
        """
        return projected

    def modulation(self, rows: Axis, columns: Axis) -> Any:
        """Compute what depends on the queries' coordinates alone; every `decode` is given it."""
        return None

    def add_row_terms(self, features, rows: Neighbour):
        """Add the row's terms to projected features; a grid does so before columns are gathered."""
        return features

    def decode(self, features, rows: Neighbour, columns: Neighbour, modulation: Any):
        """Compute one neighbour's colours of every query, (..., 3) in [-1, 1].

        Args:
            features: of that neighbour, from `add_row_terms`.
            rows: its geometry on the row axis, each value (..., 1).
            columns: the same on the column axis.
            modulation: from `modulation`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define decode")

    def blend(
        self, features: Callable[[int, int], Any], rows: Axis, columns: Axis, modulation: Any
    ) -> Any:
        """Combine the outputs of all LR neighbours: here, their weighted sum.

        A decoder that needs all neighbours together, such as attention, overrides this method, and
        sets `blends_by_weight` to False if neighbours of weight 0 matter to it.

        Args:
            features: returns the features of row neighbour i and column neighbour j.
            rows: geometry of the row axis, with `indices.shape[-1]` neighbours.
            columns: the same of the column axis.
            modulation: from `modulation`.

        Returns:
            (..., 3) float32 in [-1, 1], before the skip.
        """
        total: Any = 0.0
        column_neighbours = columns.all_neighbours()
        for i, row in enumerate(rows.all_neighbours()):
            partial: Any = 0.0
            for j, column in enumerate(column_neighbours):
                colours = self.decode(features(i, j), row, column, modulation)
                partial += column.weight * ops.cast(colours, "float32")
            total += row.weight * partial
        return total

    def layer_costs(self) -> list[LayerCost]:
        """List the layers and how often each runs; `tfsr.rendering.multiply_adds` counts them."""
        return []
