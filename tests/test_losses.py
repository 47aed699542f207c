import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsr import losses
from tfsr.errors import InvalidArgument
from tfsr.losses import L1, L2, LOSSES, Charbonnier, Fourier, WeightedSum


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


def test_charbonnier_is_half_the_published_loss_on_images_in_minus_one_to_one(batch):
    published_difference = (2 * batch[1] - 1) - (2 * batch[0] - 1)
    published = np.mean(np.sqrt(published_difference**2 + 1e-6))
    assert 2 * value(Charbonnier(), *batch) == pytest.approx(published, rel=1e-6)


def test_l1_is_the_mean_absolute_error(batch):
    assert value(L1(), *batch) == pytest.approx(np.mean(np.abs(batch[1] - batch[0])), rel=1e-6)


def test_charbonnier_of_equal_images_is_epsilon(batch):
    assert value(Charbonnier(epsilon=0.25), batch[0], batch[0]) == pytest.approx(0.25)


@pytest.fixture
def patches():
    rng = np.random.default_rng(1)
    return (
        rng.random((2, 6, 9, 3), dtype=np.float32),
        rng.normal(0.5, 0.5, (2, 6, 9, 3)).astype(np.float32),
    )


ALL = [*map(LOSSES.build, LOSSES.names()), WeightedSum([L1(), Fourier()], [0.5, 2.0])]
every_loss = pytest.mark.parametrize("loss", ALL, ids=lambda loss: loss.name)


def test_l2_is_the_mean_squared_error(batch):
    assert value(L2(), *batch) == pytest.approx(np.mean((batch[1] - batch[0]) ** 2), rel=1e-6)


def test_fft_is_the_l1_distance_of_the_orthonormal_spectra(patches):
    difference = patches[1].astype(np.float64) - patches[0]
    spectrum = np.fft.rfft2(difference, axes=(1, 2), norm="ortho")
    expected = np.mean(np.abs([spectrum.real, spectrum.imag]))
    assert value(Fourier(), *patches) == pytest.approx(expected, rel=1e-5)


def test_fft_does_not_depend_on_the_size_of_the_patch(rng):
    errors = [rng.normal(0, 0.1, (1, n, n, 3)).astype(np.float32) for n in (32, 33, 256)]
    found = [value(Fourier(), np.zeros_like(error), error) for error in errors]
    # E|Re| of noise whose every coefficient has the variance 0.1^2 / 2.
    np.testing.assert_allclose(found, 0.1 / np.sqrt(np.pi), rtol=0.04)


def test_fft_of_points_that_are_no_patch_is_refused(batch):
    with pytest.raises(InvalidArgument, match=r"takes patches .*; received \(2, 5, 3\)"):
        value(Fourier(), *batch)


@every_loss
def test_the_gradient_is_that_of_finite_differences(loss, patches):
    target, prediction = patches
    direction = np.random.default_rng(2).normal(size=prediction.shape).astype(np.float32)
    with tf.GradientTape() as tape:
        variable = tf.Variable(prediction)
        found = loss(target, variable)
    slope = float(tf.reduce_sum(tape.gradient(found, variable) * direction))
    step = 1e-3
    ahead, behind = (value(loss, target, prediction + x * direction) for x in (step, -step))
    assert slope == pytest.approx((ahead - behind) / (2 * step), rel=2e-2, abs=1e-4)


def test_a_sum_is_the_weighted_sum_of_its_losses(patches):
    loss = losses.from_config(
        [{"name": "charbonnier", "epsilon": 1e-2}, {"name": "fft", "weight": 0.05}, "l2"]
    )
    expected = (
        value(Charbonnier(1e-2), *patches)
        + 0.05 * value(Fourier(), *patches)
        + value(L2(), *patches)
    )
    assert value(loss, *patches) == pytest.approx(expected, rel=1e-6)
    assert loss.needs_patch and not losses.from_config(["l1", "l2"]).needs_patch


def test_a_loss_by_name_is_the_loss_itself():
    for config in ("charbonnier", {"name": "charbonnier"}, [{"name": "charbonnier", "weight": 1}]):
        loss = losses.from_config(config)
        assert type(loss) is Charbonnier and loss.epsilon == 5e-4
    assert losses.from_config({"name": "charbonnier", "epsilon": 1e-3}).epsilon == 1e-3
    assert losses.from_config({"name": "l1", "weight": 2}).weights == [2.0]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("charbonier", "loss must be one of .* received 'charbonier'.*Did you mean 'charbonnier'"),
        ({"name": "charbonnier", "epsilom": 1}, "has no argument 'epsilom'.*'epsilon'"),
        ({"name": "charbonnier", "epsilon": "small"}, "epsilon must be a positive.*'small'"),
        ({"name": "l1", "reduction": "sum"}, "has no argument 'reduction'; known: none"),
        ({"epsilon": 1e-3}, "loss must be one of .* received None"),
        ({"name": "l1", "weight": 0}, "weight must be a positive number; received 0"),
        ({"name": "l1", "weight": -1}, "received -1"),
        ({"name": "l1", "weight": float("inf")}, "received inf"),
        ({"name": "l1", "weight": "much"}, "received 'much'"),
        ({"name": "l1", "weight": True}, "received True"),
        ([], "must name at least one; received none"),
        ([["l1"]], "loss must be a registered name"),
        (3, "loss must be a registered name"),
    ],
)
def test_a_loss_that_cannot_be_is_refused_in_one_line(config, words):
    with pytest.raises(InvalidArgument, match=words) as caught:
        losses.from_config(config)
    assert "\n" not in str(caught.value)


def test_a_sum_needs_a_weight_for_each_loss():
    with pytest.raises(InvalidArgument, match="received 2 losses and 1 weights"):
        WeightedSum([L1(), L2()], [1.0])


@every_loss
def test_losses_weigh_samples(loss, patches):
    shape = [2] + [1] * (len(loss.call(*patches).shape) - 1)
    weights = np.array([1.0, 0.0], np.float32).reshape(shape)
    only_first = value(loss, patches[0][:1], patches[1][:1])
    assert value(loss, *patches, sample_weight=weights) == pytest.approx(only_first / 2, rel=1e-6)


@every_loss
def test_losses_stay_float32_for_half_precision_predictions(loss):
    target = np.full((1, 4, 4, 3), 0.5, np.float32)
    # Differs from the target by less than bfloat16 can tell at this size.
    near = np.full((1, 4, 4, 3), 0.5004, np.float32)
    prediction = keras.ops.cast(target, "bfloat16")
    assert value(loss, near, prediction) == pytest.approx(value(loss, near, target), rel=1e-6)
    assert keras.backend.standardize_dtype(loss.call(near, prediction).dtype) == "float32"


@pytest.mark.parametrize(
    "loss",
    [
        Charbonnier(epsilon=1e-3, reduction="sum", name="c"),
        L1(reduction="none", name="l"),
        WeightedSum([Charbonnier(epsilon=1e-3), Fourier()], [1.0, 0.05], name="both"),
    ],
)
def test_losses_survive_serialisation(loss):
    restored = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(restored) is type(loss)
    assert restored.get_config() == loss.get_config()


@pytest.mark.parametrize("epsilon", [0.0, -1e-3, float("nan")])
def test_charbonnier_refuses_an_epsilon_without_meaning(epsilon):
    with pytest.raises(InvalidArgument, match="epsilon must be a positive number"):
        Charbonnier(epsilon=epsilon)
