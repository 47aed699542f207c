"""What is asked of every image of a batch, and whether a file allows it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tfsr.errors import ImageError, InvalidArgument
from tfsr.images import check_writable_format
from tfsr.images.files import Header
from tfsr.images.frames import check_holds_frames
from tfsr.images.integrity import is_complete
from tfsr.inference.jobs import Job, JobResult
from tfsr.inference.limits import Limits
from tfsr.inference.sizes import TargetSize


@dataclass(frozen=True)
class Request(Limits):
    """What is asked of every image, within limits.

    Attributes:
        target: the size of the outputs.
        quality: 1 to 100, for formats that lose something; None for their own.
        frames: whether all images of an animation are upscaled, and not the first alone.

    Raises:
        InvalidArgument: if the quality is not possible.
    """

    target: TargetSize
    quality: int | None = None
    frames: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        quality = self.quality
        if quality is not None and not (isinstance(quality, int) and 1 <= quality <= 100):
            raise InvalidArgument(
                f"--quality must be a whole number from 1 to 100; got {quality!r}"
            )

    def count(self, header: Header) -> int:
        """How many images of a file are upscaled."""
        return header.frames if self.frames else 1

    def check(self, job: Job) -> tuple[Header, tuple[int, int]]:
        """Look at a file's header: (header, (H, W) of the output), before memory is taken.

        Raises:
            ImageError: if it cannot be read, is too large, or the target cannot hold the output.
            InvalidArgument: if the output is too large.
        """
        header = self.header(job.source, self.frames)
        count = self.count(header)
        if count > 1:
            check_holds_frames(job.target)
        return header, self.size(job, header.size, count)

    def size(self, job: Job, lr_size: tuple[int, int], count: int = 1) -> tuple[int, int]:
        """(H, W) of the output to so many images of (h, w).

        Raises:
            ImageError: if the target cannot hold it.
            InvalidArgument: if it is too large.
        """
        return self.check_output(lr_size, job.target, count)[1]

    def check_output(
        self, lr_size: tuple[int, int], target: Path | None = None, count: int = 1
    ) -> tuple[tuple[int, int], tuple[int, int]]:
        """(H, W) that so many images of (h, w) are drawn at, and (H, W) of the output.

        Raises:
            ImageError: if the target, where there is one, cannot hold it.
            InvalidArgument: if it is too large.
        """
        most = self.max_output // count
        drawn, size = self.target.drawn(lr_size, most), self.target.of(lr_size, most)
        if target is not None:
            check_writable_format(target, size)
        return drawn, size


def skip_done(jobs: list[Job], request: Request) -> tuple[list[Job], list[JobResult]]:
    """Part jobs into those to be done and those whose target is there, whole and of the right size.

    No pixel is decoded where the format tells that a file is whole.
    """
    left: list[Job] = []
    done: list[JobResult] = []
    for job in jobs:
        if os.path.isfile(job.target):
            try:
                header, size = request.check(job)
            except (ImageError, InvalidArgument):
                pass  # It will be told when its turn comes.
            else:
                if is_complete(job.target, size, several=request.count(header) > 1):
                    done.append(
                        JobResult(job.source, job.target, None, header.size, size, skipped=True)
                    )
                    continue
        left.append(job)
    return left, done
