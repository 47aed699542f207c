"""`tfsr upscale`."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from tfsr.cli import options
from tfsr.cli.standard_streams import is_stream, upscale_stream
from tfsr.cli.startup import import_keras, silence
from tfsr.errors import InvalidArgument, check_choice
from tfsr.inference.defaults import BACKGROUND, BICUBIC, FACES
from tfsr.inference.device import Device
from tfsr.inference.locations import is_url
from tfsr.inference.memory_amount import DEFAULT_MEMORY
from tfsr.presets import DEFAULT

if TYPE_CHECKING:
    from tfsr.cluster import Workers
    from tfsr.inference import Upscaler
    from tfsr.inference.job_files import JobFiles
    from tfsr.inference.jobs import Existing, Job, JobResult
    from tfsr.inference.locations import Location
    from tfsr.inference.request import UpscaleRequest


def upscale(
    inputs: options.Inputs,
    output: options.OutputFiles,
    scale: options.Scale = None,
    size: options.Size = None,
    fit: options.Fit = "stretch",
    long_side: options.LongSide = None,
    short_side: options.ShortSide = None,
    megapixels: options.Megapixels = None,
    box: options.BoxOption = None,
    eyes: options.Eyes = None,
    faces: options.Faces = None,
    min_face: options.MinFace = None,
    background: options.Background = BACKGROUND,
    preset: options.Preset = None,
    strength: options.Strength = None,
    memory: options.Memory = DEFAULT_MEMORY,
    precision: options.Precision = "float32",
    self_ensemble: options.SelfEnsemble = False,
    device: options.DeviceName = None,
    threads: options.Threads = None,
    sandbox: options.Sandbox = False,
    ray: options.Ray = None,
    workers: options.Workers = None,
    image_format: options.Format = None,
    quality: options.Quality = None,
    frames: options.Frames = False,
    recursive: options.Recursive = False,
    skip_existing: options.SkipExisting = False,
    overwrite: options.Overwrite = False,
    json_lines: options.JsonLines = False,
    report: options.Report = None,
    max_input: options.MaxInput = options.MAX_INPUT,
    max_output: options.MaxOutput = options.MAX_OUTPUT,
) -> None:
    """Upscale images to any size (Example: tfsr upscale face.jpg -o large.png --scale 3.7)."""
    from tfsr.images.formats import suffix_of_format
    from tfsr.inference.request import UpscaleRequest
    from tfsr.inference.target_size import TargetSize

    with options.usage():
        target = TargetSize(scale, size, long_side, short_side, megapixels, fit)
        limits = {"max_input": max_input, "max_output": max_output}
        request = UpscaleRequest(target, quality, frames, **limits)
        computer = Device(device, threads)
        suffix = None if image_format is None else suffix_of_format(image_format)
        existing = _existing(skip_existing, overwrite)
        places = bool(box or eyes)
        if faces is None:
            faces = "off" if preset or places or not _finds_faces() else "auto"
        preset = preset or DEFAULT
        check_choice("faces", faces, FACES)
        _check_combination(inputs, preset, device, places)
        files, cluster = _cluster(ray, workers, computer, (*inputs, output))
    chosen: dict[str, Any] = {"memory": memory, "precision": precision, "threads": threads}
    chosen |= {"self_ensemble": self_ensemble, "strength": strength, "sandbox": sandbox}
    load = partial(_load, preset, **chosen)
    if places or faces != "off":
        arguments = _places(box, eyes, faces, min_face)
        rest = BICUBIC if faces == "only" else background
        load_rest = partial(_load, rest, background=True, **chosen)
        load = partial(_load_photograph, load, load_rest, arguments)
    run = partial(_run, request=request, computer=computer, load=load, existing=existing)
    if cluster is not None:
        run = partial(_run_on_ray, request=request, load=load, workers=cluster)
    if is_stream(output) or any(map(is_stream, inputs)):
        if json_lines or report or frames or skip_existing or ray:
            raise InvalidArgument(
                "-: is one image; leave out --json, --report, --frames, --skip-existing and --ray"
            )
        # Pillow's warnings about odd metadata would come between the lines.
        warnings.filterwarnings("ignore", module="PIL")
        upscale_stream(run, inputs, output, suffix, existing)
        return
    plan = partial(_plan, inputs, output, recursive, suffix, existing, files)
    _report(plan, run, report, existing == "overwrite", json_lines)


def _existing(skip_existing: bool, overwrite: bool) -> Existing:
    if skip_existing and overwrite:
        raise InvalidArgument("give --skip-existing or --overwrite, not both")
    if skip_existing:
        return "skip"
    return "overwrite" if overwrite else "refuse"


def _check_combination(
    inputs: Sequence[Location], preset: str, device: str | None, places: bool
) -> None:
    from tfsr.inference.jobs import names_one_file

    if places and not names_one_file(inputs):
        raise InvalidArgument("--box and --eyes are places in one image; give one file")
    if device not in (None, "cpu") and preset.endswith(".tflite"):
        raise InvalidArgument(f"{device}: a .tflite file runs on the cpu", "device")


def _cluster(
    address: str | None, count: int | None, computer: Device, locations: Sequence[Any]
) -> tuple[JobFiles | None, Workers | None]:
    """Where files lie, and the workers of --ray; None for this machine alone."""
    if address is not None:
        from tfsr.cluster import UrlFiles, Workers

        return UrlFiles(), Workers(address, count, computer)
    if count is not None:
        raise InvalidArgument("are those of --ray; add --ray local, or leave them out", "workers")
    for location in locations:
        if isinstance(location, str) and is_url(location):
            raise InvalidArgument(
                f"{location}: URLs are read and written with --ray; add --ray local"
            )
    return None, None


def _finds_faces() -> bool:
    """Whether the extra that finds faces is installed."""
    return importlib.util.find_spec("mtcnn") is not None


def _places(
    boxes: Sequence[Any] | None,
    eyes: Sequence[Any] | None,
    faces: str,
    min_face: int | None,
) -> dict[str, Any]:
    """Arguments of `PhotographUpscaler`."""
    places: dict[str, Any] = {"boxes": boxes or (), "eyes": eyes or ()}
    if faces != "off":
        places["detector"] = "mtcnn"
    if min_face is not None:
        places["min_face"] = min_face
    return places


def _load(preset: str, *, background: bool = False, **chosen: Any) -> Upscaler:
    import_keras()
    from tfsr.inference.loading import load_background, load_upscaler

    with options.usage(), silence():
        return (load_background if background else load_upscaler)(preset, **chosen)


def _load_photograph(
    load: Callable[[], Upscaler], load_rest: Callable[[], Upscaler], places: dict[str, Any]
) -> Upscaler:
    faces, background = load(), load_rest()
    from tfsr.inference import PhotographUpscaler

    return PhotographUpscaler(faces, background=background, **places)


def _run(
    jobs: list[Job],
    request: UpscaleRequest,
    computer: Device,
    load: Callable[[], Upscaler],
    existing: Existing,
) -> Generator[JobResult]:
    """Run jobs; a model is loaded if any is left to do."""
    from tfsr.inference.batch import run_jobs, skip_done

    if jobs and computer != Device():
        import_keras()
        computer.use()
    if jobs and existing == "skip":
        import_keras()  # Sizes are computed with it.
        jobs, done = skip_done(jobs, request)
        yield from done
    if jobs:
        yield from run_jobs(jobs, request, load())


def _run_on_ray(
    jobs: list[Job], request: UpscaleRequest, load: Callable[[], Upscaler], workers: Workers
) -> Generator[JobResult]:
    from tfsr.cluster import run_jobs

    yield from run_jobs(jobs, request, load, workers)


def _plan(
    inputs: Sequence[Location],
    output: str,
    recursive: bool,
    suffix: str | None,
    existing: Existing,
    files: JobFiles | None,
) -> tuple[list[Job], list[JobResult]]:
    from tfsr.inference.jobs import plan_jobs

    skipped: list[Location] = []
    planned = plan_jobs(inputs, output, recursive, suffix, existing, skipped.append, files)
    _report_skipped(skipped)
    return planned


def _report(
    plan: Callable[[], tuple[list[Job], list[JobResult]]],
    run: Callable[[list[Job]], Generator[JobResult]],
    report: Path | None,
    overwrite: bool,
    json_lines: bool,
) -> None:
    """Plan jobs, run them, and report every result."""
    from tfsr.cli.batch_progress import BatchProgress
    from tfsr.inference.batch_report import check_report, check_report_apart, write_report

    # Pillow's warnings about odd metadata would come between the lines.
    warnings.filterwarnings("ignore", module="PIL")
    if report is not None:
        check_report(report, overwrite)
    jobs, failed = plan()
    if report is not None:
        check_report_apart(report, jobs)
    count = len(jobs) + len(failed)
    with BatchProgress(count, json_lines) as progress:
        try:
            with closing(run(jobs)) as results:
                for result in chain(failed, results):
                    progress.add(result)
        finally:
            if report is not None:
                write_report(report, progress.results)
    if any(result.error is not None for result in progress.results):
        sys.exit(1)


def _report_skipped(paths: Sequence[Location]) -> None:
    """Print how many images of folders are of formats that are not read."""
    if paths:
        counts = Counter(PurePath(path).suffix.lower() for path in set(paths))
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in sorted(counts.items()))
        print(f"tfsr: not read: {kinds}; convert them first", file=sys.stderr)
