"""The exceptions tfsr raises on purpose, each with one line that can be shown as it stands.

The line says which file or argument is wrong, what was received and what is accepted. Anything
else that reaches a user is a bug.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class TfsrError(Exception):
    """Base class of every error that tfsr raises on purpose.

    Args:
        message: one line; without the argument's name where `argument` is given.
        argument: name of the argument that is wrong, as Python spells it. The command line shows
            its option in place of it.

    Example:
        >>> str(tfsr.errors.TfsrError("must be positive; received -1", argument="scale"))
        'scale must be positive; received -1'
    """

    def __init__(self, message: str, argument: str | None = None) -> None:
        super().__init__(message if argument is None else f"{argument} {message}")
        self.message = message
        self.argument = argument


class InvalidArgument(TfsrError, ValueError):
    """An argument has a value, shape or type that the function cannot use.

    It is a `ValueError` too, so code that does not know tfsr can catch it.
    """


class ImageError(TfsrError):
    """An image, or a folder of images, cannot be read or written."""


class RecipeError(TfsrError):
    """A training recipe has an unknown key, a missing key or an impossible value."""


class PresetError(TfsrError):
    """A preset is unknown, incomplete or damaged."""


class CheckpointError(TfsrError):
    """A checkpoint cannot be read, or belongs to another model or recipe."""


class TrainingError(TfsrError):
    """Training cannot begin on these devices, or cannot continue."""


class ExportError(TfsrError):
    """An exported file cannot be made, cannot be read, or does not agree with its model."""


class ClusterError(TfsrError):
    """A cluster cannot be reached, or its workers cannot do what they are asked."""


def check_choice(
    argument: str, value: Any, choices: Iterable[Any], error: type[TfsrError] = InvalidArgument
) -> None:
    """Check that an argument has one of a few values.

    Args:
        argument: its name.
        value: what was received.
        choices: what is accepted.
        error: class of the exception.

    Raises:
        InvalidArgument: (or `error`) with the choices, and the nearest one to a mistyped word.

    Example:
        >>> tfsr.errors.check_choice("skip", "bilinaer", ["bilinear", "nearest"])
        Traceback (most recent call last):
        tfsr.errors.InvalidArgument: skip must be one of bilinear, nearest; received 'bilinaer'...
    """
    choices = list(choices)
    if not any(value == choice and type(value) is type(choice) for choice in choices):
        names = [str(choice) for choice in choices]
        raise error(
            f"must be one of {', '.join(names)}; received {value!r}."
            + did_you_mean(str(value), names),
            argument,
        )


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Suggest the known word nearest to a mistyped one, as the tail of an error message.

    Args:
        word: what was received.
        known: what would have been accepted.

    Returns:
        `" Did you mean 'steps'?"` with its leading space, or `""` when nothing is near.

    Example:
        >>> tfsr.errors.did_you_mean("setps", ["steps", "batch"])
        " Did you mean 'steps'?"
    """
    by_folded = {name.casefold(): name for name in known}
    nearest = difflib.get_close_matches(word.casefold(), by_folded, n=1)
    return f" Did you mean '{by_folded[nearest[0]]}'?" if nearest else ""
