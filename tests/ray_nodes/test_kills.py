"""A batch on two worker nodes of which a worker, or a whole node, is killed in the middle."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import tiny
from PIL import Image

TFSR = Path(sys.executable).with_name("tfsr")
COUNT, SCALE = 200, 6


class Written:
    """Looks what is written into a folder: a file that is replaced has another inode."""

    def __init__(self, folder):
        self.folder, self.inodes, self._end = folder, {}, threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self):
        while not self._end.wait(0.01):
            self.look()

    def look(self):
        if self.folder.exists():
            for entry in os.scandir(self.folder):
                if not entry.name.startswith("."):
                    self.inodes.setdefault(entry.name, set()).add(entry.inode())

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A preset, images, and what a local batch makes of them."""
    work = tmp_path_factory.mktemp("work")
    program = (
        "import sys, tiny; from tfsr.models import ImplicitSR;"
        "from tfsr.presets import save_preset;"
        "save_preset(ImplicitSR.from_config(tiny.MODEL), sys.argv[1], {})"
    )
    path = {**os.environ, "PYTHONPATH": str(Path(tiny.__file__).parent)}
    subprocess.run([sys.executable, "-c", program, work / "preset"], env=path, check=True)
    tiny.folder(work / "in", count=COUNT)
    (work / "in" / "bad.png").write_bytes(b"no image")
    subprocess.run(_command(work, work / "expected"), check=False, stdout=subprocess.DEVNULL)
    return work


def _command(work, out, *more):
    options = ("--scale", str(SCALE), "--preset", work / "preset", *more)
    return [TFSR, "upscale", work / "in", "-o", out, *options]


def _batch(work, nodes, out, *more):
    """A batch on the cluster, once both workers have started."""
    report = out.with_suffix(".json")
    more = ("--ray", nodes.address, "--report", report, "--json", *more)
    with open(out.with_suffix(".lines"), "w") as lines:
        streams = {"stdout": lines, "stderr": subprocess.PIPE, "text": True}
        command = _command(work, out, *more)
        return subprocess.Popen(command, env=nodes.environment, **streams), report


def _wait(condition, process, seconds=600):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _check(work, out, report, written, process):
    """All written once, as by a local batch, and every file reported once."""
    _, err = process.communicate(timeout=60)
    lines = out.with_suffix(".lines").read_text().splitlines()
    assert err.startswith("tfsr: ") and "bad.png" in err and len(err.splitlines()) == 1, err
    assert len({json.loads(line)["source"] for line in lines}) == COUNT + 1
    assert process.returncode == 1  # bad.png
    found = json.loads(report.read_text())
    assert (found["done"], found["skipped"], found["failed"]) == (COUNT, 0, 1)
    assert len({record["source"] for record in found["files"]}) == COUNT + 1
    names = {f"{number}.png" for number in range(COUNT)}
    assert set(os.listdir(out)) == names  # No temporary file is left.
    assert set(written.inodes) == names
    assert [name for name, inodes in written.inodes.items() if len(inodes) > 1] == []
    for name in names:
        with Image.open(out / name) as image, Image.open(work / "expected" / name) as expected:
            # Workers have another number of threads.
            difference = np.asarray(image, int) - np.asarray(expected, int)
            assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("victim", ["worker", "node"])
def test_all_is_written_once_whoever_is_killed(work, nodes, tmp_path, victim, kill):
    nodes.complete()
    out = tmp_path / "out"
    with Written(out) as written:
        process, report = _batch(work, nodes, out)
        _wait(lambda: len(nodes.actors()) == 2 and len(written.inodes) > COUNT // 4, process)
        assert len(written.inodes) < 3 * COUNT // 4
        os.kill((nodes.actors() if victim == "worker" else nodes.raylets())[-1], signal.SIGKILL)
        process.wait(600)
        written.look()
    _check(work, out, report, written, process)
