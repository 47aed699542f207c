import numpy as np
import pytest
from checks import answers, check_layer

from tfsr.encoders import EDSR, ENCODERS, RDN


@pytest.fixture
def picture(rng):
    return rng.uniform(-1, 1, (2, 6, 7, 3)).astype(np.float32)


def test_the_registered_names():
    assert ENCODERS.names() == ["edsr", "edsr-baseline", "rdn", "rdn-a"]


@pytest.mark.parametrize(
    ("name", "parameters"), [("edsr-baseline", 1_220_416), ("rdn", 21_973_952)]
)
def test_published_parameter_counts(name, parameters):
    encoder = ENCODERS.build(name)
    encoder.build((None, None, None, 3))
    assert encoder.count_params() == parameters
    assert encoder.channels == 64


def test_the_full_edsr_is_the_papers():
    encoder = ENCODERS.build("edsr")
    assert (encoder.features, encoder.blocks, encoder.residual_scale) == (256, 32, 0.1)


@pytest.mark.parametrize(
    ("name", "blocks", "layers", "growth"), [("rdn", 16, 8, 64), ("rdn-a", 20, 6, 32)]
)
def test_the_papers_two_configurations_of_rdn(name, blocks, layers, growth):
    encoder = ENCODERS.build(name)
    assert (encoder.blocks, encoder.layers, encoder.growth) == (blocks, layers, growth)
    assert encoder.features == encoder.channels == 64
    encoder.build((None, None, None, 3))
    # Each block: 3x3 convolutions that see everything before them, and a 1x1 one that fuses them.
    block = sum(9 * (64 + i * growth) * growth + growth for i in range(layers))
    block += (64 + layers * growth) * 64 + 64
    around = (9 * 3 * 64 + 64) + (9 * 64 * 64 + 64)
    fusion = (blocks * 64 * 64 + 64) + (9 * 64 * 64 + 64)
    assert encoder.count_params() == around + blocks * block + fusion


def test_edsr_is_a_layer(picture):
    arguments = {"features": 8, "blocks": 2, "residual_scale": 0.1}
    check_layer(EDSR, arguments, (picture,), (2, 6, 7, 8))


def test_rdn_is_a_layer(picture):
    arguments = {"features": 8, "blocks": 2, "layers": 3, "growth": 4}
    check_layer(RDN, arguments, (picture,), (2, 6, 7, 8))


def test_edsr_scales_its_blocks(picture):
    encoders = [EDSR(8, 2, scale) for scale in (1.0, 0.1, 0.0)]
    outputs = []
    for encoder in encoders:
        encoder.build((None, None, None, 3))
        encoder.set_weights(encoders[0].get_weights())
        outputs.append(answers(encoder(picture))[0])
    full, tenth, none = outputs
    assert np.abs(full - none).max() > 3 * np.abs(tenth - none).max() > 0


@pytest.mark.parametrize("name", ENCODERS.names())
def test_every_encoder_announces_its_channels(name):
    encoder = ENCODERS.build(name)
    shape = encoder.compute_output_shape((None, None, None, 3))
    assert shape == (None, None, None, encoder.channels)


@pytest.mark.parametrize("encoder", [EDSR(8, 2, 0.1), RDN(8, 2, 3, 4)], ids=["edsr", "rdn"])
def test_features_depend_on_pixels_as_far_as_the_halo(encoder):
    encoder.build((None, None, None, 3))
    # Where nothing is below 0 no pixel's share is lost in a ReLU.
    encoder.set_weights([np.abs(weights) for weights in encoder.get_weights()])
    side, middle = 31, 15
    picture = np.zeros((2, side, side, 3), np.float32)
    picture[1, middle, middle] = 1e4
    without, with_pixel = answers(encoder(picture))[0]
    # Some processors round the last pixels of a map in another way.
    reached = (np.abs(with_pixel - without) > 1e-6 * np.abs(without)).any(axis=-1)
    expected = np.zeros((side, side), bool)
    inside = slice(middle - encoder.halo, middle + encoder.halo + 1)
    expected[inside, inside] = True
    assert encoder.halo < middle
    np.testing.assert_array_equal(reached, expected)


@pytest.mark.parametrize("name", ["rdn", "rdn-a"])
def test_the_halo_of_the_full_rdn_is_cut(name):
    encoder = ENCODERS.build(name)
    assert encoder.blocks * encoder.layers > encoder.halo == 48
