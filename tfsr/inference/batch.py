"""Many files, one after the other: read ahead of the model and written behind it."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from tfsr.errors import ImageError, InvalidArgument, TfsrError
from tfsr.images.decoding import decode
from tfsr.images.files import OutputExists, header_of, opened, read_header, write_file
from tfsr.images.frames import Frames, check_holds_frames, decode_frames, encode_frames
from tfsr.images.integrity import is_complete
from tfsr.inference.job_files import JobFiles
from tfsr.inference.jobs import Job, JobResult
from tfsr.inference.pixel_budget import PixelBudget
from tfsr.inference.request import UpscaleRequest
from tfsr.inference.upscale_image import PixelUpscaler, crop_or_pad, upscale_image
from tfsr.interruptible import CodecThreads

# Pixels that wait for the model, and for the disk: 100 and 200 MB of 8-bit RGB. A larger image
# waits alone.
_READ_AHEAD = 32_000_000
_WRITTEN_BEHIND = 64_000_000
_FILES_AHEAD = 8


@dataclass
class _Work:
    """A job in progress.

    Attributes:
        frames: its images; None before they are read and after they are written.
        in_pixels: acquired from the budget of images that were read.
        out_pixels: acquired from the budget of images to be written.
    """

    job: Job
    size: tuple[int, int] = (0, 0)
    lr_size: tuple[int, int] = (0, 0)
    frames: Frames = field(default_factory=lambda: Frames((), ()))
    in_pixels: int = 0
    out_pixels: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)


def run_jobs(
    jobs: Sequence[Job], request: UpscaleRequest, upscaler: PixelUpscaler
) -> Generator[JobResult]:
    """Run jobs and yield their results, in order; a failed one does not stop the rest.

    While the model upscales one image, a thread decodes the next ones and others encode the last
    ones. Close the iterator (or use it up) to end the threads; files that are being written are
    finished first, and images that are being decoded or encoded are not waited for. Temporary files
    of killed processes are removed where files are written.
    """
    files = JobFiles()
    files.remove_abandoned(job.target for job in jobs)
    yield from Batch(request, upscaler, files).run(jobs)


def skip_done(
    jobs: Sequence[Job], request: UpscaleRequest, files: JobFiles | None = None
) -> tuple[list[Job], list[JobResult]]:
    """Separate the jobs to do from those whose target exists, undamaged and of the right size.

    No pixel is decoded where the format tells that a file is complete.
    """
    files = files or JobFiles()
    results = {job: done_before(job, request, files) for job in jobs}
    done = [result for result in results.values() if result is not None]
    to_do = [job for job, result in results.items() if result is None]
    # What exists of these is damaged, or of another size.
    return [
        replace(job, existing="overwrite") if files.exists(job.target) else job for job in to_do
    ], done


def done_before(job: Job, request: UpscaleRequest, files: JobFiles) -> JobResult | None:
    """Return the result of a job whose target exists, undamaged and of the right size, or None."""
    if not files.is_file(job.target):
        return None
    try:
        with files.read_path(job.source) as path:
            header = read_header(path)
        count = request.count(header)
        request.check_input(job.source, header.size, count)
        _, size = request.sizes(header.size, job.target, count)
        with files.read_path(job.target) as path:
            if not is_complete(path, size, several=count > 1):
                return None
    except (ImageError, InvalidArgument):
        return None  # It is reported when its turn comes.
    return JobResult(job.source, job.target, None, header.size, size, skipped=True)


class Batch:
    """Threads that read and write files around an upscaler, for one call of `run`."""

    def __init__(self, request: UpscaleRequest, upscaler: PixelUpscaler, files: JobFiles) -> None:
        self.request, self.upscaler, self.files = request, upscaler, files
        self.ahead, self.behind = PixelBudget(_READ_AHEAD), PixelBudget(_WRITTEN_BEHIND)
        self.reader, self.writers = CodecThreads(), CodecThreads(2)

    def run(self, jobs: Sequence[Job]) -> Iterator[JobResult]:
        """Yield the results of jobs, in order; then the threads end."""
        submitted = ((work, self.reader.submit(self._read, work)) for work in map(_Work, jobs))
        read = deque(islice(submitted, _FILES_AHEAD))
        written: deque[tuple[_Work, Future[None]]] = deque()
        try:
            while read:
                work, reading = read.popleft()
                read.extend(islice(submitted, 1))
                written.append((work, self._upscale_and_write(work, reading)))
                while written and (written[0][1].done() or not read):
                    yield self._result(*written.popleft())
        finally:
            self.ahead.close()
            self.behind.close()
            self.reader.close()
            self.writers.close()

    def _upscale_and_write(self, work: _Work, reading: Future[None]) -> Future[None]:
        """The future of its being written, or one that failed."""
        try:
            reading.result()
            self.behind.acquire(work.out_pixels)
            try:
                self._upscale(work)
                return self.writers.submit(self._write, work)
            except BaseException:
                self.behind.release(work.out_pixels)
                raise
        except Exception as error:
            failed: Future[None] = Future()
            failed.set_exception(error)
            return failed
        finally:
            self.ahead.release(work.in_pixels)

    def _read(self, work: _Work) -> None:
        source, target = work.job.source, work.job.target
        # Before the work; what appears after this is found when the output is complete.
        if work.job.existing != "overwrite" and self.files.exists(target):
            raise OutputExists(f"{source}: {target} exists; it is unchanged")
        with self.files.read_path(source) as path, opened(path) as file:
            header = header_of(file)
            count = self.request.count(header)
            self.request.check_input(source, header.size, count)
            if count > 1:
                check_holds_frames(target)
            work.lr_size = header.size
            rendered, work.size = self.request.sizes(header.size, target, count)
            work.out_pixels = count * max(rendered[0] * rendered[1], work.size[0] * work.size[1])
            pixels = count * header.size[0] * header.size[1]
            self.ahead.acquire(pixels)
            work.in_pixels = pixels
            start = time.perf_counter()
            if count > 1:
                work.frames = decode_frames(file, os.fspath(path))
            else:
                work.frames = Frames((decode(file, os.fspath(path)),), (0,))
        if count < header.frames:
            work.notes.append(f"the first of its {header.frames} images")
        lr_size = work.frames.images[0].size
        # Some files store their EXIF orientation after the pixels.
        if lr_size != work.lr_size:
            work.lr_size, work.size = lr_size, self.request.sizes(lr_size, target, count)[1]
        work.seconds += time.perf_counter() - start

    def _upscale(self, work: _Work) -> None:
        start = time.perf_counter()
        outputs = []
        for image in work.frames.images:
            rendered, _ = self.request.sizes(image.size)
            outputs.append(crop_or_pad(upscale_image(image, rendered, self.upscaler), work.size))
        work.frames = replace(work.frames, images=tuple(outputs))
        work.details = dict(self.upscaler.details)
        work.seconds += time.perf_counter() - start

    def _write(self, work: _Work) -> None:
        frames, quality, start = work.frames, self.request.quality, time.perf_counter()
        target, overwrite = work.job.target, work.job.existing == "overwrite"
        try:
            content, lost = encode_frames(target, frames, quality)
            with self.writers.finishing(), self.files.write_path(target, overwrite) as path:
                write_file(path, content, overwrite)
            work.notes += [note for image in frames.images for note in image.notes]
            work.notes += lost
        finally:
            work.frames = Frames((), ())  # Their memory is free for the next ones.
            self.behind.release(work.out_pixels)
        work.seconds += time.perf_counter() - start

    def _result(self, work: _Work, writing_it: Future[None]) -> JobResult:
        job = work.job
        try:
            writing_it.result()
        except TfsrError as error:
            # Another run may share the work.
            skips = isinstance(error, OutputExists) and job.existing == "skip"
            if skips and (done := done_before(job, self.request, self.files)) is not None:
                return done
            # An ImageError names the file already.
            line = str(error) if isinstance(error, ImageError) else f"{job.source}: {error}"
            return JobResult(job.source, job.target, line)
        except Exception as error:
            # What the backend raises where NumPy raises MemoryError; no backend is imported here.
            if type(error).__name__ not in ("MemoryError", "ResourceExhaustedError"):
                raise
            wanted = f"{work.size[1]}x{work.size[0]} pixels"
            return JobResult(
                job.source, job.target, f"{job.source}: not enough memory for {wanted}"
            )
        return JobResult(
            *(job.source, job.target, None, work.lr_size, work.size, work.seconds),
            notes=tuple(dict.fromkeys(work.notes)),
            details=work.details,
        )
