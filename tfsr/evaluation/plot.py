"""PSNR against scale, as an image."""

from __future__ import annotations

import importlib.util
import io
import math
import os
import textwrap
from pathlib import Path
from typing import Any

from tfsr.errors import InvalidArgument, did_you_mean
from tfsr.evaluation.measurement import Table
from tfsr.evaluation.tables import originals, subject

SUFFIXES = (".png", ".svg", ".pdf")


def check_plot(path: str | os.PathLike[str]) -> None:
    """Tell whether a plot can be drawn, before anything is measured.

    Raises:
        InvalidArgument: if Matplotlib is missing, or the suffix is none of .png, .svg, .pdf.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise InvalidArgument(
            f"{path}: a plot's suffix must be one of {', '.join(SUFFIXES)}; got {suffix!r}."
            + did_you_mean(suffix, SUFFIXES)
        )
    if importlib.util.find_spec("matplotlib") is None:
        raise InvalidArgument(
            f"{path}: plots need Matplotlib; install it with pip install 'tfsr[plot]'"
        )


def draw_plot(table: Table, suffix: str) -> bytes:
    """Draw the protocol's first measure against HR over LR, a colour for each system.

    Columns of one LR size that answer in several HR sizes are joined by a line of their own, all
    others by one line. Where a system has no output there is no mark; infinite PSNR (equal
    images, at x1) is left out.

    Args:
        table: what was measured.
        suffix: .png, .svg or .pdf.

    Returns:
        The file's content, the same for the same table.

    Raises:
        InvalidArgument: if Matplotlib is missing, or the suffix is another.
    """
    check_plot(f"plot{suffix}")
    import matplotlib
    from matplotlib.figure import Figure

    # Identifiers of an SVG's parts would be random, and its date today's. A dollar in a file's name
    # would begin a formula.
    with matplotlib.rc_context({"svg.hashsalt": "tfsr", "text.parse_math": False}):
        figure = Figure(figsize=(8, 5), layout="constrained")
        axes: Any = figure.add_subplot()
        for row, system in enumerate(table.systems):
            for i, (side, line) in enumerate(_lines(table, row).items()):
                label = system.name if i == 0 else None
                axes.plot(*zip(*line, strict=True), "o-", color=f"C{row % 10}", label=label)
                if side is not None and row == 0:
                    place = {"textcoords": "offset points", "xytext": (5, 5), "fontsize": 8}
                    axes.annotate(f"from {side}", line[0], **place)
        scales = sorted({cell.scale for cell in table.cells})
        axes.set_xscale("log", base=2)
        axes.set_xticks(scales, [f"x{scale:.3g}" for scale in scales], minor=False)
        axes.minorticks_off()
        if len(scales) > 12:
            axes.tick_params(axis="x", labelsize=7, rotation=90)
        axes.set_xlabel("HR side over LR side")
        axes.set_ylabel(table.protocol.measures[0].label, fontsize=9)
        title = f"{textwrap.fill(table.protocol.how, 110)}\n{subject(table)}; {originals(table)}"
        axes.set_title(title, fontsize=8)
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend()
        content = io.BytesIO()
        dateless: dict[str, Any] = {
            ".svg": {"Date": None},
            ".pdf": {"CreationDate": None},
            ".png": {},
        }
        figure.savefig(content, format=suffix[1:].lower(), metadata=dateless[suffix.lower()])
    return content.getvalue()


def _lines(table: Table, row: int) -> dict[int | None, list[tuple[float, float]]]:
    """(scale, mean) of a system's columns; a line for each LR side, where it has pairs of sides."""
    lines: dict[int | None, list[tuple[float, float]]] = {}
    for cell, score in zip(table.cells, table.scores[row], strict=True):
        mean = score.mean(0)
        if mean is None or not math.isfinite(mean):
            continue
        several = cell.reduction.hr_size is not None
        lines.setdefault(cell.reduction.lr_size if several else None, []).append((cell.scale, mean))
    return {side: sorted(line) for side, line in lines.items()}
