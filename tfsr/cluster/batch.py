"""A batch on Ray Data: the dataset is the list of jobs, actors hold the model, results stream."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tfsr.cluster.connection import LOCAL, connected
from tfsr.cluster.ledger import Ledger
from tfsr.cluster.url_files import UrlFiles
from tfsr.cluster.worker import Setup, Worker
from tfsr.errors import ClusterError, InvalidArgument
from tfsr.inference.device import Device
from tfsr.inference.jobs import Job, JobResult
from tfsr.inference.request import UpscaleRequest
from tfsr.inference.upscale_image import PixelUpscaler

# A task that is repeated costs little; one of a few images costs more than they do.
_MAX_JOBS_PER_TASK = 64
_TASKS_PER_WORKER, _RESULTS_PER_TASK = 8, 8


@dataclass(frozen=True)
class Workers:
    """Where a batch runs.

    Attributes:
        address: "local" starts a cluster on this machine, for this batch alone; "auto" takes the
            one that this machine is a node of, as does the HOST:PORT of its head.
        count: how many; None for as many as the cluster has CPUs (or GPUs) for.
        device: of each worker: `threads` CPUs (default: 1), and a GPU if its name is "gpu".

    Raises:
        InvalidArgument: if a number is not positive, or the device names one of many GPUs.

    Example:
        >>> tfsr.cluster.Workers("local", count=2)
        Workers(address='local', count=2, device=Device(name=None, threads=None))
    """

    address: str = LOCAL
    count: int | None = None
    device: Device = Device()

    def __post_init__(self) -> None:
        if self.count is not None and not 1 <= self.count <= 100_000:
            raise InvalidArgument(f"must be 1 to 100000; received {self.count}", "workers")
        if self.device.name not in (None, "cpu", "gpu"):
            raise InvalidArgument(
                f"must be cpu or gpu with workers, each of which gets one; received "
                f"{self.device.name!r}",
                "device",
            )

    @property
    def cpus(self) -> int:
        """CPUs of each worker."""
        return self.device.threads or 1

    @property
    def gpus(self) -> int:
        """GPUs of each worker."""
        return int(self.device.name == "gpu")


def run_jobs(
    jobs: Sequence[Job],
    request: UpscaleRequest,
    load: Callable[[], PixelUpscaler],
    workers: Workers,
) -> Generator[JobResult]:
    """Run jobs on a cluster and yield their results as they come; a failed one does not stop it.

    Each worker does with an image what a local batch does. The jobs of a worker that was killed are
    run again; one that ends three workers fails. Close the iterator to end the workers.

    Args:
        jobs: of `tfsr.inference.jobs.plan_jobs`. Their `existing` is the same. "skip" leaves what
            exists, undamaged and of the right size.
        request: what is asked of every image.
        load: loads the upscaler, in each worker; it can be pickled.
        workers: where.

    Raises:
        ClusterError: if there is no cluster, or its workers cannot load the model.

    Example:
        >>> from tfsr.inference.jobs import plan_jobs
        >>> from tfsr.inference.request import UpscaleRequest
        >>> from tfsr.inference.target_size import TargetSize
        >>> jobs, failed = plan_jobs([], "large")
        >>> request = UpscaleRequest(TargetSize(scale=2))
        >>> list(tfsr.cluster.run_jobs(jobs, request, tfsr.load_upscaler, tfsr.cluster.Workers()))
        []
    """
    if not jobs:
        return
    _check_shared(jobs)
    files = UrlFiles()
    targets = [job.target for job in jobs]
    files.remove_abandoned(targets)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    local = max(cores or 1, (workers.count or 0) * workers.cpus)
    try:
        with connected(workers.address, local, (workers.count or 1) * workers.gpus) as ray:
            yield from _run(ray, jobs, request, load, workers)
    finally:
        files.remove_abandoned(targets)


def _run(
    ray: Any,
    jobs: Sequence[Job],
    request: UpscaleRequest,
    load: Callable[[], PixelUpscaler],
    workers: Workers,
) -> Iterator[JobResult]:
    count = min(workers.count or _room(ray, workers), len(jobs))
    tasks = max(-(-len(jobs) // _MAX_JOBS_PER_TASK), min(len(jobs), count * _TASKS_PER_WORKER))
    per_task = -(-len(jobs) // tasks)
    names = ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL")
    setup = Setup(
        *(load, request, Device(workers.device.name or "cpu", workers.cpus)),
        environment={name: os.environ[name] for name in names if name in os.environ},
        folder=os.getcwd(),
        results=max(1, per_task // _RESULTS_PER_TASK),
    )
    # Where this program runs: a node that is lost must not take the account along.
    here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
        ray.get_runtime_context().get_node_id(), soft=False
    )
    ledger = ray.remote(num_cpus=0, scheduling_strategy=here)(Ledger).remote(len(jobs))
    rows = [{"number": n, "job": pickle.dumps(job)} for n, job in enumerate(jobs)]
    # Whatever happens to an actor, Ray restarts it and repeats its tasks without end: it is the
    # ledger that ends what cannot be done.
    dataset = ray.data.from_items(rows, override_num_blocks=tasks).map_batches(
        Worker,
        fn_constructor_args=(setup, ledger),
        batch_size=None,
        num_cpus=workers.cpus,
        num_gpus=workers.gpus or None,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=count, initial_size=count),
    )
    del rows
    # Results are sent one by one, while their task runs.
    dataset.context.target_max_block_size = 1
    dataset.context.target_min_block_size = 0
    dataset.context.max_consecutive_actor_init_deaths = 0
    dataset.context.enable_progress_bars = False
    dataset.context.print_on_execution_start = False
    received = bytearray(len(jobs))
    try:
        for row in dataset.iter_rows():
            results = pickle.loads(row["results"])
            ledger.receive.remote(list(results))
            for number, result in results.items():
                if not received[number]:
                    received[number] = True
                    yield result
    except ray.exceptions.RayError as error:
        reason = ray.get(ledger.failure.remote()) or _last_line(error)
        raise ClusterError(f"the workers ended: {reason}") from error


def _check_shared(jobs: Sequence[Job]) -> None:
    for location in (location for job in jobs for location in (job.source, job.target)):
        if isinstance(location, str) and location.lower().startswith("memory://"):
            raise ClusterError(f"{location}: the memory of one process; workers cannot see it")


def _room(ray: Any, workers: Workers) -> int:
    """How many workers the cluster has CPUs and GPUs for."""
    resources = ray.cluster_resources()
    cpus, gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
    room = min(cpus // workers.cpus, gpus if workers.gpus else cpus)
    if room < 1:
        needed = f"{workers.cpus} CPUs" + " and a GPU" * workers.gpus
        raise ClusterError(
            f"{workers.address}: a worker needs {needed}, and the cluster has {cpus} CPUs and "
            f"{gpus} GPUs; give the number of workers if it will have more"
        )
    return room


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
