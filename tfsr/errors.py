"""The exceptions tfsr raises on purpose.

Each carries one line that names the file or argument, says what was wrong and what would be right,
so that the command line can print it as it stands. Anything else that reaches a user is a bug.
"""

import difflib
from collections.abc import Iterable


class TfsrError(Exception):
    """Base class of every error tfsr raises on purpose."""


class InvalidArgument(TfsrError, ValueError):
    """An argument has a value, shape or type that the function cannot use.

    It is a `ValueError` too, so code that does not know tfsr can catch it.
    """


class ImageError(TfsrError):
    """An image, or a folder of images, cannot be read or written."""


class RecipeError(TfsrError):
    """A training recipe has an unknown key, a missing key or a value that makes no sense."""


class PresetError(TfsrError):
    """A preset is unknown, incomplete or damaged."""


class CheckpointError(TfsrError):
    """A checkpoint cannot be read, or belongs to another model or recipe."""


class TrainingError(TfsrError):
    """Training cannot begin on these devices, or cannot go on."""


class ExportError(TfsrError):
    """An exported file cannot be made, cannot be read, or does not agree with its model."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Suggest the known word nearest to a mistyped one, as the tail of an error message.

    Args:
        word: str. What was received.
        known: iterable of str. What would have been accepted.

    Returns:
        `" Did you mean 'steps'?"` with its leading space, or `""` when nothing is near.
    """
    by_folded = {name.casefold(): name for name in known}
    nearest = difflib.get_close_matches(word.casefold(), by_folded, n=1)
    return f" Did you mean '{by_folded[nearest[0]]}'?" if nearest else ""
