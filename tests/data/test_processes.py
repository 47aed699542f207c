"""Samples cut by several processes: the same bits, and nothing left behind."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import tiny
from processes import alive, gone

from tfsr.data import Sampler, SamplingConfig
from tfsr.data.pipeline import dataset
from tfsr.data.processes import SampleProcesses
from tfsr.data.py_dataset import StepDataset
from tfsr.data.shared_images import SharedImages
from tfsr.errors import ImageError, TrainingError

CONFIG = SamplingConfig(batch=2, lr_size=(12, 24), hr_size=(16, 48), window=8, num_points=30)


@pytest.fixture
def folder(tmp_path):
    return tiny.folder(tmp_path / "images", count=5)


def check_same(found, expected):
    for name, values in expected[0].items():
        np.testing.assert_array_equal(found[0][name], values)
    np.testing.assert_array_equal(found[1], expected[1])


def pids_of(samples):
    return list(samples._pool._processes)


def test_the_batches_are_the_samplers_whatever_the_number_of_processes(folder):
    sampler = Sampler(folder, CONFIG, seed=3)
    for processes in (1, 3):
        with SampleProcesses(Sampler(folder, CONFIG, seed=3), processes) as samples:
            for step in (0, 5, 1):
                check_same(samples.batch(step), sampler.batch(step))
            check_same(samples.batch(4, part=1, parts=2), sampler.batch(4, 1, 2))
            for index, batch in enumerate(dataset(samples, 7).take(4).as_numpy_iterator()):
                check_same(batch, sampler.batch(7 + index))
            stream = StepDataset(samples, start=9, steps=4)
            # Keras looks at the first batches, and begins again.
            for index in (0, 1, 0, 1, 2, 3):
                check_same(stream[index], sampler.batch(9 + index))
            pids = pids_of(samples)
            assert pids and all(alive(pid) for pid in pids)
        assert gone(pids)


@pytest.mark.parametrize("budget, kept", [(2**20, 5), (3 * 48 * 48 * 3 + 10, 3), (0, 0)])
def test_images_are_kept_as_far_as_the_budget_goes(budget, kept, folder):
    sampler = Sampler(folder, CONFIG, seed=3, cache=budget)
    images = SharedImages.load(sampler.images, budget)
    assert list(images) == sampler.paths[:kept]
    for path, image in images.items():
        np.testing.assert_array_equal(image, sampler.images.decode(path))
        with pytest.raises(ValueError, match="read-only"):
            image[:] = 0
    with SampleProcesses(sampler, 2) as samples:
        for step in range(3):
            check_same(samples.batch(step), Sampler(folder, CONFIG, seed=3).batch(step))


def test_damaged_images_are_skipped_or_named_as_by_the_sampler(folder):
    damaged = folder / "2.png"
    damaged.write_bytes(damaged.read_bytes()[:-30])
    with pytest.raises(ImageError, match="2.png"):
        SampleProcesses(Sampler(folder, CONFIG), 1)
    # Without a budget it is found by the processes.
    strict = Sampler(folder, CONFIG, cache=0)
    with SampleProcesses(strict, 2) as samples, pytest.raises(ImageError, match="2.png") as caught:
        for step in range(3):
            samples.batch(step)
    assert strict.failure is caught.value
    for cache in (0, 2**20):
        lines = []
        skipping = Sampler(folder, CONFIG, 0, True, lines.append, cache)
        expected = Sampler(folder, CONFIG, 0, True)
        with SampleProcesses(skipping, 2) as samples:
            for step in range(6):
                check_same(samples.batch(step), expected.batch(step))
        [line] = lines
        assert line.startswith(str(damaged)) and line.endswith("1 of 5 images so far")


@pytest.mark.parametrize("late", [False, True])
def test_a_process_that_is_killed_ends_the_stream_in_one_line(late, folder):
    sampler = Sampler(folder, CONFIG)
    with SampleProcesses(sampler, 2) as samples:
        samples.batch(0)
        pids = pids_of(samples)
        os.kill(pids[0], signal.SIGKILL)
        if late:
            assert gone(pids[:1])
            time.sleep(0.5)
        with pytest.raises(TrainingError, match="has died") as caught:
            for step in range(50):
                samples.batch(step)
        assert "\n" not in str(caught.value) and sampler.failure is caught.value
    assert gone(pids)


SCRIPT = """
import sys
from pathlib import Path
from tfsr.data import Sampler, SamplingConfig
from tfsr.data.processes import SampleProcesses

if __name__ == "__main__":
    config = SamplingConfig(batch=2, lr_size=12, hr_size=(16, 48), num_points=30)
    with SampleProcesses(Sampler(sys.argv[1], config), 2) as samples:
        [future.result() for future in [samples.submit(step) for step in range(8)]]
        try:
            print(*samples._pool._processes, "keras" in sys.modules, flush=True)
            while True:
                samples.batch(1)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_its_trainer(end, folder, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, script, folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        *pids, keras_imported = process.stdout.readline().split()
        assert keras_imported == "False" and len(pids) == 2
        if end == signal.SIGINT:
            # As a terminal does: to the whole group.
            os.killpg(process.pid, end)
        else:
            process.kill()
        out, err = process.communicate(timeout=90)
        assert gone([int(pid) for pid in pids])
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert "Traceback" not in err
    assert out.strip() == ("interrupted" if end == signal.SIGINT else "")


def test_a_larger_batch_is_shared_out_too(folder):
    config = replace(CONFIG, batch=4)
    with SampleProcesses(Sampler(folder, config), 2) as samples:
        check_same(samples.batch(2), Sampler(folder, config).batch(2))
