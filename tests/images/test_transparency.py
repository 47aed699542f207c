import numpy as np
import pytest
import tiny

from tfsr.images import to_float
from tfsr.images.transparency import bleed, resize_alpha


def disc(size=40, soft=1.5):
    """Alpha of a disc with a soft edge, (size, size) uint8."""
    rows, columns = np.mgrid[:size, :size] - (size - 1) / 2
    inside = np.clip((size / 3 - np.hypot(rows, columns)) / soft + 0.5, 0, 1)
    return np.round(inside * 255).astype(np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_hidden_colours_are_replaced_by_those_around_them(dtype):
    alpha = disc().astype(dtype) * (1 if dtype == np.uint8 else 257)
    colours = np.where(alpha[..., None] > 0, dtype([200, 30, 90]), dtype([0, 255, 0]))
    output = bleed(colours.astype(dtype), alpha)
    assert output.dtype == dtype
    np.testing.assert_array_equal(output, np.broadcast_to(dtype([200, 30, 90]), output.shape))


def test_floats_match_8_bits():
    colours, alpha = tiny.image(40, 40), disc()
    floats = bleed(to_float(colours), alpha / np.float32(255))
    assert floats.dtype == np.float32
    assert np.abs(floats * 255 - bleed(colours, alpha)).max() <= 0.51
    large = resize_alpha(alpha / np.float32(255), (83, 97))
    assert (large.min(), large.max()) == (0, 1)
    assert np.abs(large * 255 - resize_alpha(alpha, (83, 97))).max() <= 0.51


def test_opaque_pixels_do_not_change():
    colours, alpha = tiny.image(40, 40), disc()
    output = bleed(colours, alpha)
    np.testing.assert_array_equal(output[alpha == 255], colours[alpha == 255])
    assert (output != colours).any()


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_constant_alpha_changes_nothing(level):
    colours = tiny.image(9, 7)
    alpha = np.full((9, 7), level, np.uint8)
    if level:
        np.testing.assert_array_equal(bleed(colours, alpha), colours)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3), (13, 8)])
def test_any_shape_is_filled(shape):
    colours = tiny.image(16, 16)[: shape[0], : shape[1]]
    alpha = np.zeros(shape, np.uint8)
    alpha[-1, -1] = 255
    output = bleed(colours, alpha)
    np.testing.assert_array_equal(output, np.broadcast_to(colours[-1, -1], output.shape))


@pytest.mark.parametrize("size", [(83, 97), (11, 17), (40, 40)])
def test_resized_alpha_has_the_same_range(size):
    alpha = disc()
    large = resize_alpha(alpha, size)
    assert (large.shape, large.dtype) == (size, np.uint8)
    assert large[size[0] // 2, size[1] // 2] == 255
    assert large[0, 0] == 0
    if size == alpha.shape:
        np.testing.assert_array_equal(large, alpha)
