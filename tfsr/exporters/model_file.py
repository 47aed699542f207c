"""What exported files share: the checks before work, and writing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tfsr.errors import ExportError, InvalidArgument
from tfsr.geometry import check_integers
from tfsr.images.atomic import remove_abandoned, takes_data, write_atomically
from tfsr.models import ImplicitSR

# Of the input, and of an output: a phone has no memory for more.
_MAX_PIXELS = 100_000_000


def check_model(model: Any, suffix: str) -> None:
    """Raise an ExportError unless it is an `ImplicitSR`."""
    if not isinstance(model, ImplicitSR):
        raise ExportError(f"{suffix} files take an ImplicitSR; received a {type(model).__name__}")


def check_path(path: Path, suffix: str, overwrite: bool) -> None:
    """Raise an ExportError if the file cannot be written, or exists and is to stay."""
    if path.suffix.lower() != suffix:
        raise ExportError(f"{path}: the suffix must be {suffix}")
    if os.path.isdir(path) or not os.access(path.parent, os.W_OK):
        raise ExportError(f"{path}: cannot be written there; choose another folder")
    if os.path.lexists(path) and not overwrite and not takes_data(path):
        raise ExportError(f"{path}: exists; overwrite=True replaces it")


def image_size(name: str, values: Sequence[int]) -> tuple[int, int]:
    """Return (H, W) of at most 100 megapixels; anything else is an InvalidArgument."""
    height, width = check_integers(name, values, 2)
    if min(height, width) < 1 or height * width > _MAX_PIXELS:
        raise InvalidArgument(
            f"must be 1x1 to {_MAX_PIXELS / 1e6:g} megapixels; received {width}x{height}", name
        )
    return height, width


def check_enlarges(lr_size: tuple[int, int], size: tuple[int, int], name: str) -> None:
    """Raise an InvalidArgument if a side of the output is smaller than the input's."""
    if any(np.less(size, lr_size)):
        raise InvalidArgument(
            f"must not be smaller than the input's {lr_size[1]}x{lr_size[0]}: a model does not "
            f"reduce; received {size[1]}x{size[0]}",
            name,
        )


def write_model_file(path: Path, content: bytes, overwrite: bool) -> None:
    """Write a file that appears whole or not at all; ExportError if it cannot be written."""
    remove_abandoned(path.parent)
    try:
        write_atomically(os.fspath(path), content, replace=overwrite)
    except FileExistsError as error:
        raise ExportError(f"{path}: exists since this began; it is unchanged") from error
    except OSError as error:
        raise ExportError(f"{path}: cannot be written: {error.strerror or error}") from error
