"""Many files, one after the other: files are read ahead and written behind the model's back."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from tfsr.errors import ImageError, TfsrError
from tfsr.images import read_image, write_image
from tfsr.images.atomic import remove_abandoned
from tfsr.images.files import writing
from tfsr.images.frames import Frames, read_frames, write_frames
from tfsr.inference.jobs import Job, JobResult
from tfsr.inference.pixel_budget import Room
from tfsr.inference.request import Request
from tfsr.inference.upscale_image import Upscale, place, upscale_image

# Pixels that wait for the model, and for the disk: 100 and 200 MB of 8-bit RGB. A larger image
# waits alone.
_READ_AHEAD = 32_000_000
_WRITTEN_BEHIND = 64_000_000
_FILES_AHEAD = 8


@dataclass
class _Work:
    """A job on its way.

    Attributes:
        frames: its images; None before they are read and after they are written.
        in_pixels: what they take in the room of those that were read.
        out_pixels: what they take in the room of those to be written.
    """

    job: Job
    size: tuple[int, int] = (0, 0)
    lr_size: tuple[int, int] = (0, 0)
    frames: Frames | None = None
    in_pixels: int = 0
    out_pixels: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)


def run_jobs(jobs: Sequence[Job], request: Request, upscale: Upscale) -> Generator[JobResult]:
    """Do the jobs; a failed one is told and the rest go on.

    While the model draws one image, a thread decodes the next ones and others encode the last
    ones. Close the iterator (or use it up) to end the threads; files in the midst of being written
    are then finished first. What killed processes left where files go to is removed.

    Args:
        jobs: from `plan_jobs`.
        request: what is asked of every image.
        upscale: an `Upscaler`, or any function of its shape.

    Yields:
        What became of each job, in their order.
    """
    for folder in {job.target.parent for job in jobs}:
        remove_abandoned(folder)
    batch = _Batch(request, upscale)
    try:
        yield from batch.run(jobs)
    finally:
        batch.close()


class _Batch:
    def __init__(self, request: Request, upscale: Upscale) -> None:
        self.request, self.upscale = request, upscale
        self.ahead, self.behind = Room(_READ_AHEAD), Room(_WRITTEN_BEHIND)
        self.readers = ThreadPoolExecutor(1, "read")
        self.writers = ThreadPoolExecutor(2, "write")

    def close(self) -> None:
        self.ahead.close()
        self.behind.close()
        for threads in (self.readers, self.writers):
            threads.shutdown(cancel_futures=True)

    def run(self, jobs: Sequence[Job]) -> Iterator[JobResult]:
        written: deque[tuple[_Work, Future[None]]] = deque()
        for work, reading in self._read_ahead(jobs):
            written.append((work, self._drawn_and_sent(work, reading)))
            while written and written[0][1].done():
                yield _result(*written.popleft())
        while written:
            yield _result(*written.popleft())

    def _read_ahead(self, jobs: Sequence[Job]) -> Iterator[tuple[_Work, Future[None]]]:
        waiting: deque[tuple[_Work, Future[None]]] = deque()
        for job in jobs:
            work = _Work(job)
            waiting.append((work, self.readers.submit(self._read, work)))
            if len(waiting) > _FILES_AHEAD:
                yield waiting.popleft()
        yield from waiting

    def _drawn_and_sent(self, work: _Work, reading: Future[None]) -> Future[None]:
        """The future of its being written, or one that failed."""
        try:
            reading.result()
            self.behind.enter(work.out_pixels)
            try:
                self._draw(work)
                return self.writers.submit(self._write, work)
            except BaseException:
                self.behind.leave(work.out_pixels)
                raise
        except Exception as error:
            failed: Future[None] = Future()
            failed.set_exception(error)
            return failed
        finally:
            self.ahead.leave(work.in_pixels)

    def _read(self, work: _Work) -> None:
        job = work.job
        header, work.size = self.request.check(job)
        count = self.request.count(header)
        height, width = work.lr_size = header.size
        drawn = self.request.target.drawn(header.size, self.request.max_output)
        work.out_pixels = max(drawn[0] * drawn[1], work.size[0] * work.size[1]) * count
        self.ahead.enter(height * width * count)
        work.in_pixels = height * width * count
        start = time.perf_counter()
        if count > 1:
            work.frames = read_frames(job.source)
        else:
            work.frames = Frames((read_image(job.source),), (0,))
            if header.frames > 1:
                work.notes.append(f"the first of its {header.frames} images")
        lr_size = work.frames.images[0].size
        if lr_size != work.lr_size:  # What said that it lies on its side came after its pixels.
            work.lr_size, work.size = lr_size, self.request.size(job, lr_size, count)
        work.seconds += time.perf_counter() - start

    def _draw(self, work: _Work) -> None:
        frames = work.frames
        if frames is None:
            raise RuntimeError("drawn before it was read")
        start = time.perf_counter()
        outputs = []
        for image in frames.images:
            drawn = self.request.target.drawn(image.size, self.request.max_output)
            outputs.append(place(upscale_image(image, drawn, self.upscale), work.size))
        work.frames = replace(frames, images=tuple(outputs))
        work.seconds += time.perf_counter() - start

    def _write(self, work: _Work) -> None:
        frames, target, start = work.frames, work.job.target, time.perf_counter()
        if frames is None:
            raise RuntimeError("written before it was drawn")
        try:
            with writing(target):
                target.parent.mkdir(parents=True, exist_ok=True)
            if len(frames.images) > 1:
                lost = write_frames(target, frames, self.request.quality)
            else:
                lost = write_image(target, frames.images[0], self.request.quality)
            work.notes += [note for image in frames.images for note in image.notes]
            work.notes += lost
        finally:
            work.frames = None
            self.behind.leave(work.out_pixels)
        work.seconds += time.perf_counter() - start


def _result(work: _Work, writing_it: Future[None]) -> JobResult:
    job = work.job
    try:
        writing_it.result()
    except TfsrError as error:
        return JobResult(job.source, job.target, _naming(job, error))
    except Exception as error:
        # What the backend raises where NumPy raises MemoryError; no backend is imported here.
        if type(error).__name__ not in ("MemoryError", "ResourceExhaustedError"):
            raise
        wanted = f"{work.size[1]}x{work.size[0]} pixels"
        return JobResult(job.source, job.target, f"{job.source}: not enough memory for {wanted}")
    return JobResult(
        *(job.source, job.target, None, work.lr_size, work.size, work.seconds),
        notes=tuple(dict.fromkeys(work.notes)),
    )


def _naming(job: Job, error: TfsrError) -> str:
    """The error's line, with the file's name before it unless it has it already."""
    line = str(error)
    return line if isinstance(error, ImageError) else f"{job.source}: {line}"
