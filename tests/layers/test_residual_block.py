import numpy as np
from checks import check_layer, outputs

from tfsr.layers import ResidualBlock


def test_residual_block_is_a_layer(rng):
    x = rng.random((2, 5, 6, 8), dtype=np.float32)
    check_layer(ResidualBlock, {"features": 8, "residual_scale": 0.1}, (x,), (2, 5, 6, 8))


def test_the_scale_multiplies_the_branch_alone(rng):
    x = rng.random((1, 5, 6, 8), dtype=np.float32)
    plain, scaled = ResidualBlock(8), ResidualBlock(8, residual_scale=0.1)
    plain(x), scaled(x)
    scaled.set_weights(plain.get_weights())
    branch = outputs(plain(x))[0] - x
    np.testing.assert_allclose(outputs(scaled(x))[0], x + 0.1 * branch, atol=1e-6)
    assert np.abs(branch).max() > 0.1
