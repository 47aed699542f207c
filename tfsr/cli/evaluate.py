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
    lr: Annotated[str, typer.Option(metavar="N,N,...", help="Sides of the LR pictures.")] = (
        "171,128,64,32"
    ),
    protocol: Annotated[str, typer.Option(help="How PSNR is taken; see tfsr.metrics.")] = "rgb",
    degradation: Annotated[str, typer.Option(help="How the LR pictures are made.")] = "bicubic",
) -> None:
    """PSNR of a preset that restores reduced pictures, against bicubic.

    Example: tfsr evaluate --data faces/val --lr 128,64
    """
    import_keras()
    from tfsr.errors import InvalidArgument, did_you_mean
    from tfsr.evaluation import Reduction, compare_with_bicubic
    from tfsr.images import list_images
    from tfsr.metrics import PROTOCOLS
    from tfsr.presets import DEFAULT, from_preset

    if not all(part.strip().isdecimal() and int(part) > 0 for part in lr.split(",")):
        raise InvalidArgument(f"--lr must be sides in pixels, such as 128,64; got {lr!r}")
    paths = list_images(data)
    model = from_preset(preset or DEFAULT)
    reductions = [Reduction(int(part), degradation=degradation) for part in lr.split(",")]
    if protocol not in PROTOCOLS:
        raise InvalidArgument(
            f"--protocol must be one of {', '.join(PROTOCOLS)}; got {protocol!r}."
            + did_you_mean(protocol, PROTOCOLS)
        )
    typer.echo(f"{len(paths)} pictures, protocol {protocol}, {degradation} LR, 8-bit, PSNR in dB")
    for reduction in reductions:
        ours, bicubic = compare_with_bicubic(model, paths, reduction, protocol)
        typer.echo(
            f"from {reduction.label}: {ours:.3f}, bicubic {bicubic:.3f}, gain {ours - bicubic:+.3f}"
        )
