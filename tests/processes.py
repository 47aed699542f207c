"""Processes of this machine, and whether they are still there."""

import time
from pathlib import Path


def children_of(pid):
    """The processes that a process has started and that still run."""
    return [each for each, parent, _ in _running() if parent == pid]


def members_of(*sessions):
    """The processes of sessions that still run."""
    return [each for each, _, session in _running() if session in sessions]


def _running():
    """(process, parent, session) of each process that has not ended."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, _, session = path.read_text().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            yield int(path.parent.name), int(parent), int(session)


def alive(pid):
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pids, seconds=10.0):
    deadline = time.monotonic() + seconds
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(alive(pid) for pid in pids)
