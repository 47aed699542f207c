import numpy as np
import pytest
from checks import answers, check_layer

from tfsr.encoders import EDSR, ENCODERS, RDN


@pytest.fixture
def picture(rng):
    return rng.uniform(-1, 1, (2, 6, 7, 3)).astype(np.float32)


def test_the_registered_names():
    assert ENCODERS.names() == ["edsr", "edsr-baseline", "rdn"]


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
