"""One image from the standard input, or to the standard output."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, redirect_stdout
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import typer

from tfsr.cli.printing import echo, one_line
from tfsr.errors import ImageError

if TYPE_CHECKING:
    from tfsr.inference.jobs import Existing, Job, JobResult
    from tfsr.inference.locations import Location

_STREAM = "-"
_MAX_BYTES = 2**30  # of an image: more than 89 megapixels of 16 bits and four channels


def is_stream(path: str | os.PathLike[str]) -> bool:
    """Whether a path stands for the standard input or output; `-` may be a file too."""
    return os.fspath(path) == _STREAM and not os.path.lexists(path)


def upscale_stream(
    run: Callable[[list[Job]], Generator[JobResult]],
    inputs: Sequence[Location],
    output: str,
    suffix: str | None,
    existing: Existing,
) -> None:
    """Upscale one image; if it goes to the standard output, nothing else does.

    Args:
        run: runs jobs.
        inputs: one file, or `-`.
        output: a file, or `-`.
        suffix: of the format on the standard output; None: .png.
        existing: as of `plan_jobs`.

    Raises:
        ImageError: it cannot be read, upscaled or written, or is an animation.
    """
    from tfsr.cli.batch_progress import describe
    from tfsr.images import check_writable_format
    from tfsr.images.files import read_header
    from tfsr.inference.jobs import names_one_file, plan_jobs

    if not names_one_file(inputs):
        raise ImageError("-: is one image; give one file, or - for the standard input")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tfsr-")))
        out = stack.enter_context(_standard_output()) if is_stream(output) else None
        source, target = Path(inputs[0]), Path(output)
        if is_stream(source):
            source = folder / "input"
            _receive(source)
        if out is not None:
            target = folder / f"output{suffix or '.png'}"
        try:
            check_writable_format(target)
            if (frames := read_header(source).frames) > 1:
                raise ImageError(f"{source}: has {frames} images; streams have one: name files")
            jobs, failed = plan_jobs([source], target, suffix=suffix, existing=existing)
            with closing(run(jobs)) as results:
                (result,) = chain(failed, results)
            if result.error is not None:
                raise ImageError(result.error)
        except ImageError as error:
            # Nobody knows the files in the folder.
            line = str(error)
            for path in (folder / "input", target if out is not None else folder / "input"):
                line = line.replace(str(path), _STREAM)
            raise ImageError(line) from error
        if out is None:
            echo(describe(result))
            return
        for note in result.notes:
            typer.echo(one_line(f"tfsr: {note}"), err=True)
        out.write(target.read_bytes())
        out.flush()


def _receive(path: Path) -> None:
    if sys.stdin is None or sys.stdin.isatty():
        raise ImageError("-: no image on the standard input; name a file")
    with open(path, "wb") as file:
        while block := sys.stdin.buffer.read(2**20):
            file.write(block)
            if file.tell() > _MAX_BYTES:
                raise ImageError(f"-: more than {_MAX_BYTES} bytes; name a file")


@contextmanager
def _standard_output() -> Iterator[BinaryIO]:
    """The standard output, to which nothing else is printed inside the block."""
    sys.stdout.flush()
    with open(os.dup(1), "wb") as own, redirect_stdout(sys.stderr):
        os.dup2(2, 1)
        try:
            yield own
        finally:
            os.dup2(own.fileno(), 1)
