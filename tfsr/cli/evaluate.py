"""`tfsr evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfsr.cli.quiet import import_keras


def evaluate(
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Original pictures, such as 256x256 faces.")
    ],
    preset: Annotated[str | None, typer.Option(help="A preset's name, or its directory.")] = None,
    lr: Annotated[
        str, typer.Option(metavar="N,...", help="Sides of the LR pictures, such as 128,64.")
    ] = "",
    scale: Annotated[
        str, typer.Option(metavar="S,...", help="Or scales between the two, such as 2,3.")
    ] = "",
    protocol: Annotated[str, typer.Option(help="How PSNR is taken; see tfsr.metrics.")] = "rgb",
    degradation: Annotated[str, typer.Option(help="How the LR pictures are made.")] = "bicubic",
) -> None:
    """PSNR of a preset that restores reduced pictures, against bicubic.

    Example: tfsr evaluate --data faces/val --lr 128,64
    """
    import_keras()
    from tfsr.errors import InvalidArgument
    from tfsr.evaluation import Reduction, compare_with_bicubic
    from tfsr.images import list_images
    from tfsr.metrics import check_protocol
    from tfsr.presets import DEFAULT, from_preset

    check_protocol(protocol)
    sides = [Reduction(int(x), degradation=degradation) for x in _numbers("--lr", lr)]
    scales = [Reduction(scale=x, degradation=degradation) for x in _numbers("--scale", scale)]
    reductions = sides + scales
    if not reductions:
        raise InvalidArgument("give --lr, --scale or both, for example --lr 128,64")
    paths = list_images(data)
    model = from_preset(preset or DEFAULT)
    typer.echo(f"{len(paths)} pictures, protocol {protocol}, {degradation} LR, 8-bit, PSNR in dB")
    for reduction in reductions:
        ours, bicubic = compare_with_bicubic(model, paths, reduction, protocol)
        typer.echo(
            f"from {reduction.label}: {ours:.3f}, bicubic {bicubic:.3f}, gain {ours - bicubic:+.3f}"
        )


def _numbers(option: str, text: str) -> list[float]:
    from tfsr.errors import InvalidArgument

    kind = int if option == "--lr" else float
    try:
        numbers = [kind(part) for part in text.split(",") if text]
    except ValueError:
        numbers = [0]
    if not all(0 < number < float("inf") for number in numbers):
        example = "sides in pixels, such as 128,64" if kind is int else "numbers, such as 2,3.5"
        raise InvalidArgument(f"{option} must be {example}; got {text!r}")
    return numbers
