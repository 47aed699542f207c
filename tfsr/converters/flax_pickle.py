"""Pickles of Flax parameters, read without JAX or Flax and without running anything in them.

Thera's authors publish such files: a bare pickle of a dictionary with nested parameters under
"model", whose leaves are NumPy arrays. Of all that a pickle can name, NumPy arrays and Flax's
FrozenDict alone are accepted.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from tfsr.converters.checkpoint_file import MAX_READ_BYTES, named_errors, open_checkpoint
from tfsr.converters.pickles import Dialect, interpret, nesting, quote, string
from tfsr.errors import CheckpointError

# Thera's largest published file has 20 MB.
_MAX_BYTES = 256 << 20

_ADVICE = (
    "of pickles only those of NumPy arrays and Flax's FrozenDict are read: jax.device_get turns "
    "JAX arrays into NumPy arrays, and torch.save writes PyTorch checkpoints"
)

# NumPy 1's own limit.
_MAX_DIMENSIONS = 32

_DTYPES = {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"}

# NumPy 2's name of the module, and NumPy 1's.
_NUMPY_CORES = ("numpy._core", "numpy.core")


@dataclass(frozen=True)
class FlaxCheckpoint:
    """What a pickle of Flax parameters holds.

    Attributes:
        weights: each parameter's path, its names with slashes between them (such as
            "params/out_conv/kernel"), to a read-only array in native byte order.
        settings: the entries beside "model", as plain values.
    """

    weights: dict[str, np.ndarray]
    settings: dict[str, Any]


def is_bare_pickle(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as pickles of protocols 3 to 5 do; PyTorch's own are of protocol 2.

    Raises:
        CheckpointError: if the file cannot be read.
    """
    name = os.fspath(path)
    with named_errors(name, "a pickle"), open_checkpoint(name) as file:
        return file.read(2) in (b"\x80\x03", b"\x80\x04", b"\x80\x05")


def read_flax_pickle(path: str | os.PathLike[str]) -> FlaxCheckpoint:
    """Read a pickle of {"model": nested parameters, ...}, as Thera's authors save them.

    Args:
        path: the file, commonly .pkl.

    Raises:
        CheckpointError: if the file cannot be read, is not such a pickle, is damaged, or names
            anything beyond NumPy arrays and FrozenDict. Nothing of it is ever run.

    Example:
        >>> read_flax_pickle("thera-edsr-air.pkl").weights["params/out_conv/kernel"].shape
        (1, 1, 64, 128)
    """
    name = os.fspath(path)
    with named_errors(name, "a pickle of Flax parameters"), open_checkpoint(name) as file:
        pickled = b"".join(iter(partial(file.read, MAX_READ_BYTES), b""))
        if len(pickled) > _MAX_BYTES:
            raise CheckpointError(
                f"it has {len(pickled)} bytes; of a pickle at most {_MAX_BYTES} are read"
            )
        value = interpret(pickled, _dialect(len(pickled)))
        nesting(value, 0, {})
        if not isinstance(value, dict) or not isinstance(value.get("model"), dict):
            raise CheckpointError("it holds no dictionary of parameters under 'model'")
        settings = {key: _plain(item) for key, item in value.items() if key != "model"}
        return FlaxCheckpoint(dict(_flat(value["model"], "")), settings)


def _flat(parameters: dict[Any, Any], prefix: str):
    for key, value in parameters.items():
        path = f"{prefix}{string(key)}"
        if isinstance(value, dict):
            yield from _flat(value, f"{path}/")
        elif isinstance(value, _Array):
            yield path, value.finished()
        else:
            raise CheckpointError(f"its parameter {quote(path)} is a {type(value).__name__}")


def _plain(value: Any) -> Any:
    if isinstance(value, _Array):
        return value.finished()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise CheckpointError(f"it holds a {type(value).__name__} beside its parameters")


# What stands for NumPy's objects while a pickle is interpreted. Both get their state afterwards.


@dataclass
class _DType:
    kind: str
    order: str = "="

    def build(self, state: Any) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else None
        if order not in ("<", ">", "|", "="):
            raise CheckpointError("it has a dtype without a proper byte order")
        self.order = order

    def resolved(self) -> np.dtype[Any]:
        return np.dtype(self.kind).newbyteorder(self.order)  # type: ignore[arg-type]


@dataclass
class _Array:
    """An array, once its state is set; `left` is how many bytes all arrays may still take."""

    left: list[int]
    value: np.ndarray | None = field(default=None)

    def build(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise CheckpointError("it has an array without a proper state")
        _, shape, dtype, fortran, content = state
        self.set(content, dtype, shape, "F" if fortran is True else "C")

    def set(self, content: Any, dtype: Any, shape: Any, order: str) -> None:
        if self.value is not None:
            raise CheckpointError("it sets an array's state twice")
        if not isinstance(dtype, _DType) or not isinstance(content, bytes):
            raise CheckpointError("it has an array of something that is no number")
        resolved = dtype.resolved()
        if (
            not isinstance(shape, tuple)
            or len(shape) > _MAX_DIMENSIONS
            or any(type(length) is not int or length < 0 for length in shape)
            or math.prod(shape) * resolved.itemsize != len(content)
        ):
            raise CheckpointError(
                f"it has an array whose shape {str(shape)[:80]} does not fit its {len(content)} "
                "bytes"
            )
        # Bytes that many arrays share would take more memory than the file.
        self.left[0] -= len(content)
        if self.left[0] < 0:
            raise CheckpointError("its arrays take more bytes than the file has")
        array = np.frombuffer(content, resolved).astype(resolved.newbyteorder("="), copy=False)
        if array.dtype == np.bool_:
            # Bytes other than 0 and 1 are no booleans, though NumPy takes them.
            array = array.view(np.uint8) != 0
        array = array.reshape(shape, order="F" if order == "F" else "C")
        array.flags.writeable = False
        self.value = array

    def finished(self) -> np.ndarray:
        if self.value is None:
            raise CheckpointError("it has an array without content")
        return self.value


def _dialect(size: int) -> Dialect:
    """What such a pickle of `size` bytes may say."""
    left = [size]

    def reconstruct(*_: Any) -> _Array:
        return _Array(left)

    def from_buffer(content: Any, dtype: Any, shape: Any, order: Any) -> _Array:
        array = _Array(left)
        array.set(content, dtype, shape, "F" if order == "F" else "C")
        return array

    def scalar(dtype: Any, content: Any) -> _Array:
        return from_buffer(content, dtype, (), "C")

    functions: dict[str, Callable[..., Any]] = {
        "numpy dtype": _dtype,
        "flax.core.frozen_dict FrozenDict": _frozen_dict,
    }
    for core in _NUMPY_CORES:
        functions[f"{core}.multiarray _reconstruct"] = reconstruct
        functions[f"{core}.multiarray scalar"] = scalar
        functions[f"{core}.numeric _frombuffer"] = from_buffer
    return Dialect(functions, {"numpy ndarray"}, _ADVICE, build=_build, has_bytes=True)


def _dtype(kind: Any, *_: Any) -> _DType:
    if string(kind) not in _DTYPES:
        raise CheckpointError(f"it has an array of dtype {quote(kind)}, which weights do not have")
    return _DType(kind)


def _frozen_dict(content: Any = None) -> dict[Any, Any]:
    if content is None:
        return {}
    if type(content) is not dict:
        raise CheckpointError(f"it has a FrozenDict of a {type(content).__name__}")
    return content


def _build(target: Any, state: Any) -> None:
    if not isinstance(target, (_Array, _DType)):
        raise CheckpointError("its pickle sets attributes of something that is no array")
    target.build(state)
