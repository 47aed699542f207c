"""The pickles inside checkpoints, interpreted on values that can do nothing.

A pickle is a program, and Python's own unpickler, however restricted, lets one set attributes of
the objects it allows, grow its tables without bound or hash a tuple nested until the process dies.
So the opcodes are interpreted here, the few that a checkpoint needs.
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfsr.errors import CheckpointError

# The recorded checkpoints nest 6 deep.
_MAX_DEPTH = 32

# NumPy 1's own limit.
_MAX_DIMENSIONS = 32


def _no_storages(reference: Any) -> np.ndarray:
    raise CheckpointError("its pickle refers to something outside it")


def _build_dict(target: Any, state: Any) -> None:
    # PyTorch hangs the modules' versions on a state dict as an attribute; they are not kept.
    if not isinstance(target, dict):
        raise CheckpointError("its pickle sets attributes of something not a dict")


@dataclass(frozen=True)
class Dialect:
    """What the pickles of one library may say beyond plain values.

    Attributes:
        functions: what stands for each function that a pickle may call, by its "module name".
        classes: names that a pickle may mention, as "module name", and not call.
        advice: what to do about a pickle that says anything else.
        load_storage: the numbers that a persistent id stands for.
        build: sets the state of an object; of a dictionary, nothing by default.
        has_bytes: whether byte strings may occur.
    """

    functions: Mapping[str, Callable[..., Any]]
    classes: Collection[str]
    advice: str
    load_storage: Callable[[Any], np.ndarray] = _no_storages
    build: Callable[[Any, Any], None] = _build_dict
    has_bytes: bool = False


def torch_dialect(load_storage: Callable[[Any], np.ndarray]) -> Dialect:
    """The dialect of torch.save, whose tensors refer to storages outside the pickle."""
    advice = "save the weights alone (state_dict)"
    return Dialect(_REBUILDERS, STORAGES, advice, load_storage)


def interpret(pickled: bytes, dialect: Dialect) -> Any:
    """Run a pickle's opcodes on a stack of plain values.

    A global name is pushed as the string "module name" once it is known to be harmless, so that
    no object on the stack can run anything. Opcodes of protocol 2 (what torch.save writes) and
    their counterparts in protocols 4 and 5.

    Raises:
        CheckpointError: if the pickle names or does anything that the dialect does not have.
    """
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}

    def pop_to_mark() -> list[Any]:
        mark = marks.pop()
        items = stack[mark:]
        del stack[mark:]
        return items

    argument: Any
    for opcode, argument, _ in pickletools.genops(pickled):
        match opcode.name:
            case "PROTO" | "FRAME":
                pass
            case "MARK":
                marks.append(len(stack))
            case "NONE":
                stack.append(None)
            case "NEWTRUE" | "NEWFALSE":
                stack.append(opcode.name == "NEWTRUE")
            case "BININT" | "BININT1" | "BININT2" | "BINFLOAT":
                stack.append(argument)
            case "LONG1":
                stack.append(_integer(argument))
            case "BINUNICODE" | "SHORT_BINUNICODE":
                argument.encode()  # pickletools lets half a surrogate pair pass
                stack.append(argument)
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                items = [stack.pop() for _ in range(int(opcode.name[-1]))]
                stack.append(tuple(reversed(items)))
            case "TUPLE":
                stack.append(tuple(pop_to_mark()))
            case "APPEND":
                item = stack.pop()
                _extend(stack[-1], [item])
            case "APPENDS":
                items = pop_to_mark()
                _extend(stack[-1], items)
            case "SETITEM":
                item, key = stack.pop(), stack.pop()
                _update(stack[-1], [key, item])
            case "SETITEMS":
                items = pop_to_mark()
                _update(stack[-1], items)
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "GLOBAL":
                stack.append(_harmless(argument, dialect))
            case "STACK_GLOBAL":
                name, module = stack.pop(), stack.pop()
                stack.append(_harmless(f"{string(module)} {string(name)}", dialect))
            case "BINPERSID":
                stack.append(dialect.load_storage(stack.pop()))
            case "REDUCE":
                arguments, function = stack.pop(), stack.pop()
                stack.append(dialect.functions[string(function)](*arguments))
            case "BUILD":
                state = stack.pop()
                dialect.build(stack[-1], state)
            case "SHORT_BINBYTES" | "BINBYTES" | "BINBYTES8" | "BYTEARRAY8" if dialect.has_bytes:
                stack.append(bytes(argument))
            case "STOP":
                return stack.pop()
            case _:
                if opcode.name == "INST":
                    _harmless(argument, dialect)  # says which name, where that is what is wrong
                raise CheckpointError(
                    f"its pickle uses the opcode {opcode.name}, which weights do not need; "
                    f"nothing was run: {dialect.advice}"
                )
    raise CheckpointError("its pickle is cut short")


def _harmless(name: str, dialect: Dialect) -> str:
    if name not in dialect.classes and name not in dialect.functions:
        raise CheckpointError(
            f"its pickle names {quote(name.replace(' ', '.'))}, which weights do not need and "
            f"which could run code; nothing was run: {dialect.advice}"
        )
    return name


def string(value: Any) -> str:
    """The value, if it is a string.

    Raises:
        CheckpointError: if it is not.
    """
    # Before it is looked up, as _update says.
    if not isinstance(value, str):
        raise CheckpointError(f"its pickle has a {type(value).__name__} for a name")
    return value


def _integer(value: int) -> int:
    if value.bit_length() > 64:
        raise CheckpointError("its pickle has an integer beyond 64 bits")
    return value


def _extend(target: Any, items: list[Any]) -> None:
    if type(target) is not list:
        raise CheckpointError(f"its pickle appends to a {type(target).__name__}, not to a list")
    target.extend(items)


def _update(target: Any, items: list[Any]) -> None:
    if type(target) is not dict:
        raise CheckpointError(f"its pickle sets items of a {type(target).__name__}, not a dict")
    for key, item in zip(items[::2], items[1::2], strict=True):
        # Before it is hashed: a tuple nested a million deep would take the process down.
        if type(key) not in (str, int):
            raise CheckpointError(f"its pickle has a {type(key).__name__} for a dictionary key")
        target[key] = item


def _ordered_dict() -> dict[Any, Any]:
    return {}


def _rebuild_tensor(
    storage: Any, offset: Any, shape: Any, strides: Any, *gradient_and_hooks: Any
) -> np.ndarray:
    """A view of a storage: offset and strides count elements, as in PyTorch."""
    if not isinstance(storage, np.ndarray) or storage.ndim != 1:
        raise CheckpointError("it has a tensor that refers to no storage")
    whole = isinstance(shape, tuple) and isinstance(strides, tuple)
    if not whole or len(shape) != len(strides) or len(shape) > _MAX_DIMENSIONS:
        raise CheckpointError("it has a tensor without a proper shape and strides")
    if any(type(value) is not int or value < 0 for value in (offset, *shape, *strides)):
        raise CheckpointError("it has a tensor whose offset, shape or strides are no counts")
    # Strides of 0 would let a few bytes pose as an array larger than any memory.
    furthest = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    elements = math.prod(shape)
    if elements > storage.size or (elements and furthest >= storage.size):
        raise CheckpointError(
            f"it has a tensor of shape {shape}, strides {strides} and offset {offset}, which does "
            f"not fit in its storage of {storage.size} numbers"
        )
    size = storage.itemsize
    return np.ndarray(
        shape,
        storage.dtype,
        buffer=storage,
        offset=offset * size if elements else 0,
        strides=tuple(step * size for step in strides) if elements else None,
    )


def _rebuild_parameter(tensor: Any, *gradient_and_hooks: Any) -> np.ndarray:
    if not isinstance(tensor, np.ndarray):
        raise CheckpointError("it has a parameter that is not a tensor")
    return tensor


def nesting(value: Any, above: int, depths: dict[int, int]) -> int:
    """How deep a value nests others; refused when too deep, or endless because it holds itself."""
    if not isinstance(value, (dict, list, tuple)):
        return 0
    identity = id(value)
    if identity not in depths and above < _MAX_DEPTH:
        depths[identity] = _MAX_DEPTH  # what whoever finds it inside itself sees
        items = value.values() if isinstance(value, dict) else value
        depths[identity] = 1 + max((nesting(i, above + 1, depths) for i in items), default=0)
    if above + depths.get(identity, 1) > _MAX_DEPTH:
        raise CheckpointError(
            f"its values nest deeper than {_MAX_DEPTH} levels, or hold themselves"
        )
    return depths[identity]


def quote(name: str) -> str:
    """A name in quotes, shortened to what fits in a message."""
    return repr(name if len(name) <= 80 else name[:77] + "...")


# Storage classes, and how NumPy reads their numbers: bfloat16 and bool are converted afterwards.
STORAGES = {
    "torch FloatStorage": "f4",
    "torch DoubleStorage": "f8",
    "torch HalfStorage": "f2",
    "torch BFloat16Storage": "u2",
    "torch LongStorage": "i8",
    "torch IntStorage": "i4",
    "torch ShortStorage": "i2",
    "torch CharStorage": "i1",
    "torch ByteStorage": "u1",
    "torch BoolStorage": "u1",
}

_REBUILDERS: dict[str, Callable[..., Any]] = {
    "collections OrderedDict": _ordered_dict,
    "torch._utils _rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils _rebuild_parameter": _rebuild_parameter,
}
