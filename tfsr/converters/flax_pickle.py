"""Pickles of Flax parameters, read without JAX or Flax and without running anything in them.

Thera's authors publish such files: a bare pickle of a dictionary with nested parameters under
"model", whose leaves are NumPy arrays.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfsr.converters.checkpoint_file import open_checkpoint
from tfsr.converters.pickles import MAX_DIMENSIONS, Dialect, interpret, quote, string
from tfsr.errors import CheckpointError

# Thera's largest published file has 20 MB.
_MAX_BYTES = 256 << 20

_ADVICE = (
    "of pickles only those of NumPy arrays and Flax's FrozenDict are read: jax.device_get turns "
    "JAX arrays into NumPy arrays, and torch.save writes PyTorch checkpoints"
)

_DTYPES = {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"}


@dataclass(frozen=True)
class FlaxCheckpoint:
    """The content of a pickle of Flax parameters.

    Attributes:
        weights: path of each parameter, such as "params/out_conv/kernel", to a read-only array in
            native byte order.
        settings: the entries beside "model", as plain values.
    """

    weights: dict[str, np.ndarray]
    settings: dict[str, Any]


def is_bare_pickle(path: str | os.PathLike[str]) -> bool:
    """Return whether a file begins like pickles of protocols 3 to 5 (PyTorch's are protocol 2)."""
    with open_checkpoint(path, "a pickle") as file:
        return file.read(2) in (b"\x80\x03", b"\x80\x04", b"\x80\x05")


def read_flax_pickle(path: str | os.PathLike[str]) -> FlaxCheckpoint:
    """Read a pickle of {"model": nested parameters, ...}, as Thera's authors save them.

    Args:
        path: the file, commonly .pkl.

    Raises:
        CheckpointError: the file cannot be read, is not such a pickle, is damaged, or names
            anything beyond NumPy arrays and FrozenDict. Nothing in it is ever run.
    """
    with open_checkpoint(path, "a pickle of Flax parameters") as file:
        size = os.fstat(file.fileno()).st_size
        if size > _MAX_BYTES:
            raise CheckpointError(f"it has {size} bytes; of a pickle at most {_MAX_BYTES} are read")
        value = interpret(file.read(), _dialect(size))
        if not isinstance(value, dict) or not isinstance(value.get("model"), dict):
            raise CheckpointError("it holds no dictionary of parameters under 'model'")
        settings = {key: _plain(item) for key, item in value.items() if key != "model"}
        return FlaxCheckpoint(dict(_flatten(value["model"], "")), settings)


def _flatten(parameters: dict[Any, Any], prefix: str) -> Iterator[tuple[str, np.ndarray]]:
    for key, value in parameters.items():
        path = f"{prefix}{string(key)}"
        if isinstance(value, dict):
            yield from _flatten(value, f"{path}/")
        elif isinstance(value, _Array):
            yield path, _plain(value)
        else:
            raise CheckpointError(f"its parameter {quote(path)} is a {type(value).__name__}")


def _plain(value: Any) -> Any:
    if isinstance(value, _Array):
        if value.value is None:
            raise CheckpointError("it has an array without content")
        return value.value
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise CheckpointError(f"it holds a {type(value).__name__} beside its parameters")


# What stands for NumPy's objects while a pickle is interpreted. Both get their state afterwards.


class _DType:
    def __init__(self, kind: Any, *_: Any) -> None:
        if string(kind) not in _DTYPES:
            raise CheckpointError(
                f"it has an array of dtype {quote(kind)}, which weights do not have"
            )
        self.dtype = np.dtype(kind)

    def build(self, state: Any) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        if order not in ("<", ">", "|", "="):
            raise CheckpointError("it has a dtype without a proper byte order")
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """An array, once its state is set; `left` is how many bytes all arrays may still take."""

    def __init__(self, left: list[int]) -> None:
        self.left = left
        self.value: np.ndarray | None = None

    def build(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise CheckpointError("it has an array without a proper state")
        _, shape, dtype, fortran, content = state
        self.fill(content, dtype, shape, "F" if fortran is True else "C")

    def fill(self, content: Any, dtype: Any, shape: Any, order: Any) -> _Array:
        if self.value is not None:
            raise CheckpointError("it sets an array's state twice")
        if not isinstance(dtype, _DType) or not isinstance(content, bytes):
            raise CheckpointError("it has an array of something that is not a number")
        if (
            not isinstance(shape, tuple)
            or len(shape) > MAX_DIMENSIONS
            or any(type(length) is not int or length < 0 for length in shape)
            or math.prod(shape) * dtype.dtype.itemsize != len(content)
        ):
            raise CheckpointError(
                f"it has an array whose shape {str(shape)[:80]} does not fit its {len(content)} "
                "bytes"
            )
        # Bytes that many arrays share would take more memory than the file.
        self.left[0] -= len(content)
        if self.left[0] < 0:
            raise CheckpointError("its arrays take more bytes than the file has")
        array = np.frombuffer(content, dtype.dtype)
        array = array.astype(dtype.dtype.newbyteorder("="), copy=False)
        if array.dtype == np.bool_:
            # Bytes other than 0 and 1 are not booleans, though NumPy accepts them.
            array = array.view(np.uint8) != 0
        array = array.reshape(shape, order="F" if order == "F" else "C")
        array.flags.writeable = False
        self.value = array
        return self


def _dialect(size: int) -> Dialect:
    """Return the dialect of a pickle of `size` bytes."""
    left = [size]
    functions: dict[str, Callable[..., Any]] = {
        "numpy dtype": _DType,
        "flax.core.frozen_dict FrozenDict": _frozen_dict,
    }
    for core in ("numpy._core", "numpy.core"):  # of NumPy 2 and NumPy 1
        functions[f"{core}.multiarray _reconstruct"] = lambda *_: _Array(left)
        functions[f"{core}.multiarray scalar"] = lambda dtype, content: _Array(left).fill(
            content, dtype, (), "C"
        )
        functions[f"{core}.numeric _frombuffer"] = lambda *state: _Array(left).fill(*state)
    return Dialect(functions, {"numpy ndarray"}, _ADVICE, _load, _build, has_bytes=True)


def _frozen_dict(content: Any = None) -> dict[Any, Any]:
    if content is not None and type(content) is not dict:
        raise CheckpointError(f"it has a FrozenDict of a {type(content).__name__}")
    return {} if content is None else content


def _load(reference: Any) -> Any:
    raise CheckpointError("its pickle refers to something outside it")


def _build(target: Any, state: Any) -> None:
    if not isinstance(target, (_Array, _DType)):
        raise CheckpointError("its pickle sets attributes of something that is not an array")
    target.build(state)
