import keras
import numpy as np
import pytest

from tfsr.errors import InvalidArgument
from tfsr.losses import L1, Charbonnier


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    return (
        rng.random((2, 5, 3), dtype=np.float32),
        rng.normal(0.5, 0.5, (2, 5, 3)).astype(np.float32),
    )


def value(loss, *args, **kwargs):
    return float(keras.ops.convert_to_numpy(loss(*args, **kwargs)))


def test_charbonnier_is_the_mean_of_the_papers_curve(batch):
    difference = batch[1].astype(np.float64) - batch[0]
    expected = np.mean(np.sqrt(difference**2 + 5e-4**2))
    assert value(Charbonnier(), *batch) == pytest.approx(expected, rel=1e-6)


def test_charbonnier_is_half_the_published_loss_on_pictures_in_minus_one_to_one(batch):
    published_difference = (2 * batch[1] - 1) - (2 * batch[0] - 1)
    published = np.mean(np.sqrt(published_difference**2 + 1e-6))
    assert 2 * value(Charbonnier(), *batch) == pytest.approx(published, rel=1e-6)


def test_l1_is_the_mean_absolute_error(batch):
    assert value(L1(), *batch) == pytest.approx(np.mean(np.abs(batch[1] - batch[0])), rel=1e-6)


def test_charbonnier_of_equal_pictures_is_epsilon(batch):
    assert value(Charbonnier(epsilon=0.25), batch[0], batch[0]) == pytest.approx(0.25)


@pytest.mark.parametrize("loss", [Charbonnier(), L1()], ids=["charbonnier", "l1"])
def test_losses_weigh_samples(loss, batch):
    weights = np.array([[1.0], [0.0]], np.float32)
    only_first = value(loss, batch[0][:1], batch[1][:1])
    assert value(loss, *batch, sample_weight=weights) == pytest.approx(only_first / 2, rel=1e-6)


@pytest.mark.parametrize("loss", [Charbonnier(), L1()], ids=["charbonnier", "l1"])
def test_losses_stay_float32_for_half_precision_predictions(loss):
    target = np.full((1, 4, 3), 0.5, np.float32)
    # Differs from the target by less than bfloat16 can tell at this size.
    near = np.full((1, 4, 3), 0.5004, np.float32)
    prediction = keras.ops.cast(target, "bfloat16")
    assert value(loss, near, prediction) == pytest.approx(value(loss, near, target), rel=1e-6)
    assert keras.backend.standardize_dtype(loss.call(near, prediction).dtype) == "float32"


@pytest.mark.parametrize(
    "loss", [Charbonnier(epsilon=1e-3, reduction="sum", name="c"), L1(reduction="none", name="l")]
)
def test_losses_survive_serialisation(loss):
    restored = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(restored) is type(loss)
    assert restored.get_config() == loss.get_config()


@pytest.mark.parametrize("epsilon", [0.0, -1e-3, float("nan")])
def test_charbonnier_refuses_an_epsilon_without_meaning(epsilon):
    with pytest.raises(InvalidArgument, match="epsilon must be a positive number"):
        Charbonnier(epsilon=epsilon)
