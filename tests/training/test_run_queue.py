"""Real trainings in real processes, which are really killed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny
import yaml
from processes import alive, children_of, gone
from runs import contents
from typer.testing import CliRunner

from tfsr.cli import app
from tfsr.errors import InvalidArgument, TrainingError
from tfsr.training.locks import is_locked, lock
from tfsr.training.queue_list import load_list
from tfsr.training.queue_status import statuses, write_result
from tfsr.training.run_queue import is_queue_running, run_queue

TFSR = Path(sys.executable).with_name("tfsr")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder: a recipe of 150 short steps, images, and list.yaml."""
    monkeypatch.chdir(tmp_path)
    tiny.folder(tmp_path / "images")
    content = tiny.recipe("images", steps=150, steps_per_epoch=50, checkpoint_steps=10)
    content["validation"] = {"lr_sizes": [24], "images": 1}
    tiny.write_recipe(tmp_path / "r.yaml", content)
    return tmp_path


def write_list(runs, name="list.yaml"):
    Path(name).write_text(yaml.safe_dump({"runs": runs}, sort_keys=False))


@contextlib.contextmanager
def queue(*arguments):
    """A queue in a process of its own; whatever happens, it does not outlive the test."""
    process = subprocess.Popen(
        [TFSR, "queue", "run", "list.yaml", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(condition, seconds=300.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def by_name():
    return {status.name: status for status in statuses(load_list("list.yaml"))}


@pytest.mark.slow
def test_trainings_killed_in_every_way_end_as_one_that_was_not(folder):
    runs = {
        "base": {"recipe": "r.yaml"},
        "tuned": {"recipe": "r.yaml", "init_from": "base", "set": {"training.steps": 20}},
    }
    write_list(runs)
    checkpoint = Path("runs/base/checkpoints/step-00000010")
    with queue("--jobs", "2") as first:
        wait_for(checkpoint.exists)
        log = Path("runs/base/log.txt")
        [child] = children_of(first.pid)
        # So that it does not end while it is looked at.
        os.kill(child, signal.SIGSTOP)
        # Field 19 of the process's status is its priority.
        assert Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[16] == "19"
        assert os.getsid(child) == os.getsid(first.pid)
        assert b"TF_NUM_INTRAOP_THREADS=1" in Path(f"/proc/{child}/environ").read_bytes()
        assert is_queue_running("list.yaml")
        status = by_name()
        assert status["base"].state == "running" and status["base"].steps == 150
        assert status["tuned"].line == "after base (running)"
        with pytest.raises(TrainingError, match="^list.yaml: another queue runs this list$"):
            run_queue("list.yaml")
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert gone([child])
    assert not is_queue_running("list.yaml")
    # The last of its threads releases the lock.
    wait_for(lambda: by_name()["base"].state == "waiting", seconds=10)
    status = by_name()["base"]
    assert status.line == "" and 10 <= status.step < 150

    with queue("--jobs", "2") as again:
        wait_for(lambda: log.read_text().count("compiled in") == 2)
        children = children_of(again.pid)
        again.send_signal(signal.SIGINT)
        _, printed = again.communicate(timeout=60)
        assert (again.returncode, printed) == (130, "tfsr: interrupted\n")
        assert not any(alive(pid) for pid in children)
    assert log.read_text().splitlines()[-1] == "tfsr: interrupted"

    runs["broken"] = {"recipe": "r.yaml", "data": "no/such/folder"}
    runs["after-broken"] = {"recipe": "r.yaml", "after": "broken"}
    write_list(runs)
    with queue() as last:
        out, printed = last.communicate(timeout=300)
    assert (last.returncode, printed) == (1, "tfsr: not all trainings are done\n")
    lines = out.splitlines()
    for line in (
        "base: started, log in runs/base/log.txt",
        "after-broken: not started: broken is not done",
    ):
        assert line in lines
    assert any(line.startswith("base: done, 150 steps, best ") for line in lines)
    assert any(line.startswith("broken: failed: no/such/folder") for line in lines)
    assert lines.index("tuned: started, log in runs/tuned/log.txt") > next(
        i for i, line in enumerate(lines) if line.startswith("base: done")
    )
    found = by_name()
    assert [found[name].state for name in runs] == ["done", "done", "failed", "waiting"]
    assert "no/such/folder" in found["broken"].line
    assert found["base"].best == pytest.approx(float(history_best("runs/base")))

    # By a queue too: with more threads, sums are rounded in another order.
    write_list({"base": {"recipe": "r.yaml", "output": "uninterrupted"}})
    assert run_queue("list.yaml", report=lambda line: None)
    expected, killed = contents(Path("uninterrupted")), contents(Path("runs/base"))
    for name, values in expected.items():
        assert killed[name] == values, name


def history_best(run):
    rows = (Path(run) / "history.csv").read_text().splitlines()
    column = rows[0].split(",").index("val_psnr")
    return max(float(row.split(",")[column]) for row in rows[1:])


def test_sigterm_stops_a_queue_whose_trainings_have_hardly_begun(folder):
    write_list({"a": {"recipe": "r.yaml"}})
    with queue() as process:
        assert process.stdout.readline() == "a: started, log in runs/a/log.txt\n"
        children = children_of(process.pid)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode == 143 and not any(alive(pid) for pid in children)
    assert by_name()["a"].state == "waiting"


def test_what_is_done_is_not_started_again_unless_the_list_changes(folder):
    write_list({"a": {"recipe": "r.yaml"}})
    [run] = load_list("list.yaml")
    run.directory.mkdir(parents=True)
    write_result(run, "done")
    lines = []
    assert run_queue("list.yaml", 1, lines.append)
    assert lines == ["a: already done"]
    write_list({"a": {"recipe": "r.yaml", "set": {"seed": 6}}})
    assert by_name()["a"].state == "waiting"


def test_a_directory_that_another_process_trains_in_is_left_alone(folder, monkeypatch):
    monkeypatch.setattr("tfsr.training.queue_process._DEATH_SECONDS", 0.1)
    write_list({"a": {"recipe": "r.yaml"}})
    Path("runs/a").mkdir(parents=True)
    held = lock(Path("runs/a/.lock"))
    lines = []
    try:
        assert by_name()["a"].state == "running"
        assert not run_queue("list.yaml", 1, lines.append)
    finally:
        os.close(held)
    assert lines == ["a: failed: runs/a: another process trains there"]


def test_a_directory_that_cannot_be_made_is_one_line(folder):
    Path("runs").write_text("a file")
    write_list({"a": {"recipe": "r.yaml"}})
    lines = []
    assert not run_queue("list.yaml", 1, lines.append)
    assert lines == ["a: failed: cannot be started: runs/a: Not a directory"]


def test_there_is_at_least_one_job(folder):
    write_list({"a": {"recipe": "r.yaml"}})
    with pytest.raises(InvalidArgument, match="jobs must be at least 1; received 0"):
        run_queue("list.yaml", 0)


def test_a_lock_is_seen_by_others_and_ends_with_its_descriptor(tmp_path):
    path = tmp_path / "lock"
    assert not is_locked(path) and not path.exists()
    held = lock(path)
    assert is_locked(path) and is_locked(path) and lock(path) is None
    os.close(held)
    assert not is_locked(path)


def test_a_list_is_shown_as_a_table_and_as_json(folder):
    write_list({"a": {"recipe": "r.yaml"}, "b": {"recipe": "r.yaml", "after": "a"}})
    show = CliRunner().invoke(app, ["queue", "show", "list.yaml"])
    assert show.output.splitlines() == [
        "run  state    steps     best  speed  end",
        "a    waiting  0 of 150  -     -      -",
        "b    waiting  0 of 150  -     -      after a (waiting)",
        "No queue runs this list now; to start it: tfsr queue run list.yaml",
    ]
    content = json.loads(CliRunner().invoke(app, ["queue", "show", "list.yaml", "--json"]).output)
    assert not content["running"] and [run["name"] for run in content["runs"]] == ["a", "b"]
