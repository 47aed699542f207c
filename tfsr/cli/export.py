"""`tfsr export tflite` and `tfsr export saved-model`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from tfsr.cli.completion import preset_names
from tfsr.cli.options import parse_memory, parse_scales, parse_size, usage
from tfsr.cli.strength import OPTION
from tfsr.cli.suppress_stderr import import_keras, silence
from tfsr.errors import InvalidArgument
from tfsr.presets import check_strength, read_metadata

app = typer.Typer(
    help="Take a preset out of Python: a TFLite file or a SavedModel.\n\n"
    "Example: tfsr export tflite --lr 64x64 --scale 4 -o face-x4.tflite"
)

Preset = Annotated[
    str | None,
    typer.Option(help="A preset's name, or its directory.", autocompletion=preset_names),
]
Strength = Annotated[
    float | None,
    typer.Option(
        metavar="0..1", help="Of a preset with a clean twin: 0 is the twin, 1 the preset."
    ),
]


@app.command()
def tflite(
    lr: Annotated[str, typer.Option(metavar="WxH", help="Size of the images it takes.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The .tflite.")],
    scale: Annotated[
        str | None, typer.Option(metavar="S,...", help="Scales it answers in, such as 2,3.7.")
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH,...", help="Sizes it answers in, such as 237x237.")
    ] = None,
    preset: Preset = None,
    strength: Strength = None,
    quantize: Annotated[
        str, typer.Option(metavar="none|float16|dynamic|int8", help="How weights are kept.")
    ] = "none",
    calibration: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Images of the kind it will see, for int8.")
    ] = None,
    io: Annotated[
        str, typer.Option(metavar="float32|uint8", help="Type of input and output.")
    ] = "float32",
    max_memory: Annotated[
        str, typer.Option(metavar="SIZE", help="What drawing should take.")
    ] = "128MiB",
) -> None:
    """Write a file of fixed size for phones and browsers.

    Example: tfsr export tflite --lr 64x64 --scale 4 -o face-x4.tflite
    """
    from tfsr.images import list_images

    _check(strength)
    lr_size = parse_size(lr, "--lr")
    memory = parse_memory(max_memory, "--max-memory")
    import_keras()
    sizes = list(_sizes(lr_size, scale, size))
    images = list_images(calibration) if calibration is not None else []
    model, metadata = _model(preset, strength)
    with silence():
        from tfsr import exporters

        report = exporters.tflite(
            model,
            output,
            lr_size,
            sizes,
            quantize=quantize,  # type: ignore[arg-type]
            calibration=images,
            io=io,  # type: ignore[arg-type]
            max_memory=memory,
            metadata=metadata,
        )
    typer.echo(_line(report))


@app.command("saved-model")
def saved_model(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of all versions.")
    ],
    preset: Preset = None,
    strength: Strength = None,
    version: Annotated[int, typer.Option(help="Servers take the highest.")] = 1,
    warmup: Annotated[
        bool, typer.Option("--warmup", help="Add requests that a server answers first.")
    ] = False,
    max_input_pixels: Annotated[
        int | None, typer.Option(metavar="N", help="Of a request; by default what 4 GiB encode.")
    ] = None,
    max_output_pixels: Annotated[
        int, typer.Option(metavar="N", help="Of an output.")
    ] = 100_000_000,
) -> None:
    """Write a SavedModel for servers: images of any size, in any size.

    Example: tfsr export saved-model -o models/faces --warmup
    """
    _check(strength)
    import_keras()
    model, metadata = _model(preset, strength)
    with silence():
        from tfsr import exporters

        report = exporters.saved_model(
            model,
            output,
            version=version,
            warmup=warmup,
            max_input_pixels=max_input_pixels,
            max_output_pixels=max_output_pixels,
            metadata=metadata,
        )
    typer.echo(_line(report))


def _sizes(lr_size: tuple[int, int], scale: str | None, size: str | None) -> Iterator[tuple]:
    from tfsr.geometry import output_size

    if scale is None and size is None:
        raise InvalidArgument("give --scale or --size, or both")
    for factor in parse_scales(scale) if scale is not None else ():
        try:
            size_there = output_size(lr_size, factor)
        except OverflowError as error:
            raise InvalidArgument(f"--scale {factor:g} is more than any image has") from error
        if factor * min(lr_size) < 0.5:
            raise InvalidArgument(f"--scale {factor:g} leaves less than a pixel of the image")
        yield size_there
    for text in (size or "").split(",") if size is not None else ():
        yield parse_size(text)


def _check(strength: float | None) -> None:
    if strength is not None:
        with usage():
            check_strength(strength, OPTION)


def _model(preset: str | None, strength: float | None) -> tuple[Any, dict[str, Any]]:
    """The preset's model, and what of its metadata travels with an export."""
    from tfsr import __version__
    from tfsr.presets import DEFAULT, clean_twin, from_preset

    name = preset or DEFAULT
    model, origin = from_preset(name, strength), _origin(name)
    if strength is not None:
        origin |= {"strength": strength, "clean": _origin(clean_twin(name))}
    return model, {"preset": origin, "tfsr": __version__}


def _origin(preset: str) -> dict[str, Any]:
    metadata = read_metadata(preset)
    return {key: metadata[key] for key in ("name", "sha256", "provenance") if key in metadata}


def _line(report: Any) -> str:
    agreement = "equal to the model"
    if report.largest_difference:
        agreement = (
            f"agrees with the model to {report.psnr_vs_model:.1f} dB "
            f"(largest difference {report.largest_difference:.1g})"
        )
    return f"{report.path}: {report.bytes / 2**20:.2f} MiB, {agreement}"
