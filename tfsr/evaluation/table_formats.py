"""A table as text: Markdown to read, CSV and JSON to compute with."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from typing import Any

from tfsr import __version__
from tfsr.evaluation.table import Table
from tfsr.inference import Upscaler

_DIGITS = {"psnr": 3, "ssim": 4}


def means_as_markdown(table: Table) -> str:
    """Format the means of a table, one Markdown table for each metric.

    PSNR has its gain over the baseline in brackets.

    Example:
        >>> table = tfsr.evaluation.evaluate("faces", ["bicubic"], lr_sides=["32"])
        >>> print(tfsr.evaluation.means_as_markdown(table))
        files: originals reduced and restored to their size, as 8-bit files; ...
        | Bicubic | 51.997 |
        ...
    """
    blocks = [
        f"{table.protocol.how}. {describe_images(table)}; {_origins(table)}. tfsr {__version__}."
    ]
    for m, metric in enumerate(table.protocol.metrics):
        rows = [
            [name, *(_mean(table, r, c, m) for c in range(len(table.columns)))]
            for r, name in enumerate(table.upscalers)
        ]
        head = ["", *(column.label for column in table.columns)]
        blocks.append(f"**{metric.label} ({table.protocol.name})**\n\n{_markdown(head, rows)}")
    notes = [
        f"- {name}, {', '.join(columns)}: {note}."
        for (name, note), columns in _notes(table).items()
    ]
    kinds = [f"- {name}: {_kind(upscaler)}." for name, upscaler in table.upscalers.items()]
    blocks.append("\n".join(kinds + notes))
    return "\n\n".join(blocks) + "\n"


def as_markdown(table: Table) -> str:
    """Format the means, then the values of every image, folded."""
    blocks = [means_as_markdown(table)]
    for m, metric in enumerate(table.protocol.metrics):
        rows = []
        for c, column in enumerate(table.columns):
            values = [row[c].values[m] if row[c].values else None for row in table.scores]
            for i, image in enumerate(table.images):
                numbers = [format_number(v[i] if v else None, _DIGITS[metric.kind]) for v in values]
                rows.append([column.label, image, *numbers])
        heading = f"{metric.label} ({table.protocol.name}), each image"
        body = _markdown(["", "image", *table.upscalers], rows)
        blocks.append(f"<details><summary>{heading}</summary>\n\n{body}\n\n</details>\n")
    return "\n".join(blocks)


def as_csv(table: Table) -> str:
    """Format one line for each value; means have the image "mean"."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ("protocol", "how", "cell", "scale", "system", "measure", "image", "value", "note")
    )
    for c, column in enumerate(table.columns):
        for result in _results(table, c):
            values = [result["mean"], *(result["values"] or ())]
            for image, value in zip(["mean", *table.images], values, strict=False):
                writer.writerow(
                    (
                        *(table.protocol.name, result["how"], column.label, f"{column.scale:.6g}"),
                        *(result["system"], result["measure"], image),
                        *("" if value is None else f"{value:.6f}", result["note"] or ""),
                    )
                )
    return text.getvalue()


def as_json(table: Table) -> str:
    """Format everything, nested; infinite values (equal images) are the text "inf"."""
    content = {
        "protocol": table.protocol.name,
        "how": table.protocol.how,
        "tfsr": __version__,
        "data": table.data,
        "originals": describe_originals(table),
        "images": table.images,
        "systems": [{"name": name, "kind": _kind(x)} for name, x in table.upscalers.items()],
        "cells": [
            {
                "cell": column.label,
                "scale": column.scale,
                "lr": column.origin,
                "results": [
                    {**result, "mean": _plain(result["mean"]), "values": _plain(result["values"])}
                    for result in _results(table, c)
                ],
            }
            for c, column in enumerate(table.columns)
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


FORMATS: dict[str, Callable[[Table], str]] = {
    ".md": as_markdown,
    ".csv": as_csv,
    ".json": as_json,
}
"""Formats by the suffix of the file."""


def describe_images(table: Table) -> str:
    """Return the number of images and the data set's name."""
    count = len(table.images)
    return f"{count} image{'s' if count > 1 else ''} of {table.data}"


def describe_originals(table: Table) -> str:
    """Return the originals' sizes: they matter where LR and HR are both made from them."""
    sizes = sorted({pair.original_size for pair in table.columns[0].pairs})
    height, width = sizes[0]
    if len(sizes) == 1:
        return f"originals of {width}x{height}"
    return f"originals of {len(sizes)} sizes, {width}x{height} to {sizes[-1][1]}x{sizes[-1][0]}"


def format_number(value: float | None, digits: int) -> str:
    """Return a number with that many decimals, "" for None."""
    return "" if value is None else f"{value:.{digits}f}"


def _results(table: Table, column: int) -> Iterator[dict[str, Any]]:
    """The results of a column, one for each upscaler and metric."""
    origin = f"{table.protocol.how}; {table.columns[column].origin}; {describe_originals(table)}"
    for name, row in zip(table.upscalers, table.scores, strict=True):
        score = row[column]
        for m, metric in enumerate(table.protocol.metrics):
            yield {
                "system": name,
                "measure": metric.name,
                "how": f"{metric.label}; {origin}",
                "mean": score.mean(m),
                "values": list(score.values[m]) if score.values else None,
                "note": score.note,
            }


def _notes(table: Table) -> dict[tuple[str, str], list[str]]:
    """The columns without result for each upscaler and reason."""
    labels: dict[tuple[str, str], list[str]] = {}
    for name, row in zip(table.upscalers, table.scores, strict=True):
        for column, score in zip(table.columns, row, strict=True):
            if score.note is not None:
                labels.setdefault((name, score.note), []).append(column.label)
    return labels


def _origins(table: Table) -> str:
    """Where LR images come from, and the sizes of originals."""
    labels: dict[str, list[str]] = {}
    for column in table.columns:
        labels.setdefault(column.origin, []).append(column.label)
    origins = list(labels)
    if len(origins) > 1:
        origins = [f"{origin} at {', '.join(columns)}" for origin, columns in labels.items()]
    return "; ".join([*origins, describe_originals(table)])


def _kind(upscaler: Upscaler) -> str:
    return upscaler.kind + (", which rounds to 8 bits" if upscaler.rounds else "")


def _mean(table: Table, row: int, column: int, metric: int) -> str:
    kind = table.protocol.metrics[metric].kind
    text = format_number(table.scores[row][column].mean(metric), _DIGITS[kind])
    gain = table.gain(row, column, metric)
    return f"{text} ({gain:+.3f})" if kind == "psnr" and gain is not None else text


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if value is None or math.isfinite(value) else str(value)


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    # A bar in a file's name would begin another column, and a new line another row.
    escaped = (
        [" ".join(text.replace("|", "\\|").split()) for text in row]
        for row in (head, ["---"] * len(head), *rows)
    )
    return "\n".join("| " + " | ".join(row) + " |" for row in escaped)
