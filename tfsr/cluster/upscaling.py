"""`tfsr.cluster.upscale`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from tfsr.cluster.batch import Workers, run_jobs
from tfsr.cluster.url_files import UrlFiles
from tfsr.errors import check_choice
from tfsr.images.formats import suffix_of_format
from tfsr.inference.jobs import Existing, JobResult, plan_jobs
from tfsr.inference.request import UpscaleRequest
from tfsr.inference.target_size import MAX_INPUT_PIXELS, MAX_OUTPUT_PIXELS, TargetSize
from tfsr.presets import DEFAULT

if TYPE_CHECKING:
    from tfsr.inference import Upscaler


def upscale(
    inputs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    workers: Workers | None = None,
    preset: str = DEFAULT,
    existing: Existing = "refuse",
    recursive: bool = False,
    image_format: str | None = None,
    quality: int | None = None,
    frames: bool = False,
    max_input: float = MAX_INPUT_PIXELS / 1e6,
    max_output: float = MAX_OUTPUT_PIXELS / 1e6,
    model: dict[str, Any] | None = None,
    on_result: Callable[[JobResult], None] | None = None,
    **size: Any,
) -> list[JobResult]:
    """Upscale files, folders, buckets and patterns on a Ray cluster, as `tfsr upscale --ray` does.

    Args:
        inputs: one or several paths or URLs such as s3://bucket/faces/.
        output: a path or URL of a file or a folder.
        workers: where and how many. Defaults to as many as this machine has cores.
        preset: whatever `tfsr.load_upscaler` takes by name or path.
        existing: what happens to targets that exist: "refuse" the job, "skip" it if the target is
            undamaged and of the right size, or "overwrite". Defaults to "refuse".
        recursive: bool. Whether subfolders are read.
        image_format: of the outputs, such as "png". Defaults to that of each input.
        quality: int. 1 to 100, for lossy formats.
        frames: bool. Whether all frames of animations are upscaled.
        max_input: float. The most megapixels of a file that is read.
        max_output: float. The most megapixels of an output.
        model: options of `tfsr.load_upscaler`: memory, faces, strength and so on.
        on_result: called with each result as it comes.
        size: one of scale, size, long_side, short_side and megapixels, and fit.

    Returns:
        The result of every file, in the order in which they came.

    Raises:
        InvalidArgument: if an option has an impossible value.
        ImageError: if the output folder cannot be made.
        ClusterError: if there is no cluster, no handler of a URL, or the model cannot be loaded.

    Example:
        >>> tfsr.cluster.upscale("nothing", "large", scale=2)[0].error
        'nothing: there is no such file or folder'
    """
    check_choice("existing", existing, ("refuse", "skip", "overwrite"))
    limits: dict[str, Any] = {"max_input": max_input, "max_output": max_output}
    request = UpscaleRequest(TargetSize(**size), quality, frames, **limits)
    suffix = None if image_format is None else suffix_of_format(image_format)
    files = UrlFiles()
    given = [inputs] if isinstance(inputs, str | os.PathLike) else inputs
    sources = [files.locate(name) for name in given]
    jobs, results = plan_jobs(sources, output, recursive, suffix, existing, files=files)
    load = partial(_load, preset, model or {})
    for result in results:
        if on_result is not None:
            on_result(result)
    for result in run_jobs(jobs, request, load, workers or Workers()):
        results.append(result)
        if on_result is not None:
            on_result(result)
    return results


def _load(preset: str, options: dict[str, Any]) -> Upscaler:
    """Load the upscaler: in a worker, that Keras is not imported here."""
    from tfsr.inference.loading import load_upscaler

    return load_upscaler(preset, **options)
