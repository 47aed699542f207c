"""Models in another precision."""

import numpy as np
import pytest
import tiny
from checks import check_close

from tfsr.errors import InvalidArgument
from tfsr.models import Bicubic, SubPixelSR, from_config, with_precision

MODELS = {
    "implicit": tiny.MODEL,
    "sub-pixel": {"encoder": tiny.MODEL["encoder"], "scale": 2},
}
every_kind = pytest.mark.parametrize("kind", MODELS)


@pytest.fixture
def images(rng):
    return rng.random((2, 7, 9, 3), dtype=np.float32)


@every_kind
def test_a_model_of_that_precision_is_returned_itself(kind):
    model = from_config(MODELS[kind])
    assert with_precision(model, "float32") is model
    rounded = with_precision(model, "bfloat16")
    assert with_precision(rounded, "bfloat16") is rounded


@every_kind
def test_bfloat16_outputs_near_the_exact_model(kind, images):
    model = from_config(MODELS[kind])
    rounded = with_precision(model, "bfloat16")
    assert type(rounded) is type(model) and rounded is not model
    assert rounded.dtype_policy.name == rounded.encoder.dtype_policy.name == "mixed_bfloat16"
    image, expected = (m.upscale(images, size=(15, 20)) for m in (rounded, model))
    assert image.dtype == np.float32
    assert not np.array_equal(image, expected)
    check_close(image, expected, 0.05)


@every_kind
def test_weights_are_the_same_in_every_precision(kind, images):
    model = from_config(MODELS[kind])
    rounded = with_precision(model, "bfloat16")
    exact = with_precision(rounded, "float32")
    assert model.dtype_policy.name == exact.dtype_policy.name == "float32"
    for other in (rounded, exact):
        for found, expected in zip(other.get_weights(), model.get_weights(), strict=True):
            assert found.dtype == np.float32 or found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)
    expected = model.upscale(images, size=(15, 20))
    np.testing.assert_array_equal(exact.upscale(images, size=(15, 20)), expected)


def test_bicubic_has_one_precision():
    bicubic = Bicubic()
    assert with_precision(bicubic, "bfloat16") is bicubic


@pytest.mark.parametrize("model", [Bicubic(), None], ids=["bicubic", "sub-pixel"])
@pytest.mark.parametrize(
    ("precision", "words"),
    [
        ("bfloat61", "Did you mean 'bfloat16'"),
        ("Float32", "Did you mean 'float32'"),
        ("int8", "must be one of float32, bfloat16; received 'int8'"),
        ("mixed_bfloat16", "'mixed_bfloat16'"),
        (16, "received 16"),
    ],
)
def test_an_unknown_precision_is_refused(model, precision, words):
    model = model or SubPixelSR(tiny.MODEL["encoder"], 2)
    with pytest.raises(InvalidArgument, match=words) as caught:
        with_precision(model, precision)
    assert "\n" not in str(caught.value)
