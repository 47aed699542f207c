"""A connection to a Ray cluster, or one of its own on this machine, without its noise."""

from __future__ import annotations

import contextlib
import logging
import os
import re
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
_SECONDS = 60  # to wait for a response
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
        address: "local" starts a cluster on this machine for the block; "auto", or HOST:PORT of the
            head of the one that this machine is a node of.
        cpus: that workers take together, of a local cluster.
        gpus: likewise.

    Raises:
        ClusterError: if Ray is not installed, or no cluster responds.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    if address != LOCAL:
        _check_listens(address)
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
        stack.callback(ray.shutdown)
        _initialize(ray, address, options)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for name in ("ray", "ray.data"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        yield ray


def _check_listens(address: str) -> None:
    """Check that something listens at HOST:PORT."""
    if address == "auto":
        return
    if not re.fullmatch(r"(\[[0-9a-f:]+\]|[\w.-]+):\d{1,5}", address, re.IGNORECASE):
        raise ClusterError(f"must be local, auto or HOST:PORT; received {address!r}", "ray")
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"{address}: no Ray cluster responds: {error}; `ray start --head` starts one"
        ) from error


def _initialize(ray: Any, address: str, options: dict[str, Any]) -> None:
    """Call `ray.init` for a limited time: it would try for minutes."""
    failures: list[Exception] = []

    def initialize() -> None:
        try:
            try:
                ray.init(address, **options)
            except Exception:
                if address != LOCAL:
                    raise
                # Ray gives its processes 30 s to start, which a busy machine may exceed.
                ray.shutdown()
                ray.init(address, **options)
        except Exception as error:  # Of many classes, Exception itself among them.
            failures.append(error)

    with silence():
        if address == LOCAL:
            initialize()
        else:
            thread = threading.Thread(target=initialize, daemon=True)
            thread.start()
            thread.join(_SECONDS)
            if thread.is_alive():
                raise ClusterError(f"{address}: no Ray cluster responds within {_SECONDS} s")
    if failures:
        raise ClusterError(f"{address}: no Ray cluster: {_reason(str(failures[0]))}")


def _reason(text: str) -> str:
    """The line of an error that says most."""
    if "AuthToken" in text:
        return "it asks for a token: set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN"
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def _signal_handlers() -> dict[int, Any]:
    """The handlers that `ray.init` replaces."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
