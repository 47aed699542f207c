"""What is asked of every picture of a batch, and whether a file allows it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tfsr.errors import ImageError, InvalidArgument
from tfsr.images import check_writable_format
from tfsr.images.files import Header, read_header
from tfsr.images.frames import check_holds_frames
from tfsr.images.wholeness import is_whole
from tfsr.inference.jobs import Job, Outcome
from tfsr.inference.sizes import MAX_INPUT_PIXELS, MAX_OUTPUT_PIXELS, TargetSize


@dataclass(frozen=True)
class Request:
    """What is asked of every picture.

    Attributes:
        target: the size of the answers.
        quality: 1 to 100, for formats that lose something; None for their own.
        frames: whether all pictures of an animation are upscaled, and not the first alone.
        max_input: the most pixels that are read from a file.
        max_output: the most pixels that are written to one.

    Raises:
        InvalidArgument: if the quality or a limit is not possible.
    """

    target: TargetSize
    quality: int | None = None
    frames: bool = False
    max_input: int = MAX_INPUT_PIXELS
    max_output: int = MAX_OUTPUT_PIXELS

    def __post_init__(self) -> None:
        if self.quality is not None and self.quality not in range(1, 101):
            raise InvalidArgument(f"--quality must be 1 to 100; got {self.quality!r}")
        bombs = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        if not 1 <= self.max_input <= bombs:
            raise InvalidArgument(
                f"--max-input must be above 0 and at most {bombs / 1e6:.6f} megapixels, beyond "
                f"which Pillow suspects a decompression bomb; got {self.max_input / 1e6:.6g}"
            )
        if self.max_output < 1:
            raise InvalidArgument(
                f"--max-output must be above 0 megapixels; got {self.max_output / 1e6:.6g}"
            )

    def count(self, header: Header) -> int:
        """How many pictures of a file are upscaled."""
        return header.frames if self.frames else 1

    def check(self, job: Job) -> tuple[Header, tuple[int, int]]:
        """Look at a file's header: (header, (H, W) of the answer), before memory is taken.

        Raises:
            ImageError: if it cannot be read, is too large, or the target cannot hold the answer.
            InvalidArgument: if the answer is too large.
        """
        header = self.check_source(job.source)
        count = self.count(header)
        if count > 1:
            check_holds_frames(job.target)
        return header, self.size(job, header.size, count)

    def check_source(self, source: Path) -> Header:
        """Look at a file's header, before memory is taken.

        Raises:
            ImageError: if it cannot be read, or is too large.
        """
        header = read_header(source)
        height, width = header.size
        count = self.count(header)
        pixels = height * width * count
        if pixels > self.max_input:
            frames = f"{count} frames of " if count > 1 else ""
            raise ImageError(
                f"{source}: {frames}{width}x{height} is {pixels / 1e6:.4g} megapixels; the "
                f"limit is {self.max_input / 1e6:.4g}: reduce it, or raise that with --max-input"
            )
        return header

    def size(self, job: Job, lr_size: tuple[int, int], count: int = 1) -> tuple[int, int]:
        """(H, W) of the answer to so many pictures of (h, w).

        Raises:
            ImageError: if the target cannot hold it.
            InvalidArgument: if it is too large.
        """
        return self.check_answer(lr_size, job.target, count)[1]

    def check_answer(
        self, lr_size: tuple[int, int], target: Path | None = None, count: int = 1
    ) -> tuple[tuple[int, int], tuple[int, int]]:
        """(H, W) that so many pictures of (h, w) are drawn at, and (H, W) of the answer.

        Raises:
            ImageError: if the target, where there is one, cannot hold it.
            InvalidArgument: if it is too large.
        """
        most = self.max_output // count
        drawn, size = self.target.drawn(lr_size, most), self.target.of(lr_size, most)
        if target is not None:
            check_writable_format(target, size)
        return drawn, size


def pixels_of(megapixels: float, option: str) -> int:
    """Pixels of so many megapixels.

    Raises:
        InvalidArgument: if they are not a finite number.
    """
    try:
        return round(megapixels * 1e6)
    except (OverflowError, TypeError, ValueError) as error:
        raise InvalidArgument(
            f"{option} must be a finite number of megapixels; got {megapixels!r}"
        ) from error


def skip_done(jobs: list[Job], request: Request) -> tuple[list[Job], list[Outcome]]:
    """Part jobs into those to be done and those whose target is there, whole and of the right size.

    No pixel is decoded where the format tells that a file is whole.
    """
    left: list[Job] = []
    done: list[Outcome] = []
    for job in jobs:
        if job.target.is_file():
            try:
                header, size = request.check(job)
            except (ImageError, InvalidArgument):
                pass  # It will be told when its turn comes.
            else:
                if is_whole(job.target, size):
                    done.append(
                        Outcome(job.source, job.target, None, header.size, size, skipped=True)
                    )
                    continue
        left.append(job)
    return left, done
