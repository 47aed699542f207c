"""A Ray cluster of several nodes on this machine, as `ray start` makes it."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from processes import members_of

_REGISTERED = """
import sys, time, logging, ray
ray.init(sys.argv[1], logging_level=logging.ERROR, log_to_driver=False)
while ray.cluster_resources().get("CPU", 0) != int(sys.argv[2]):
    time.sleep(0.2)
"""

RAY = Path(sys.executable).with_name("ray")


class Nodes:
    """A head without CPUs, and worker nodes of one CPU each. Use as a context manager.

    Attributes:
        address: of the head.
        environment: variables for programs that connect to it.
    """

    def __init__(self, workers):
        self.folder = tempfile.mkdtemp(prefix="tfsr-nodes-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        port = self.address.partition(":")[2]
        # Without it the head makes a token of its own, which it tells nobody.
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self.environment = {**os.environ, **token}
        self.processes = []
        try:
            self._start_all(port, workers)
        except BaseException:
            self.__exit__()
            raise

    def _start_all(self, port, workers):
        head = ("--head", f"--port={port}", "--include-dashboard=false", "--num-cpus=0")
        self._start(*head, f"--temp-dir={self.folder}")
        self.workers = workers
        self.complete()

    def complete(self):
        """Start worker nodes until there are as many as at first."""
        for _ in range(self.workers - len(self.raylets())):
            # One after the other, as they choose free ports.
            self._start(f"--address={self.address}", "--num-cpus=1")
        program = [sys.executable, "-c", _REGISTERED, self.address, str(self.workers)]
        subprocess.run(program, env=self.environment, check=True, timeout=300)

    def _start(self, *arguments):
        """Start a node. Ray gives it 30 s, which a busy machine may exceed: once more, then."""
        try:
            self._try_to_start(*arguments)
        except RuntimeError:
            self.processes.pop().wait()
            self._try_to_start(*arguments)

    def _try_to_start(self, *arguments):
        common = ("--block", "--disable-usage-stats", "--object-store-memory=100000000")
        log = Path(self.folder, f"start-{len(self.processes)}.log")
        with open(log, "wb") as file:
            command = [RAY, "start", *arguments, *common]
            streams = {"stdout": file, "stderr": subprocess.STDOUT}
            self.processes.append(
                subprocess.Popen(command, **streams, env=self.environment, start_new_session=True)
            )
        deadline = time.monotonic() + 300
        while "Ray runtime started" not in log.read_text():
            if self.processes[-1].poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text())
            time.sleep(0.2)

    def raylets(self):
        """The processes of the worker nodes themselves."""
        head = self.processes[0].pid
        return [pid for pid in self._descendants(not_of=head) if _name(pid) == "raylet"]

    def actors(self):
        """The processes that hold a model."""
        return [pid for pid in self._descendants() if "MapWorker" in _command(pid)]

    def _descendants(self, not_of=None):
        return members_of(*{process.pid for process in self.processes} - {not_of})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pid in self._descendants():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def _command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _name(pid):
    return Path(_command(pid).partition(" ")[0]).name
