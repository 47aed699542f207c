"""PSNR against scale, as a plot."""

from __future__ import annotations

import importlib.util
import io
import math
import os
import textwrap
from pathlib import Path
from typing import Any

from tfsr.errors import InvalidArgument, did_you_mean
from tfsr.evaluation.table import Table
from tfsr.evaluation.table_formats import describe_images, describe_originals

# Without the date: the same table gives the same bytes.
_METADATA: dict[str, dict[str, Any]] = {
    ".png": {},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}


def check_plot(path: str | os.PathLike[str]) -> None:
    """Check that a plot can be made, before anything is evaluated.

    Raises:
        InvalidArgument: if Matplotlib is missing, or the suffix is none of .png, .svg, .pdf.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _METADATA:
        raise InvalidArgument(
            f"{path}: a plot's suffix must be one of {', '.join(_METADATA)}; received {suffix!r}."
            + did_you_mean(suffix, _METADATA)
        )
    if importlib.util.find_spec("matplotlib") is None:
        raise InvalidArgument(
            f"{path}: plots need Matplotlib; install it with pip install 'tfsr[plot]'"
        )


def plot_scales(table: Table, suffix: str) -> bytes:
    """Plot the protocol's first metric against HR over LR, a colour for each upscaler.

    Columns of one LR size and several HR sizes are joined by a line of their own, all others by one
    line. Empty cells and infinite PSNR (equal images, at x1) are left out.

    Args:
        table: from `evaluate`.
        suffix: .png, .svg or .pdf.

    Returns:
        The file's content, the same for the same table.

    Raises:
        InvalidArgument: as `check_plot`.

    Example:
        >>> table = tfsr.evaluation.evaluate("faces", ["bicubic"], "x1-x30", scales=[2, 4])
        >>> tfsr.evaluation.plot_scales(table, ".svg")[:5]
        b'<?xml'
    """
    check_plot(f"plot{suffix}")
    import matplotlib
    from matplotlib.figure import Figure

    # SVG identifiers would be random. A dollar in a file's name would begin a formula.
    with matplotlib.rc_context({"svg.hashsalt": "tfsr", "text.parse_math": False}):
        figure = Figure(figsize=(8, 5), layout="constrained")
        axes: Any = figure.add_subplot()
        for row, name in enumerate(table.upscalers):
            for i, (side, line) in enumerate(_lines(table, row).items()):
                label = name if i == 0 else None
                axes.plot(*zip(*line, strict=True), "o-", color=f"C{row % 10}", label=label)
                if side is not None and row == 0:
                    place = {"textcoords": "offset points", "xytext": (5, 5), "fontsize": 8}
                    axes.annotate(f"from {side}", line[0], **place)
        scales = sorted({column.scale for column in table.columns})
        axes.set_xscale("log", base=2)
        axes.set_xticks(scales, [f"x{scale:.3g}" for scale in scales], minor=False)
        axes.minorticks_off()
        if len(scales) > 12:
            axes.tick_params(axis="x", labelsize=7, rotation=90)
        axes.set_xlabel("HR side over LR side")
        axes.set_ylabel(table.protocol.metrics[0].label, fontsize=9)
        images = f"{describe_images(table)}; {describe_originals(table)}"
        axes.set_title(f"{textwrap.fill(table.protocol.how, 110)}\n{images}", fontsize=8)
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend()
        content = io.BytesIO()
        metadata = _METADATA[suffix.lower()]
        figure.savefig(content, format=suffix[1:].lower(), metadata=metadata)
    return content.getvalue()


def _lines(table: Table, row: int) -> dict[int | None, list[tuple[float, float]]]:
    """(scale, mean) of each column; a line for each LR side that has several HR sides."""
    lines: dict[int | None, list[tuple[float, float]]] = {}
    for column, score in zip(table.columns, table.scores[row], strict=True):
        mean = score.mean(0)
        if mean is None or not math.isfinite(mean):
            continue
        side = None if column.spec.hr_size is None else column.spec.lr_size
        lines.setdefault(side, []).append((column.scale, mean))
    return {side: sorted(line) for side, line in lines.items()}
