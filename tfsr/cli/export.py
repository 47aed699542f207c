"""`tfsr export tflite`, `tfsr export onnx` and `tfsr export saved-model`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tfsr.cli import options
from tfsr.cli.output_files import check_outputs
from tfsr.cli.printing import echo
from tfsr.cli.startup import import_keras, silence
from tfsr.errors import InvalidArgument
from tfsr.presets import DEFAULT, clean_twin, read_metadata

app = typer.Typer(
    help="Export a preset: a TFLite or ONNX file, or a SavedModel.\n\n"
    "Example: tfsr export tflite --lr-size 64x64 --scales 4 -o face-x4.tflite"
)


@app.command()
def tflite(
    lr_size: options.LRSize,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The .tflite.")],
    scales: options.Scales = None,
    sizes: options.Sizes = None,
    preset: options.PresetName = DEFAULT,
    strength: options.Strength = None,
    quantize: Annotated[
        str, typer.Option(metavar="none|float16|dynamic|int8", help="Type of the weights.")
    ] = "none",
    calibration: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Images like its inputs, for int8.")
    ] = None,
    io: Annotated[
        str, typer.Option(metavar="float32|uint8", help="Type of input and output.")
    ] = "float32",
    memory: options.Memory = 128 * 2**20,
    overwrite: options.Overwrite = False,
) -> None:
    """Write a file of fixed sizes for phones and browsers.

    Example: tfsr export tflite --lr-size 64x64 --scales 4 -o face-x4.tflite
    """
    from tfsr.images import list_images

    import_keras()
    check_outputs([output], overwrite)
    hr_sizes = _sizes(lr_size, scales or (), sizes or ())
    images = list_images(calibration) if calibration is not None else []
    model, metadata = _model(preset, strength)
    with silence():
        from tfsr import exporters

        report = exporters.tflite(
            model,
            output,
            lr_size,
            hr_sizes,
            quantize=quantize,  # type: ignore[arg-type]
            calibration=images,
            io=io,  # type: ignore[arg-type]
            max_memory=memory,
            metadata=metadata,
            overwrite=overwrite,
        )
    echo(_line(report))


@app.command()
def onnx(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The .onnx.")],
    lr_size: options.OptionalLRSize = None,
    scale: Annotated[
        float | None, typer.Option(metavar="S", help="Factor (default: any, a second input).")
    ] = None,
    size: options.Size = None,
    preset: options.PresetName = DEFAULT,
    strength: options.Strength = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Write a file for ONNX runtimes: of fixed sizes, of one scale, or of any size.

    Example: tfsr export onnx --scale 4 -o faces-x4.onnx
    """
    import_keras()
    check_outputs([output], overwrite)
    model, metadata = _model(preset, strength)
    with silence():
        from tfsr import exporters

        report = exporters.onnx(
            model,
            output,
            lr_size=lr_size,
            size=size,
            scale=scale,
            metadata=metadata,
            overwrite=overwrite,
        )
    echo(_line(report))


@app.command("saved-model")
def saved_model(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder of all versions.")
    ],
    preset: options.PresetName = DEFAULT,
    strength: options.Strength = None,
    version: Annotated[int, typer.Option(help="Servers take the highest.")] = 1,
    warmup: Annotated[
        bool, typer.Option("--warmup", help="Add requests that a server runs first.")
    ] = False,
    max_input: Annotated[
        float | None,
        typer.Option(metavar="MPX", help="Most megapixels read (default: what 4 GiB encode)."),
    ] = None,
    max_output: Annotated[
        float, typer.Option(metavar="MPX", help="Most megapixels of an output.")
    ] = 100,
) -> None:
    """Write a SavedModel for servers: images of any size, to any size.

    Example: tfsr export saved-model -o models/faces --warmup
    """
    import_keras()
    model, metadata = _model(preset, strength)
    with silence():
        from tfsr import exporters

        report = exporters.saved_model(
            model,
            output,
            version=version,
            warmup=warmup,
            max_input_pixels=None if max_input is None else round(max_input * 1e6),
            max_output_pixels=round(max_output * 1e6),
            metadata=metadata,
        )
    echo(_line(report))


def _sizes(lr_size: tuple[int, int], scales: tuple, sizes: tuple) -> list[tuple[int, int]]:
    from tfsr.geometry import output_size

    if not scales and not sizes:
        raise InvalidArgument("give --scales or --sizes, or both")
    for scale in scales:
        if scale * min(lr_size) < 0.5:
            raise InvalidArgument(f"{scale:g} leaves less than a pixel of the image", "scales")
        if scale > 1e9:
            raise InvalidArgument(f"{scale:g} is larger than any image", "scales")
    return [*(output_size(lr_size, scale) for scale in scales), *sizes]


def _model(preset: str, strength: float | None) -> tuple[Any, dict[str, Any]]:
    """The preset's model, and the metadata of an export."""
    from tfsr import __version__
    from tfsr.presets import from_preset

    model, origin = from_preset(preset, strength), _origin(preset)
    if strength is not None:
        origin |= {"strength": strength, "clean": _origin(clean_twin(preset))}
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
