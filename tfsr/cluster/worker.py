"""What an actor of Ray does: load the model once, then upscale images as a local batch does."""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from tfsr.cluster.ledger import MAX_KILLS
from tfsr.cluster.url_files import UrlFiles
from tfsr.errors import ClusterError, TfsrError
from tfsr.inference.batch import Batch, done_before, skip_done
from tfsr.inference.device import Device
from tfsr.inference.jobs import Job, JobResult
from tfsr.inference.request import UpscaleRequest
from tfsr.inference.upscale_image import PixelUpscaler


@dataclass(frozen=True)
class Setup:
    """Settings of each worker.

    Attributes:
        load: loads the upscaler.
        request: what is asked of every image.
        device: where the model computes, and with how many threads.
        environment: variables to set before the model is loaded.
        folder: where relative paths begin.
        results: how many results are sent together.
    """

    load: Callable[[], PixelUpscaler]
    request: UpscaleRequest
    device: Device
    environment: Mapping[str, str]
    folder: str
    results: int


class Worker:
    """A callable for Ray Data: rows of jobs to rows of results.

    Args:
        setup: what to do.
        ledger: handle of the actor that is the `Ledger`.
    """

    def __init__(self, setup: Setup, ledger: Any) -> None:
        import ray

        self._setup, self._ledger, self._ask = setup, ledger, ray.get
        actor = str(ray.get_runtime_context().get_actor_id())
        # Of the actor: when it is restarted here, it removes what it left when it was killed.
        self._folder = Path(tempfile.gettempdir(), f"tfsr-{actor}")
        self._files = UrlFiles(folder=self._folder)
        refusal = self._ask(ledger.load.remote(actor))
        if refusal:
            raise ClusterError(refusal)
        os.environ.update(setup.environment)
        if os.path.isdir(setup.folder):
            os.chdir(setup.folder)
        try:
            if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
                setup.device.use()
            self._upscaler = setup.load()
        except Exception as error:
            cause = error.__cause__ if isinstance(error.__cause__, TfsrError) else error
            line = str(cause) if isinstance(cause, TfsrError) else f"cannot be loaded: {cause!r}"
            self._ask(ledger.fail.remote(line))
            raise
        self._ask(ledger.loaded.remote(actor))

    def __call__(self, rows: Mapping[str, Any]) -> Iterator[dict[str, list[bytes]]]:
        """Yield results, always so many together, in the order of the jobs.

        Ray counts what a task has yielded: one that is repeated must yield as much.
        """
        jobs = {int(n): pickle.loads(j) for n, j in zip(rows["number"], rows["job"], strict=True)}
        shutil.rmtree(self._folder, ignore_errors=True)
        first, finished = self._ask(self._ledger.begin.remote(list(jobs)))
        results = (self._together if first else self._one_by_one)(jobs, finished)
        while pairs := list(islice(results, self._setup.results)):
            new = {number: result for number, result in pairs if number not in finished}
            self._ledger.finish.remote(new)
            yield {"results": [pickle.dumps(dict(pairs))]}
        shutil.rmtree(self._folder, ignore_errors=True)

    def _together(self, jobs: Mapping[int, Job], _: object) -> Iterator[tuple[int, JobResult]]:
        """Run jobs, the next one read while one is upscaled."""
        request = self._setup.request
        to_do: list[Job] = list(jobs.values())
        done: list[JobResult] = []
        if to_do[0].existing == "skip":
            to_do, done = skip_done(to_do, request, self._files)
        skipped = {result.target: result for result in done}
        running = Batch(request, self._upscaler, self._files).run(to_do)
        for number, job in jobs.items():
            if job.target in skipped:
                yield number, skipped[job.target]
                continue
            try:
                result = next(running)
            except Exception:  # Something unforeseen has ended the batch.
                result = self._alone(job)
            yield number, result

    def _one_by_one(
        self, jobs: Mapping[int, Job], finished: Mapping[int, JobResult | None]
    ) -> Iterator[tuple[int, JobResult | None]]:
        """Run what another attempt has not finished; one of the jobs may end its worker."""
        for number, job in jobs.items():
            if number in finished:
                yield number, finished[number]
            elif self._ask(self._ledger.begin_alone.remote(number)):
                yield number, self._alone(job)
            else:
                line = f"ended {MAX_KILLS} workers, such as by needing too much memory"
                yield number, JobResult(job.source, job.target, f"{job.source}: {line}")

    def _alone(self, job: Job) -> JobResult:
        try:
            return self._again(job)
        except Exception as error:  # Whatever it is, it is not worth a million other images.
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            return JobResult(job.source, job.target, f"{job.source}: {reason}")

    def _again(self, job: Job) -> JobResult:
        request = self._setup.request
        if job.existing != "overwrite":
            done = done_before(job, request, self._files)
            if done is not None:  # By the worker that was killed, or else it was to be skipped.
                return replace(done, skipped=job.existing == "skip")
            if job.existing == "skip" and self._files.exists(job.target):
                job = replace(job, existing="overwrite")
        (result,) = Batch(request, self._upscaler, self._files).run([job])
        return result
