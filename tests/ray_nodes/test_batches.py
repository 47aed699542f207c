"""Batches on a Ray cluster of this machine: two workers, some of which do not survive."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import ray
import tiny
from processes import members_of

from tfsr.cluster import UrlFiles, Workers, run_jobs
from tfsr.errors import ClusterError
from tfsr.images import read
from tfsr.inference.jobs import plan_jobs
from tfsr.inference.request import UpscaleRequest
from tfsr.inference.target_size import TargetSize

TFSR = Path(sys.executable).with_name("tfsr")
X2 = UpscaleRequest(TargetSize(scale=2))
TWO = Workers("local", count=2)


@pytest.fixture(scope="module")
def cluster():
    """A cluster that all batches of this process share."""
    from tfsr.cluster.connection import connected

    with connected("local", 2, 0):
        # What tests define is sent to the workers, who cannot import it.
        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
        yield


class Killer:
    """Doubles images, and ends its process at those of 13 columns.

    Args:
        once: a file that is made then, and spares the process while it exists; None for none.
    """

    bit_depth, details = 8, {}

    def __init__(self, once=None):
        self.once = once

    def __call__(self, image, size):
        if self.once == "raise" and image.shape[1] == 13:
            raise ArithmeticError("not foreseen")
        if image.shape[1] == 13 and not (self.once and os.path.exists(self.once)):
            if self.once:
                open(self.once, "x").close()
            os.kill(os.getpid(), signal.SIGKILL)
        return image.repeat(2, 0).repeat(2, 1)


def jobs_of(tmp_path, count=12, **options):
    for number in range(count):
        side = 13 if number == 5 else 12
        tiny.save(tmp_path / "in" / f"{number:02}.png", tiny.image(10, side, number))
    return plan_jobs([tmp_path / "in"], tmp_path / "out", **options)[0]


def test_what_a_killed_worker_had_is_run_again(cluster, tmp_path):
    jobs = jobs_of(tmp_path, existing="refuse")
    once = tmp_path / "once"
    results = list(run_jobs(jobs, X2, lambda: Killer(str(once)), TWO))
    assert [result.error for result in results] == [None] * 12
    assert {result.target for result in results} == {job.target for job in jobs}
    assert once.exists()
    for number in range(12):
        image = tiny.image(10, 13 if number == 5 else 12, number)
        assert (read(tmp_path / "out" / f"{number:02}.png")[::2, ::2] == image).all()
    assert len(os.listdir(tmp_path / "out")) == 12


def test_an_image_that_ends_every_worker_is_reported_and_the_rest_done(cluster, tmp_path):
    jobs = jobs_of(tmp_path)
    results = list(run_jobs(jobs, X2, Killer, TWO))
    (failed,) = [result for result in results if result.error]
    assert failed.error == f"{jobs[5].source}: ended 3 workers, such as by needing too much memory"
    assert len(results) == 12
    assert set(os.listdir(tmp_path / "out")) == {job.target.name for job in jobs} - {"05.png"}


def test_what_nobody_foresaw_is_reported_and_the_rest_done(cluster, tmp_path):
    jobs = jobs_of(tmp_path)
    results = list(run_jobs(jobs, X2, lambda: Killer("raise"), TWO))
    (failed,) = [result for result in results if result.error]
    assert failed.error == f"{jobs[5].source}: ArithmeticError: not foreseen"
    assert len(os.listdir(tmp_path / "out")) == 11


def test_a_model_that_cannot_be_loaded_is_one_line(cluster, tmp_path):
    def load():
        raise OSError("no model here")

    with pytest.raises(ClusterError, match="^the workers ended: .*no model here"):
        list(run_jobs(jobs_of(tmp_path, 2), X2, load, TWO))


def test_workers_that_never_load_do_not_run_for_ever(cluster, tmp_path):
    def load():
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(ClusterError, match="killed 3 times while it loaded the model"):
        list(run_jobs(jobs_of(tmp_path, 2), X2, load, TWO))


def test_from_bucket_to_bucket_by_the_command(s3, tmp_path):
    """Resumed, with a bad file, and without a word of Ray's."""
    preset, _ = tiny.twins(tmp_path)
    files = UrlFiles()
    for number in range(6):
        with files.write_path(f"{s3}/cli/{number}.png", overwrite=True) as path:
            tiny.save(path, tiny.image(10, 12, number))
    with files.write_path(f"{s3}/cli/bad.png", overwrite=True) as path:
        path.write_bytes(b"no image")
    with files.write_path(f"{s3}/cli-out/3.png", overwrite=True) as path:
        tiny.save(path, tiny.image(20, 24))
    report = tmp_path / "report.json"
    arguments = [f"{s3}/cli", "-o", f"{s3}/cli-out", "--scale", "2", "--preset", preset]
    arguments += ["--ray", "local", "--workers", "2", "--skip-existing", "--report", report]
    done = subprocess.run(
        [TFSR, "upscale", *arguments], capture_output=True, text=True, check=False
    )
    found = json.loads(report.read_text())
    assert (found["done"], found["skipped"], found["failed"]) == (5, 1, 1), done.stderr
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"tfsr: {s3}/cli/bad.png: not a PNG")
    assert len(done.stdout.splitlines()) == 6
    with files.read_path(f"{s3}/cli-out/5.png") as path:
        assert read(path).shape == (20, 24, 3)


def test_ctrl_c_ends_all_processes_and_leaves_a_report(tmp_path):
    preset, _ = tiny.twins(tmp_path)
    tiny.folder(tmp_path / "in", count=60)
    report = tmp_path / "report.json"
    arguments = [tmp_path / "in", "-o", tmp_path / "out", "--scale", "20", "--preset", preset]
    arguments += ["--ray", "local", "--workers", "1", "--report", report]
    process = subprocess.Popen(
        [TFSR, "upscale", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=200)
    assert (process.returncode, err) == (130, "tfsr: interrupted\n")
    assert 0 < json.loads(report.read_text())["done"] < 60
    deadline = time.monotonic() + 60
    while members_of(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert members_of(process.pid) == []
    assert [name for name in os.listdir(tmp_path / "out") if name.startswith(".")] == []
