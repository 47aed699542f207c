import numpy as np
import pytest
import tiny

from tfsr.data import Sampler, SamplingConfig
from tfsr.data.pipeline import dataset
from tfsr.data.py_dataset import StepDataset
from tfsr.errors import ImageError

CONFIG = SamplingConfig(batch=2, lr_size=(12, 24), hr_size=(16, 48), window=8, queries=30)


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
def test_the_stream_is_the_samplers_batches_in_order(start, sampler):
    stream = dataset(sampler, start).take(6).as_numpy_iterator()
    steps = range(start, start + 6)
    for step, batch in zip(steps, stream, strict=True):
        check_same(batch, sampler.batch(step))


def test_the_stream_announces_its_shapes(sampler):
    inputs, colours = dataset(sampler).element_spec
    assert {name: tuple(spec.shape) for name, spec in inputs.items()} == {
        "image": (2, 8, 8, 3),
        "coordinates": (2, 30, 2),
        "cell": (2, 30, 2),
        "window": (2, 4),
    }
    assert tuple(colours.shape) == (2, 30, 3)


def test_step_dataset_is_the_samplers_batches_in_order(sampler):
    stream = StepDataset(sampler, start=7, steps=4)
    assert stream.num_batches == 4
    for index in range(4):
        check_same(stream[index], sampler.batch(7 + index))


def test_a_damaged_first_picture_is_named_when_the_stream_is_made(tmp_path):
    path = tmp_path / "damaged.png"
    path.write_text("no picture")
    with pytest.raises(ImageError, match="damaged.png"):
        dataset(Sampler(tmp_path, CONFIG))
