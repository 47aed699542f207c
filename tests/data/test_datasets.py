from dataclasses import replace

import numpy as np
import pytest
import tiny

from tfsr.data import Sampler, SamplingConfig
from tfsr.data.py_dataset import StepDataset
from tfsr.data.tf_dataset import dataset
from tfsr.errors import ImageError

CONFIG = SamplingConfig(batch=2, lr_size=(12, 24), hr_size=(16, 48), window=8, num_points=30)


@pytest.fixture
def sampler(tmp_path):
    return Sampler(tiny.folder(tmp_path, count=5), CONFIG, seed=1)


def check_same(found, expected):
    (inputs, colours), (expected_inputs, expected_colours) = found, expected
    assert inputs.keys() == expected_inputs.keys()
    for name, values in expected_inputs.items():
        np.testing.assert_array_equal(inputs[name], values)
    np.testing.assert_array_equal(colours, expected_colours)


@pytest.mark.parametrize("start", [0, 7])
def test_the_stream_has_the_samplers_batches_in_order(start, sampler):
    stream = dataset(sampler, start).take(4).as_numpy_iterator()
    for step, batch in zip(range(start, start + 4), stream, strict=True):
        check_same(batch, sampler.batch(step))


def test_replicas_share_the_batches_of_one(sampler):
    """Two processes of two replicas each: together they see the batches of one device."""
    whole = Sampler(sampler.paths, replace(CONFIG, batch=8), seed=1)
    streams = [
        dataset(whole, 3, num_shards=4, shards=shards).take(4).as_numpy_iterator()
        for shards in (range(2), range(2, 4))
    ]
    for step in range(3, 5):
        parts = [next(stream) for stream in streams for _ in range(2)]
        inputs = {name: np.concatenate([part[0][name] for part in parts]) for name in parts[0][0]}
        check_same((inputs, np.concatenate([part[1] for part in parts])), whole.batch(step))


@pytest.mark.parametrize("num_shards", [1, 2, 4])
def test_every_image_is_seen_once_before_any_is_seen_again(num_shards, tmp_path):
    seen = []

    class Watched(Sampler):
        def sample(self, index):
            seen.append(index)
            return super().sample(index)

    sampler = Watched(tiny.folder(tmp_path, count=16), replace(CONFIG, batch=4), seed=1)
    for step in range(4):
        for shard in range(num_shards):
            sampler.batch(step, shard, num_shards)
    assert sorted(seen) == list(range(16))


def test_the_stream_has_static_shapes(sampler):
    inputs, colours = dataset(sampler).element_spec
    assert {name: tuple(spec.shape) for name, spec in inputs.items()} == {
        "image": (2, 8, 8, 3),
        "coordinates": (2, 30, 2),
        "cell": (2, 30, 2),
        "window": (2, 4),
    }
    assert tuple(colours.shape) == (2, 30, 3)


def test_step_dataset_has_the_samplers_batches_in_any_order(sampler):
    stream = StepDataset(sampler, start=7, steps=4)
    assert stream.num_batches == 4
    # Keras reads the first batches, and starts again.
    for index in (0, 1, 0, 1, 2, 3):
        check_same(stream[index], sampler.batch(7 + index))
    shard = StepDataset(sampler, start=7, steps=None, shard=1, num_shards=2)
    check_same(shard[2], sampler.batch(9, 1, 2))


def test_a_damaged_first_image_is_named_when_the_stream_is_made(tmp_path):
    path = tmp_path / "damaged.png"
    path.write_text("no image")
    with pytest.raises(ImageError, match="damaged.png"):
        dataset(Sampler(tmp_path, CONFIG))
