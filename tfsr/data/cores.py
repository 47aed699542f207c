"""How many CPU cores there are to use."""

from __future__ import annotations

import os


def available_cores() -> int:
    """CPU cores that this process may run on: of a container or a lease, not of its machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
