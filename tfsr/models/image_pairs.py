"""Batches of image pairs as `fit` is given them, made inputs of a model that computes points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from tfsr.geometry import centres
from tfsr.models.arguments import check_floating


def with_lattice(batch: Any) -> Any:
    """Add to the small images of a batch the points of the large ones; other batches stay.

    Args:
        batch: what Keras gives to a step: (x, y) or (x, y, weights), x being images (batch, h, w,
            3) or {"image": images}, y images (batch, H, W, 3).

    Returns:
        A batch whose x has "image", "rows", "columns" and "cell" as well.

    Raises:
        InvalidArgument: for large images that are not floating point.
    """
    x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
    image = x.get("image") if isinstance(x, Mapping) and len(x) == 1 else x
    if not all(len(getattr(images, "shape", ())) == 4 for images in (image, y)):
        return batch
    check_floating(y)
    count, *size = ops.shape(y)[:3]
    axes, cells = [], []
    for length in size:
        side = ops.cast(length, "float32")
        places = centres(ops.arange(length, dtype="float32"), side)
        axes.append(ops.broadcast_to(places, (count, length)))
        cells.append(ops.broadcast_to(2.0 / side, (count,)))
    cell = ops.stack(cells, axis=-1)
    x = {"image": image, "rows": axes[0], "columns": axes[1], "cell": cell}
    return keras.utils.pack_x_y_sample_weight(x, y, weights)
