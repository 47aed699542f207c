"""The pickles inside checkpoints, interpreted on values that can do nothing.

A pickle is a program, and Python's own unpickler, however restricted, lets one set attributes of
the objects it allows, grow its tables without bound or hash a tuple nested until the process dies.
So the opcodes are interpreted here, the few that a checkpoint needs.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tfsr.errors import CheckpointError

MAX_DIMENSIONS = 32
"""NumPy 1's own limit."""

# The recorded checkpoints have 3,000 at most.
_MAX_VALUES = 2**20

_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
}
_NUMBERS = {"BININT", "BININT1", "BININT2", "BINFLOAT", "LONG1"}
_STRINGS = {"BINUNICODE", "SHORT_BINUNICODE"}
_BYTES = {"SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"}


@dataclass(frozen=True)
class Dialect:
    """What the pickles of one library may contain beyond plain values.

    Attributes:
        functions: by "module name", what replaces each function that a pickle may call.
        classes: names that a pickle may mention but not call, as "module name".
        advice: what to do about a pickle with anything else.
        load: returns the numbers of a persistent id.
        build: sets the state of an object.
        has_bytes: whether byte strings may occur.
    """

    functions: Mapping[str, Callable[..., Any]]
    classes: Collection[str]
    advice: str
    load: Callable[[Any], Any]
    build: Callable[[Any, Any], None]
    has_bytes: bool = False

    def check_name(self, name: str) -> str:
        """Return a global's "module name" if it is on the allow-list."""
        if name not in self.classes and name not in self.functions:
            raise CheckpointError(
                f"its pickle names {quote(name.replace(' ', '.'))}, which weights do not need and "
                f"which could run code; nothing was run: {self.advice}"
            )
        return name


def interpret(pickled: bytes, dialect: Dialect) -> Any:
    """Execute a pickle's opcodes on a stack of plain values.

    Opcodes of protocol 2 (written by torch.save) and their counterparts in protocols 4 and 5.

    Raises:
        CheckpointError: the pickle has a name or an opcode that the dialect does not have, or too
            many values.
    """
    machine = _Machine(dialect)
    for opcode, argument, _ in pickletools.genops(pickled):
        if opcode.name == "STOP":
            value = machine.stack.pop()
            _check_count(value)
            return value
        if not machine.push(opcode.name, argument) and not machine.collect(opcode.name):
            machine.call(opcode.name, argument)
    raise CheckpointError("its pickle is cut short")


class _Machine:
    """The stack of an unpickler.

    A global is pushed as the string "module name", so that no object on the stack can run anything.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def push(self, opcode: str, argument: Any) -> bool:
        """Execute an opcode that pushes a plain value or uses the memo; False for any other."""
        stack, memo = self.stack, self.memo
        if opcode in _CONSTANTS:
            stack.append(_CONSTANTS[opcode]())
        elif opcode in _NUMBERS:
            if isinstance(argument, int) and argument.bit_length() > 64:
                raise CheckpointError("its pickle has an integer beyond 64 bits")
            stack.append(argument)
        elif opcode in _STRINGS:
            argument.encode()  # pickletools accepts half a surrogate pair
            stack.append(argument)
        elif opcode in _BYTES and self.dialect.has_bytes:
            stack.append(bytes(argument))
        elif opcode in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
            memo[len(memo) if opcode == "MEMOIZE" else argument] = stack[-1]
        elif opcode in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        else:
            return opcode in ("PROTO", "FRAME")
        return True

    def collect(self, opcode: str) -> bool:
        """Execute an opcode that fills a tuple, a list or a dictionary; False for any other."""
        stack = self.stack
        match opcode:
            case "MARK":
                self.marks.append(len(stack))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                items = [stack.pop() for _ in range(int(opcode[-1]))]
                stack.append(tuple(reversed(items)))
            case "TUPLE":
                stack.append(tuple(self._pop_to_mark()))
            case "APPEND":
                item = stack.pop()
                _extend(stack[-1], [item])
            case "APPENDS":
                items = self._pop_to_mark()
                _extend(stack[-1], items)
            case "SETITEM":
                item, key = stack.pop(), stack.pop()
                _update(stack[-1], [key, item])
            case "SETITEMS":
                items = self._pop_to_mark()
                _update(stack[-1], items)
            case _:
                return False
        return True

    def call(self, opcode: str, argument: Any) -> None:
        """Execute an opcode that names or builds something; refuse any other."""
        stack, dialect = self.stack, self.dialect
        match opcode:
            case "GLOBAL":
                stack.append(dialect.check_name(argument))
            case "STACK_GLOBAL":
                name, module = stack.pop(), stack.pop()
                stack.append(dialect.check_name(f"{string(module)} {string(name)}"))
            case "BINPERSID":
                stack.append(dialect.load(stack.pop()))
            case "REDUCE":
                arguments, function = stack.pop(), stack.pop()
                stack.append(dialect.functions[string(function)](*arguments))
            case "BUILD":
                state = stack.pop()
                dialect.build(stack[-1], state)
            case _:
                if opcode == "INST":
                    dialect.check_name(argument)  # a forbidden name is the better message
                raise CheckpointError(
                    f"its pickle uses the opcode {opcode}, which weights do not need; nothing was "
                    f"run: {dialect.advice}"
                )

    def _pop_to_mark(self) -> list[Any]:
        mark = self.marks.pop()
        items = self.stack[mark:]
        del self.stack[mark:]
        return items


def string(value: Any) -> str:
    """Check that a value is a string, before it is hashed."""
    if not isinstance(value, str):
        raise CheckpointError(f"its pickle has a {type(value).__name__} for a name")
    return value


def quote(name: str) -> str:
    """Quote a name, shortened to what fits in a message."""
    return repr(name if len(name) <= 80 else name[:77] + "...")


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


def _check_count(value: Any) -> None:
    """Refuse more values than weights have, each counted as often as it is reached.

    What contains itself has values without end, and pairs of pairs have billions.
    """
    left, count = [value], 0
    while left:
        item = left.pop()
        if isinstance(item, (dict, list, tuple)):
            count += len(item)
            if count > _MAX_VALUES:
                raise CheckpointError(
                    f"it has more than {_MAX_VALUES} values, or values that contain themselves"
                )
            left.extend(item.values() if isinstance(item, dict) else item)
