"""Samples made by several processes: the same bits, and no process left at the end."""

import contextlib
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import tiny
from processes import alive, gone

from tfsr.data import Sampler, SamplingConfig, Source
from tfsr.data.processes import SampleProcesses
from tfsr.data.py_dataset import StepDataset
from tfsr.data.shared_images import SharedImages
from tfsr.data.tf_dataset import dataset
from tfsr.errors import ImageError, TrainingError

CONFIG = SamplingConfig(batch=4, lr_size=(12, 24), hr_size=(16, 48), window=8, num_points=30)
IMAGE_BYTES = 48 * 48 * 3


@pytest.fixture
def folder(tmp_path):
    return tiny.folder(tmp_path / "images", count=5)


def check_same(found, expected):
    for name, values in expected[0].items():
        np.testing.assert_array_equal(found[0][name], values)
    np.testing.assert_array_equal(found[1], expected[1])


def pids_of(samples):
    return list(samples._pool._processes)


def test_the_batches_are_those_of_the_sampler(folder, tmp_path):
    other = tiny.folder(tmp_path / "other", count=3)
    sources = [Source(str(folder), 3), Source(str(other), degradation="faces")]
    # Some images are in shared memory, the others are decoded by the processes.
    sampler = Sampler(sources, CONFIG, seed=3, cache=6 * IMAGE_BYTES)
    with SampleProcesses(sampler, 2) as samples:
        for step in (0, 5, 1):
            check_same(samples.batch(step), sampler.batch(step))
        check_same(samples.batch(4, 1, 2), sampler.batch(4, 1, 2))
        for index, batch in enumerate(dataset(samples, 7).take(4).as_numpy_iterator()):
            check_same(batch, sampler.batch(7 + index))
        stream = StepDataset(samples, start=9, steps=4)
        for index in (0, 1, 0, 1, 2, 3):
            check_same(stream[index], sampler.batch(9 + index))
        pids = pids_of(samples)
        assert len(pids) == 2 and all(alive(pid) for pid in pids)
    assert gone(pids)


@pytest.mark.parametrize("budget, count", [(2**20, 5), (3 * IMAGE_BYTES + 10, 3), (0, 0)])
def test_images_are_shared_up_to_the_budget(budget, count, folder):
    sampler = Sampler(folder, CONFIG)
    images = SharedImages.load(sampler.images, budget, threads=2)
    assert list(images) == sampler.paths[:count]
    for path, image in images.items():
        np.testing.assert_array_equal(image, sampler.images.decode(path))
        with pytest.raises(ValueError, match="read-only"):
            image[:] = 0


@pytest.fixture
def damaged(folder):
    path = folder / "2.png"
    path.write_bytes(path.read_bytes()[:-30])
    return path


def test_a_damaged_image_is_an_error(damaged):
    with pytest.raises(ImageError, match="2.png"):
        SampleProcesses(Sampler(damaged.parent, CONFIG), 1)
    # Without a budget, the processes find it.
    sampler = Sampler(damaged.parent, CONFIG, cache=0)
    with SampleProcesses(sampler, 1) as samples, pytest.raises(ImageError, match="2.png") as caught:
        for step in range(3):
            samples.batch(step)
    assert sampler.failure is caught.value


def test_damaged_images_are_skipped_as_by_the_sampler(damaged):
    """4.png is found before the processes start, 2.png by a process."""
    small = tiny.save(damaged.with_name("4.png"), tiny.image(20, 20))
    lines = []
    sampler = Sampler(damaged.parent, CONFIG, 0, True, lines.append, cache=0)
    sampler.check()
    expected = Sampler(damaged.parent, CONFIG, 0, True)
    with SampleProcesses(sampler, 1) as samples:
        assert [line.split(":")[0] for line in lines] == [str(small)]
        for step in range(4):
            check_same(samples.batch(step), expected.batch(step))
    assert lines[1].startswith(str(damaged)) and lines[1].endswith("2 of 5 images so far")
    assert len(lines) == 2


def test_a_killed_process_ends_the_stream_in_one_line(folder):
    sampler = Sampler(folder, CONFIG)
    with SampleProcesses(sampler, 1) as samples:
        samples.batch(0)
        os.kill(*pids_of(samples), signal.SIGKILL)
        # The first batch was waiting for it, or was to be given to it; the second is refused.
        for _ in range(2):
            with pytest.raises(TrainingError, match="died") as caught:
                for step in range(50):
                    samples.batch(step)
            assert "\n" not in str(caught.value) and sampler.failure is caught.value


SCRIPT = """
import sys
from tfsr.data import Sampler, SamplingConfig
from tfsr.data.processes import SampleProcesses

if __name__ == "__main__":
    config = SamplingConfig(batch=2, lr_size=12, hr_size=(16, 48), num_points=30)
    with SampleProcesses(Sampler(sys.argv[1], config), 1) as samples:
        try:
            samples.batch(0)
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
        pid, keras_imported = process.stdout.readline().split()
        assert keras_imported == "False"
        if end == signal.SIGINT:
            # As a terminal does: to the whole group.
            os.killpg(process.pid, end)
        else:
            process.kill()
        out, err = process.communicate(timeout=90)
        assert gone([int(pid)])
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert "Traceback" not in err
    assert out.strip() == ("interrupted" if end == signal.SIGINT else "")
