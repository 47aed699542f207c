"""Exported files run in a process of their own, which has limits.

    python -m tfsr.inference.sandbox DESCRIPTOR PATH THREADS

is that process. What it sends is data, never a pickle: text as JSON, and pixels.
"""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from tfsr import errors
from tfsr.errors import ExportError, InvalidArgument
from tfsr.inference.upscaler import Patch, Size, Upscaler

_MAX_MEMORY = 8 * 2**30
_MAX_CPU_SECONDS = 600  # of an image, and of each core
_MAX_TEXT_BYTES = 2**20


class SandboxedUpscaler(Upscaler):
    """Upscale by a .tflite file or a SavedModel in a process that has limits; on Linux.

    That process has 8 GiB and ten minutes an image. It writes no file, and opens none once the
    model is loaded. If it dies, that is an ExportError. It is no jail for machine code: a file that
    takes its runtime over can still do what its user can.

    Args:
        path: the file or directory.
        threads: int. CPU threads of a .tflite file. Defaults to all.

    Raises:
        ExportError: as of `TFLiteUpscaler` and `SavedModelUpscaler`, or if the process dies.
        InvalidArgument: on other systems.

    Example:
        >>> tfsr.inference.SandboxedUpscaler("photo.jpg")
        Traceback (most recent call last):
        tfsr.errors.ExportError: photo.jpg: ...
    """

    def __init__(self, path: str | os.PathLike[str], threads: int | None = None) -> None:
        if sys.platform != "linux":
            raise InvalidArgument("needs Linux", "sandbox")
        self.path = Path(path)
        ours, theirs = socket.socketpair()
        with theirs:
            program = [sys.executable, "-P", "-m", "tfsr.inference.sandbox", str(theirs.fileno())]
            self._process = subprocess.Popen(
                [*program, os.fspath(path), str(threads or os.cpu_count() or 1)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                start_new_session=True,  # Ctrl-C is for this process, which then ends that one.
            )
        self._connection = Connection(ours.detach())
        weakref.finalize(self, _end, self._process, self._connection)
        described = self._received()
        self.kind, self.rounds = str(described["kind"]), bool(described["rounds"])

    def unsupported_reason(self, lr_size: Size, size: Size) -> str | None:
        """As `Upscaler.unsupported_reason`."""
        return self._asked({"lr_size": [*lr_size], "size": [*size]})["reason"]

    def patches(self, image: np.ndarray, size: Size) -> Iterator[Patch]:
        """As `Upscaler.patches`."""
        request = {"lr_size": [*image.shape[:2]], "size": [*size], "dtype": image.dtype.name}
        dtype = np.dtype(self._asked(request, np.ascontiguousarray(image))["dtype"])
        shape = (*size, 3)
        try:
            content = self._connection.recv_bytes(math.prod(shape) * dtype.itemsize)
            pixels = np.frombuffer(content, dtype).reshape(shape)
        except (EOFError, OSError, ValueError) as error:
            raise self._death() from error
        yield slice(None), slice(None), pixels

    def _asked(self, request: dict[str, Any], *pixels: np.ndarray) -> dict[str, Any]:
        try:
            self._connection.send_bytes(json.dumps(request).encode())
            for array in pixels:
                self._connection.send_bytes(array.data.cast("B"))
        except OSError as error:
            raise self._death() from error
        return self._received()

    def _received(self) -> dict[str, Any]:
        try:
            received = json.loads(self._connection.recv_bytes(_MAX_TEXT_BYTES))
        except (EOFError, OSError, ValueError) as error:
            raise self._death() from error
        if "error" in received:
            kind = {"InvalidArgument": InvalidArgument}.get(received["error"], ExportError)
            raise kind(str(received["message"]), received["argument"])
        return received

    def _death(self) -> ExportError:
        code = _end(self._process, self._connection)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return ExportError(
            f"{self.path}: its process ended ({how}): the model is damaged or hostile, or takes "
            f"more than {_MAX_MEMORY / 2**30:g} GiB or {_MAX_CPU_SECONDS} s"
        )


def _end(process: subprocess.Popen, connection: Connection) -> int:
    """The exit code; without a connection the process ends, or else is killed."""
    connection.close()
    try:
        return process.wait(0.5)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _serve(connection: Connection, path: str, threads: int) -> None:
    import resource

    def limit(kind: int, most: int) -> None:
        resource.setrlimit(kind, (most, resource.getrlimit(kind)[1]))

    def send(content: dict[str, Any]) -> None:
        connection.send_bytes(json.dumps(content).encode())

    for kind, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)):
        resource.setrlimit(kind, (most, most))
    resource.setrlimit(resource.RLIMIT_DATA, (_MAX_MEMORY, _MAX_MEMORY))
    seconds = _MAX_CPU_SECONDS * (os.cpu_count() or 1)
    limit(resource.RLIMIT_CPU, seconds)
    upscaler = _loaded(path, threads)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    send({"kind": upscaler.kind, "rounds": upscaler.rounds})
    while True:
        request = json.loads(connection.recv_bytes())
        limit(resource.RLIMIT_CPU, math.ceil(time.process_time()) + seconds)
        lr_size, size = (tuple(request[name]) for name in ("lr_size", "size"))
        if "dtype" not in request:
            send({"reason": upscaler.unsupported_reason(lr_size, size)})
            continue
        image = np.frombuffer(connection.recv_bytes(), request["dtype"]).reshape(*lr_size, 3)
        try:
            ((_, _, output),) = upscaler.patches(image, size)
            if output.shape != (*size, 3):
                raise ExportError(f"{path}: returned {output.shape} in place of {(*size, 3)}")
        except errors.TfsrError as error:
            send(_as_plain(error))
        else:
            send({"dtype": output.dtype.name})
            connection.send_bytes(np.ascontiguousarray(output).data.cast("B"))


def _loaded(path: str, threads: int) -> Upscaler:
    from tfsr.inference import SavedModelUpscaler, TFLiteUpscaler

    if os.path.isdir(path):
        return SavedModelUpscaler(path)
    return TFLiteUpscaler(path, threads)


def _as_plain(error: errors.TfsrError) -> dict[str, Any]:
    kind = type(error).__name__
    return {"error": kind, "message": error.message, "argument": error.argument}


if __name__ == "__main__":
    with Connection(int(sys.argv[1])) as to_parent:
        try:
            _serve(to_parent, sys.argv[2], int(sys.argv[3]))
        except EOFError:
            pass  # The other process has no more images.
        except errors.TfsrError as refusal:
            to_parent.send_bytes(json.dumps(_as_plain(refusal)).encode())
