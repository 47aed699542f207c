"""`tfsr presets` and `tfsr presets show`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfsr.cli.options import preset_names

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback(invoke_without_command=True)
def presets(context: typer.Context, as_json: AsJson = False) -> None:
    """List the shipped presets, or show one's provenance.

    Example: tfsr presets show faces
    """
    if context.invoked_subcommand is not None:
        return
    from tfsr.presets import names
    from tfsr.presets.description import describe

    found = [describe(name) for name in names()]
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    table = _table("preset", "for", "parameters", "size", "licence", "gain")
    for preset in found:
        table.add_row(*map(_cell, _row(preset)))
    _print(table)
    if takers := [str(preset["name"]) for preset in found if preset["clean"]]:
        typer.echo(f"\nWith --strength 0..1: {_cell(', '.join(takers))}")


@app.command()
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A preset's name, or its directory.", autocompletion=preset_names
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Show a preset's provenance, licence and quality, and verify its files.

    Example: tfsr presets show faces
    """
    from tfsr.presets.description import describe

    preset = describe(name)
    if as_json:
        typer.echo(json.dumps(preset, indent=2))
    else:
        _print(_facts(preset))
        if preset["quality"]["from"]:
            typer.echo()
            _print(_quality(preset["quality"]["from"]))
        typer.echo()
        _print(_files(preset["files"]))
    damaged = [file["name"] for file in preset["files"] if not file["matches"]]
    if damaged:
        typer.echo(f"tfsr: {name}: damaged: {', '.join(damaged)}; copy the preset again", err=True)
        sys.exit(1)


def _row(preset: dict[str, Any]) -> tuple[Any, ...]:
    gains = [figures["gain"] for figures in preset["quality"]["from"].values()]
    return (
        *(preset["name"], preset["purpose"], preset["parameters"]),
        f"{sum(file['bytes'] for file in preset['files']) / 1e6:.1f} MB",
        preset["licence"],
        f"{min(gains):+.1f} to {max(gains):+.1f} dB" if gains else None,
    )


def _facts(preset: dict[str, Any]) -> Table:
    quality = preset["quality"]
    measured = [str(quality[key]) for key in ("what", "degradation") if key in quality]
    if "images" in quality:
        measured.append(f"{quality['images']} images")
    facts = {
        **{key: preset[key] for key in ("name", "purpose", "parameters", "licence")},
        **{k: v for k, v in preset["provenance"].items() if k not in ("purpose", "licence")},
        **{key: preset[key] for key in ("steps", "commit")},
        "strength": f"0..1; 0 is {preset['clean']}" if preset["clean"] else None,
        "quality": ", ".join(measured) or None,
    }
    table = _table("", "")
    table.show_header = False
    for key, value in facts.items():
        if value is not None:
            table.add_row(_cell(key), _cell(value))
    return table


def _quality(measured: dict[str, dict[str, float]]) -> Table:
    table = _table("from", "bicubic", "preset", "gain")
    for size, figures in measured.items():
        psnr, bicubic, gain = (figures[key] for key in ("psnr", "bicubic", "gain"))
        table.add_row(_cell(size), f"{bicubic:.2f}", f"{psnr:.2f}", f"{gain:+.2f}")
    return table


def _files(files: list[dict[str, Any]]) -> Table:
    table = _table("file", "", "sha256")
    for file in files:
        state = "matches" if file["matches"] else "DIFFERS"
        table.add_row(_cell(file["name"]), state, _cell(file["sha256"]))
    return table


def _table(first: str, *headers: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(first, no_wrap=True)
    for header in headers:
        # Numbers are not wrapped on a narrow terminal.
        no_wrap, width = header in ("parameters", "size"), 11 if header == "for" else None
        table.add_column(header, overflow="fold", no_wrap=no_wrap, min_width=width)
    return table


def _cell(value: Any) -> str:
    """A value as text, without control characters: the preset may be of anybody."""
    if value is None:
        return "-"
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _print(table: Table) -> None:
    from rich.console import Console

    Console(markup=False, highlight=False, emoji=False).print(table)
