"""The environment variable TF_CONFIG, which tells each of several machines who they are."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from tfsr.errors import TrainingError


def workers_of_cluster() -> Sequence[tuple[str, int]]:
    """All workers that TF_CONFIG lists, the chief first; none if it is not set.

    Raises:
        TrainingError: if it cannot be read, or this process is not among them.
    """
    text = os.environ.get("TF_CONFIG")
    if not text:
        return []
    try:
        content = json.loads(text)
        jobs = content.get("cluster", {})
        workers = [(job, i) for job in ("chief", "worker") for i in range(len(jobs.get(job, [])))]
        known = not workers or this_task() in workers
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(
            f"TF_CONFIG cannot be read: {error}; see docs/distributed.md"
        ) from error
    if not known:
        raise TrainingError(
            f"TF_CONFIG: its task must be one of the chief and the workers of its cluster; "
            f"got {content.get('task')!r}"
        )
    return workers


def this_task() -> tuple[str, int]:
    """Job and index of this process, as TF_CONFIG has them."""
    task = json.loads(os.environ["TF_CONFIG"])["task"]
    return task["type"], int(task["index"])
