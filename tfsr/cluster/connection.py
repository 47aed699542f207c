"""A connection to a Ray cluster, or one of its own on this machine, without its noise."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tfsr.errors import ClusterError
from tfsr.inference.silence import silence

LOCAL = "local"
_SECONDS = 10.0  # to wait for an address to answer
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_SCHEDULER_EVENTS": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    # What it tells of tasks that are repeated would come between the lines of the output.
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
    # Else Ray warns that it will do so some day.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
# Results and jobs are small: images never are in Ray's object store.
_OBJECT_STORE_BYTES = 128 * 2**20


@contextmanager
def connected(address: str, cpus: int, gpus: int) -> Iterator[Any]:
    """Connect to a cluster, and yield the module `ray`; a connection that exists is used.

    Args:
        address: "local" starts a cluster on this machine for the block; "auto", HOST:PORT or
            ray://HOST:PORT.
        cpus: that workers take together, of a local cluster.
        gpus: likewise.

    Raises:
        ClusterError: if Ray is not installed, or no cluster answers.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ClusterError(f"this needs Ray ({error}): pip install 'tfsr[ray]'") from error
    if ray.is_initialized():
        yield ray
        return
    handlers = _signal_handlers()
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    with contextlib.ExitStack() as stack:
        if address == LOCAL:
            folder = tempfile.mkdtemp(prefix="tfsr-ray-")
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            options |= {"num_cpus": cpus, "num_gpus": gpus, "include_dashboard": False}
            options |= {"object_store_memory": _OBJECT_STORE_BYTES, "_temp_dir": folder}
        else:
            _check_answers(address)
        stack.callback(ray.shutdown)
        try:
            with silence():
                ray.init(address, **options)
        except (OSError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise ClusterError(f"{address}: cannot be connected to: {reason}") from error
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for name in ("ray", "ray.data"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        yield ray


def _check_answers(address: str) -> None:
    """Check that something answers at HOST:PORT: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address == "auto":
        return
    if not host or not port.isdecimal():
        raise ClusterError(
            f"must be local, auto, HOST:PORT or ray://HOST:PORT; received {address!r}", "ray"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), _SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"{address}: no Ray cluster answers: {error}; `ray start --head` starts one"
        ) from error


def _signal_handlers() -> dict[int, Any]:
    """The handlers that `ray.init` replaces."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
