"""The options of the command line, each declared once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from tfsr.cli.parsing import (
    parse_box,
    parse_eyes,
    parse_inset,
    parse_lr_size,
    parse_scale,
    parse_scales,
    parse_size,
    parse_sizes,
    parse_strengths,
)
from tfsr.errors import InvalidArgument, TfsrError
from tfsr.inference.locations import parse_location
from tfsr.inference.memory_amount import parse_memory
from tfsr.inference.target_size import MAX_INPUT_PIXELS, MAX_OUTPUT_PIXELS
from tfsr.presets import names

T = TypeVar("T")

# Arguments of Python whose options have another name.
_RENAMED = {
    "max_input_pixels": "--max-input",
    "max_output_pixels": "--max-output",
    "max_memory": "--memory",
    "image_format": "--format",
}


class UsageError(typer.TyperException):
    """An option has an impossible value: exit code 2."""

    exit_code = 2


def message_of(error: TfsrError) -> str:
    """Return an error's line, with its argument spelled as the option that it is."""
    if error.argument is None:
        return str(error)
    option = _RENAMED.get(error.argument, "--" + error.argument.replace("_", "-"))
    return f"{option} {error.message}"


@contextmanager
def usage() -> Iterator[None]:
    """Turn an invalid argument into a usage error: exit code 2."""
    try:
        yield
    except InvalidArgument as error:
        raise UsageError(message_of(error)) from error


def _parsed_by(parse: Callable[[str], T]) -> Callable[[Any], T]:
    """A parser of an option, whose errors are usage errors."""

    @wraps(parse)
    def parse_option(text: Any) -> T:
        with usage():
            return parse(text)

    return parse_option


def preset_names(incomplete: str) -> list[str]:
    """Complete the name of a shipped preset, without importing TensorFlow."""
    return [name for name in names() if name.startswith(incomplete)]


_SIZE, _FACES = "Size, one of these", "Faces in a photograph, each any number of times"
_MODEL, _FILES = "Model", "Files"

MAX_INPUT, MAX_OUTPUT = MAX_INPUT_PIXELS / 1e6, MAX_OUTPUT_PIXELS / 1e6


def _option(panel: str | None, metavar: str | None, help: str, *flags: str, **more: Any) -> Any:
    """An option without the default value in its help; `parse` reads its text."""
    if "parse" in more:
        more["parser"] = _parsed_by(more.pop("parse"))
    more |= {"metavar": metavar, "help": help, "rich_help_panel": panel, "show_default": False}
    return typer.Option(*flags, **more)


Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="IN...", help="Images, folders, quoted patterns, or -.", parser=parse_location
    ),
]
OutputFiles = Annotated[str, _option(None, "OUT", "A file, a folder, or -.", "-o", "--output")]

Scale = Annotated[
    tuple | None,
    _option(_SIZE, "S|SxS", "Factor such as 3.7, or width x height.", parse=parse_scale),
]
Size = Annotated[
    tuple | None, _option(_SIZE, "WxH", "Exact size, such as 237x173.", parse=parse_size)
]
Fit = Annotated[str, _option(_SIZE, "HOW", "How to fit --size: stretch (default), cover, contain.")]
LongSide = Annotated[int | None, _option(_SIZE, "N", "The longer side, in pixels.")]
ShortSide = Annotated[int | None, _option(_SIZE, "N", "The shorter side, in pixels.")]
Megapixels = Annotated[float | None, _option(_SIZE, "MPX", "Width x height, in millions.")]
Scales = Annotated[
    tuple | None, _option(_SIZE, "S,...", "Scales, such as 2,3.7.", parse=parse_scales)
]
Sizes = Annotated[
    tuple | None, _option(_SIZE, "WxH,...", "Exact sizes, such as 237x237.", parse=parse_sizes)
]
LRSize = Annotated[tuple, _option(None, "WxH", "Input size of the model.", parse=parse_lr_size)]
OptionalLRSize = Annotated[
    tuple | None, _option(None, "WxH", "Input size (default: any).", parse=parse_lr_size)
]

BoxOption = Annotated[
    list[tuple] | None,
    _option(_FACES, "X,Y,W,H", "A face's rectangle.", parse=parse_box),
]
Eyes = Annotated[
    list[tuple] | None,
    _option(
        _FACES,
        "X1,Y1,X2,Y2",
        "The eyes of a face, left one first.",
        parse=parse_eyes,
    ),
]
Faces = Annotated[
    str | None,
    _option(_FACES, "HOW", "auto, only, or off (default with --preset).", "--faces"),
]
JsonFaces = Annotated[bool, _option(None, None, "Print one JSON line per face.", "--json")]
MinFace = Annotated[
    int | None, _option(_FACES, "N", "Smallest face to find, in pixels (default: 24).")
]
Background = Annotated[
    str,
    _option(
        *(_FACES, "P", "What upscales all else (default: photos)."), autocompletion=preset_names
    ),
]
Insets = Annotated[
    list[tuple] | None,
    _option(
        None, "X,Y,W,H", "Rectangle to enlarge, in pixels of IN.", "--inset", parse=parse_inset
    ),
]

Preset = Annotated[
    str | None,
    _option(
        *(_MODEL, "P", "A preset, run, .tflite, .onnx, SavedModel, bicubic."),
        autocompletion=preset_names,
    ),
]
Presets = Annotated[
    list[str] | None,
    _option(
        *(_MODEL, "P...", "Presets, runs, .tflite, .onnx, SavedModels, bicubic.", "--preset"),
        autocompletion=preset_names,
    ),
]
MorePresets = Annotated[
    list[str] | None, typer.Argument(metavar="[P...]", help="More presets, runs or files.")
]
PresetName = Annotated[
    str,
    _option(_MODEL, "P", "A preset's name, or its directory.", autocompletion=preset_names),
]
Strength = Annotated[
    float | None,
    _option(_MODEL, "0..1", "0: clean twin, 1: preset.", min=0, max=1),
]
Strengths = Annotated[
    tuple | None,
    _option(_MODEL, "0..1,...", "Each preset at each strength.", parse=parse_strengths),
]
Memory = Annotated[
    int, _option(_MODEL, "SIZE", "Memory budget (default: 2GiB).", parse=parse_memory)
]
Precision = Annotated[str, _option(_MODEL, "NAME", "float32, or bfloat16: faster where supported.")]
SelfEnsemble = Annotated[
    bool, _option(_MODEL, None, "Mean over mirrored images: better, slower.", "--self-ensemble")
]
DeviceName = Annotated[
    str | None, _option(_MODEL, "NAME", "cpu, gpu or gpu:N (default: first GPU, if any).")
]
Threads = Annotated[int | None, _option(_MODEL, "N", "CPU threads (default: all).")]
Ray = Annotated[
    str | None, _option(_MODEL, "ADDRESS", "Run on Ray: local, auto or HOST:PORT; reads URLs.")
]
Workers = Annotated[int | None, _option(_MODEL, "N", "Processes of --ray (default: one per core).")]

Sandbox = Annotated[
    bool, _option(_MODEL, None, "Run a .tflite or SavedModel with limits.", "--sandbox")
]

Format = Annotated[
    str | None, _option(_FILES, "NAME", "png, jpg, webp, tiff and so on.", "--format")
]
Quality = Annotated[int | None, _option(_FILES, "N", "1 to 100: JPEG, WebP, AVIF.")]
Frames = Annotated[bool, _option(_FILES, None, "All frames of animations.", "--frames")]
Recursive = Annotated[bool, _option(_FILES, None, "Subfolders too.", "--recursive")]
SkipExisting = Annotated[
    bool, _option(_FILES, None, "Leave undamaged files that exist.", "--skip-existing")
]
Overwrite = Annotated[bool, _option(_FILES, None, "Replace files that exist.", "--overwrite")]
JsonLines = Annotated[bool, _option(_FILES, None, "Print one JSON line per file.", "--json")]
Report = Annotated[Path | None, _option(_FILES, "FILE", "Write all results as JSON.")]
MaxInput = Annotated[float, _option(_FILES, "MPX", "Maximum megapixels read (default: 89).")]
MaxOutput = Annotated[float, _option(_FILES, "MPX", "Maximum megapixels written (default: 400).")]
