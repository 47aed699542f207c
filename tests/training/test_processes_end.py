"""A run with processes that cut its samples ends in one line, and none of them is left."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import tiny
from processes import children_of, gone

TFSR = Path(sys.executable).with_name("tfsr")


def is_sampler(pid):
    """Whether a child cuts samples; Python's resource tracker is one too."""
    with contextlib.suppress(OSError):
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


@pytest.mark.slow
@pytest.mark.parametrize("end", ["Ctrl-C", "a dead process", "kill -9"])
def test_a_run_ends_with_all_its_processes(end, tmp_path):
    content = tiny.recipe(tiny.folder(tmp_path / "images"), steps=100_000, steps_per_epoch=50_000)
    recipe = tiny.write_recipe(tmp_path / "r.yaml", content)
    run = subprocess.Popen(
        [TFSR, "train", recipe, "-o", tmp_path / "run", "--processes", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert any(line.startswith("compiled in") for line in run.stdout)
        children = children_of(run.pid)
        samplers = [pid for pid in children if is_sampler(pid)]
        assert len(samplers) == 2
        if end == "Ctrl-C":
            # As a terminal does: to the whole group.
            os.killpg(run.pid, signal.SIGINT)
        else:
            os.kill(samplers[0] if end == "a dead process" else run.pid, signal.SIGKILL)
        _, printed = run.communicate(timeout=60)
        assert gone(children)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
    if end != "kill -9":
        code, words = {"Ctrl-C": (130, "interrupted"), "a dead process": (1, "died")}[end]
        assert run.returncode == code
        [line] = printed.splitlines()
        assert line.startswith("tfsr: ") and words in line
