"""How a data set lies in its folders, and which LR file belongs to which original."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tfsr.errors import ImageError
from tfsr.images import list_images


def layout(data: Path) -> tuple[Path, Path | None]:
    """The folder of originals, and that of LR images if it is a data set that brings them.

    A folder of images holds originals. One with a folder HR, or a single one whose name ends in
    _HR, is a data set; its LR images are in LR_bicubic/X2 and so on, beside it.

    Raises:
        ImageError: if it cannot be listed, or holds several folders of originals.
    """
    try:
        folders = sorted(path for path in data.iterdir() if os.path.isdir(path))
    except OSError as error:
        raise ImageError(f"{data}: cannot be listed: {error.strerror}") from error
    hr = [path for path in folders if path.name == "HR" or path.name.endswith("_HR")]
    if not hr:
        return data, None
    if len(hr) > 1:
        raise ImageError(f"{data}: holds {hr[0].name} and {hr[1].name}; give one of them as --data")
    prefix = hr[0].name.removesuffix("HR")
    return hr[0], data / f"{prefix}LR_bicubic"


def given_lr(root: Path, originals: Sequence[Path], scale: int) -> list[Path]:
    """The LR file of each original.

    They are paired by name (a.png, ax2.png), or in the order of their names where no name agrees,
    as LIIF's program does.

    Args:
        root: the folder of X2 and so on.
        originals: the files.
        scale: which of them.

    Raises:
        ImageError: if the folder is missing, or a file of either kind has none of the other.
    """
    folder = root / f"X{scale}"
    if not os.path.isdir(folder):
        raise ImageError(
            f"{folder}: is missing; the protocol takes given LR images. Choose other scales, or "
            f"give --data {originals[0].parent} to have them made"
        )
    files = list_images(folder)
    by_name = {path.stem.removesuffix(f"x{scale}"): path for path in files}
    stems = {path.stem for path in originals}
    if not stems & set(by_name) and len(files) == len(originals):
        return files
    for stem, path in by_name.items():
        if stem not in stems:
            raise ImageError(f"{path}: has no HR image: {originals[0].parent / stem}.* is missing")
    for path in originals:
        if path.stem not in by_name:
            raise ImageError(f"{path}: has no LR image: {folder / path.stem}x{scale}.* is missing")
    return [by_name[path.stem] for path in originals]
