"""Image pairs as `fit` is given them: checked, and made inputs of a model that computes points."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from tfsr.errors import InvalidArgument
from tfsr.geometry import centres
from tfsr.models.arguments import check_floating, check_range


def check_data(method: str, argument: str, data: Any) -> None:
    """Refuse what Keras takes for no data, or for other data than it is.

    Raises:
        InvalidArgument: for paths, Pillow images, lists of images, and an image without a batch.
    """
    kind = type(data)
    alone = argument == "x" and _rank(data) == 3
    if isinstance(data, str | os.PathLike | list) or "PIL" in kind.__module__ or alone:
        received = f"shape {tuple(data.shape)}" if alone else kind.__name__
        raise InvalidArgument(
            f"of {method} must be arrays (batch, h, w, 3), such as np.stack(images), or a dataset "
            f"of batches; received {received}",
            argument,
        )


def check_pairs(method: str, x: Any, y: Any) -> None:
    """Check what `fit` or `evaluate` is given, as far as Keras would not say what is wrong.

    Of arrays, the first image is looked at; of a tf.data.Dataset of image pairs, the first batch.

    Raises:
        InvalidArgument: as `check_data`; for images alone; for pairs that are not in [0, 1].
    """
    for argument, data in (("x", x), ("y", y)):
        check_data(method, argument, data)
    spec = getattr(x, "element_spec", None)
    pair = (x, y) if spec is None else spec if isinstance(spec, tuple) else (spec, None)
    check_data(method, "x", pair[0])
    if _image_of(pair[0]) is None:
        return
    if len(pair) < 2 or _rank(pair[1]) != 4:
        raise InvalidArgument(
            f"{method} takes pairs, {method}(small, large) or a dataset of (small, large); "
            "received no large images: images.map(lambda large: (make_small(large), large)) makes "
            "pairs of images alone"
        )
    if spec is not None:
        pair = next(iter(x))
    for argument, images in (("x", _image_of(pair[0])), ("y", pair[1])):
        if "float" in keras.backend.standardize_dtype(images.dtype):
            check_range(argument, images[:1])


def _image_of(data: Any) -> Any:
    """The images of (batch, h, w, channels) or {"image": images}; None of anything else."""
    if isinstance(data, Mapping) and set(data) == {"image"}:
        data = data["image"]
    return data if _rank(data) == 4 else None


def _rank(data: Any) -> int | None:
    """The number of axes; None of what has none, or is not known to."""
    shape = getattr(data, "shape", None)
    return None if shape is None or getattr(shape, "rank", 0) is None else len(shape)


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
    image = _image_of(x)
    if image is None or _rank(y) != 4:
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
