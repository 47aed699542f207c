"""A table as text: Markdown to read, CSV and JSON to compute with."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from typing import Any

from tfsr import __version__
from tfsr.evaluation.dataset import Cell
from tfsr.evaluation.measurement import Table

_DIGITS = {"psnr": 3, "ssim": 4}


def means_as_markdown(table: Table) -> str:
    """One table of means for each measure, under a heading that says what it is.

    PSNR has its gain over the baseline in brackets.
    """
    blocks = [
        f"{table.protocol.how}. {subject(table)}; {_origins(table)}. tfsr {__version__}.",
    ]
    for m, measure in enumerate(table.protocol.measures):
        lines = [_row(["", *(cell.label for cell in table.cells)])]
        lines.append(_row(["---"] * (1 + len(table.cells))))
        for r, system in enumerate(table.systems):
            means = [_mean(table, r, c, m) for c in range(len(table.cells))]
            lines.append(_row([system.name, *means]))
        heading = f"{measure.label} ({table.protocol.name})"
        blocks.append(f"**{heading}**\n\n" + "\n".join(lines))
    systems = [f"- {system.name}: {system.kind}." for system in table.systems]
    blocks.append("\n".join(systems + [f"- {line}." for line in notes(table)]))
    return "\n\n".join(blocks) + "\n"


def as_markdown(table: Table) -> str:
    """The means, then every image's figures, folded away."""
    blocks = [means_as_markdown(table)]
    for m, measure in enumerate(table.protocol.measures):
        digits = _DIGITS[measure.kind]
        lines = [_row(["", "image", *(system.name for system in table.systems)])]
        lines.append(_row(["---"] * (2 + len(table.systems))))
        for c, cell in enumerate(table.cells):
            for i, image in enumerate(table.images):
                values = [
                    _number(row[c].values[m][i] if row[c].values else None, digits)
                    for row in table.scores
                ]
                lines.append(_row([cell.label, image, *values]))
        heading = f"{measure.label} ({table.protocol.name}), each image"
        body = "\n".join(lines)
        blocks.append(f"<details><summary>{heading}</summary>\n\n{body}\n\n</details>\n")
    return "\n".join(blocks)


def as_csv(table: Table) -> str:
    """One line a figure, its protocol with it; means have the image "mean"."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ("protocol", "how", "cell", "scale", "system", "measure", "image", "value", "note")
    )
    for c, cell in enumerate(table.cells):
        for system, row in zip(table.systems, table.scores, strict=True):
            for m, measure in enumerate(table.protocol.measures):
                score = row[c]
                how = _how(table, cell, m)
                figures = [("mean", score.mean(m))]
                if score.values:
                    figures += zip(table.images, score.values[m], strict=True)
                for image, value in figures:
                    writer.writerow(
                        (
                            *(table.protocol.name, how, cell.label, f"{cell.scale:.6g}"),
                            *(system.name, measure.name, image),
                            *("" if value is None else f"{value:.6f}", score.note or ""),
                        )
                    )
    return text.getvalue()


def as_json(table: Table) -> str:
    """Everything, nested; what is infinite (equal images) is the text "inf"."""
    cells = [
        {
            "cell": cell.label,
            "scale": cell.scale,
            "lr": cell.origin,
            "results": [
                {
                    "system": system.name,
                    "measure": measure.name,
                    "how": _how(table, cell, m),
                    "mean": _plain(row[c].mean(m)),
                    "values": [_plain(x) for x in row[c].values[m]] if row[c].values else None,
                    "note": row[c].note,
                }
                for system, row in zip(table.systems, table.scores, strict=True)
                for m, measure in enumerate(table.protocol.measures)
            ],
        }
        for c, cell in enumerate(table.cells)
    ]
    whole = {
        "protocol": table.protocol.name,
        "how": table.protocol.how,
        "tfsr": __version__,
        "data": table.data,
        "originals": originals(table),
        "images": table.images,
        "systems": [{"name": system.name, "kind": system.kind} for system in table.systems],
        "cells": cells,
    }
    return json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


FORMATS: dict[str, Callable[[Table], str]] = {
    ".md": as_markdown,
    ".csv": as_csv,
    ".json": as_json,
}
"""By the suffix of the file that is written."""


def subject(table: Table) -> str:
    """How many images of what."""
    count = len(table.images)
    return f"{count} image{'s' if count > 1 else ''} of {table.data}"


def originals(table: Table) -> str:
    """What sizes the originals have: it matters where LR and HR are made from them."""
    sizes = sorted({pair.original_size for pair in table.cells[0].pairs})
    height, width = sizes[0]
    if len(sizes) == 1:
        return f"originals of {width}x{height}"
    return f"originals of {len(sizes)} sizes, {width}x{height} to {sizes[-1][1]}x{sizes[-1][0]}"


def notes(table: Table) -> list[str]:
    """Why cells are empty, a line for each reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for system, row in zip(table.systems, table.scores, strict=True):
        for cell, score in zip(table.cells, row, strict=True):
            if score.note is not None:
                found.setdefault((system.name, score.note), []).append(cell.label)
    return [f"{name}, {', '.join(cells)}: {note}" for (name, note), cells in found.items()]


def _origins(table: Table) -> str:
    """Where LR images come from, and the sizes of originals."""
    found: dict[str, list[str]] = {}
    for cell in table.cells:
        found.setdefault(cell.origin, []).append(cell.label)
    if len(found) == 1:
        return f"{next(iter(found))}; {originals(table)}"
    parts = [f"{origin} at {', '.join(cells)}" for origin, cells in found.items()]
    return f"{'; '.join(parts)}; {originals(table)}"


def _how(table: Table, cell: Cell, measure: int) -> str:
    label = table.protocol.measures[measure].label
    return f"{label}; {table.protocol.how}; {cell.origin}; {originals(table)}"


def _mean(table: Table, row: int, column: int, measure: int) -> str:
    kind = table.protocol.measures[measure].kind
    text = _number(table.scores[row][column].mean(measure), _DIGITS[kind])
    gain = table.gain(row, column, measure)
    return f"{text} ({gain:+.3f})" if kind == "psnr" and gain is not None else text


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _plain(value: float | None) -> Any:
    return value if value is None or math.isfinite(value) else str(value)


def _row(texts: list[str]) -> str:
    # A bar in a file's name would begin another column, and a new line another row.
    return "| " + " | ".join(" ".join(text.replace("|", "\\|").split()) for text in texts) + " |"
