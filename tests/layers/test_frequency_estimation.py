import numpy as np
import pytest
from checks import check_layer, outputs

from tfsr.layers import LocalFrequencyEstimation

SMALL = {"tokens": 5, "features": 8, "blocks": 1}


@pytest.fixture
def image(rng):
    return rng.uniform(-1, 1, (2, 6, 7, 3)).astype(np.float32)


def tokens(layer, *args, **kwargs):
    return outputs(layer(*args, **kwargs))[0]


def test_it_is_a_layer(image):
    arguments = {**SMALL, "noise": False, "kl_weight": 0.5, "seed": 3}
    check_layer(LocalFrequencyEstimation, arguments, (image,), (2, 6, 7, 5))


def test_inference_uses_the_mean_and_repeats(image):
    layer = LocalFrequencyEstimation(**SMALL)
    found = tokens(layer, image)
    mean, _ = layer.moments(image)
    np.testing.assert_array_equal(found, tokens(layer, image))
    np.testing.assert_allclose(found, outputs(layer.decoder(mean))[0], atol=1e-6)


@pytest.mark.parametrize("arguments", [{"sample": True}, {"training": True}])
def test_noise_is_sampled_on_request_and_in_training(image, arguments):
    layer = LocalFrequencyEstimation(**SMALL, seed=1)
    first, second = tokens(layer, image, **arguments), tokens(layer, image, **arguments)
    assert not np.allclose(first, tokens(layer, image), atol=1e-4)
    assert not np.allclose(first, second, atol=1e-4)


def test_the_noise_is_scaled_by_the_latents_deviation(image):
    layer = LocalFrequencyEstimation(**SMALL)
    layer(image)
    layer.encoder.conv3.bias.assign(np.repeat(np.float32([0.0, -40.0]), 8))
    exact = tokens(layer, image)
    np.testing.assert_allclose(tokens(layer, image, sample=True), exact, atol=1e-5)


def test_one_seed_is_one_noise(image):
    layers = [LocalFrequencyEstimation(**SMALL, seed=seed) for seed in (7, 7, 8)]
    for layer in layers:
        layer.build((None, None, None, 3))
        for variable, source in zip(
            layer.trainable_variables, layers[0].trainable_variables, strict=True
        ):
            variable.assign(source)
    first, again, other = (tokens(layer, image, sample=True) for layer in layers)
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other, atol=1e-4)


def test_training_without_noise_is_on_the_mean(image):
    layer = LocalFrequencyEstimation(**SMALL, noise=False)
    np.testing.assert_array_equal(tokens(layer, image, training=True), tokens(layer, image))
    assert not np.allclose(tokens(layer, image, sample=True), tokens(layer, image), atol=1e-4)


def test_there_is_no_divergence_term_by_default(image):
    layer = LocalFrequencyEstimation(**SMALL)
    layer(image, training=True)
    assert not layer.losses


def test_the_divergence_term_is_the_closed_form_and_for_training_alone(image):
    layer = LocalFrequencyEstimation(**SMALL, kl_weight=0.25)
    layer(image)
    assert not layer.losses
    layer(image, training=True)
    mean, log_variance = outputs(layer.moments(image))
    divergence = np.mean(0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance))
    assert divergence > 0
    assert float(sum(layer.losses)) == pytest.approx(0.25 * divergence, rel=1e-5)


def test_moments_are_float32_in_mixed_precision(image):
    layer = LocalFrequencyEstimation(**SMALL, dtype="mixed_bfloat16")
    assert [m.dtype for m in layer.moments(image)] == ["float32", "float32"]


def test_the_published_size():
    layer = LocalFrequencyEstimation()
    layer.build((None, None, None, 3))
    convolution = 9 * 64 * 64 + 64
    body = 4 * 2 * convolution + convolution
    encoder = (9 * 3 * 64 + 64) + body + (9 * 64 * 128 + 128)
    decoder = convolution + body + (9 * 64 * 8 + 8)
    assert layer.count_params() == encoder + decoder


@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_tokens_depend_on_pixels_as_far_as_the_halo(blocks):
    layer = LocalFrequencyEstimation(tokens=2, features=4, blocks=blocks)
    layer.build((None, None, None, 3))
    # Where nothing is below 0 no pixel's share is lost to a rectifier.
    layer.encoder.set_weights([np.abs(weights) for weights in layer.encoder.get_weights()])
    layer.decoder.set_weights([np.abs(weights) for weights in layer.decoder.get_weights()])
    middle = layer.halo + 2
    image = np.zeros((2, 2 * middle + 1, 2 * middle + 1, 3), np.float32)
    image[1, middle, middle] = 1e8
    without, with_pixel = tokens(layer, image)
    # Some processors round the last pixels of a map in another way.
    reached = (np.abs(with_pixel - without) > 1e-6 * np.abs(without)).any(axis=-1)
    expected = np.zeros_like(reached)
    expected[2:-2, 2:-2] = True
    np.testing.assert_array_equal(reached, expected)
