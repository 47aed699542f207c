"""Layers: one image by one model."""

import gc

import keras
import numpy as np
import pytest
import tiny

from tfsr import ImplicitSR
from tfsr.demo import layer as layers
from tfsr.demo.layer import BicubicLayer, EncodingCache, Layer
from tfsr.demo.layer_renderer import LayerRenderer
from tfsr.errors import InvalidArgument
from tfsr.images import to_float, to_uint8
from tfsr.models import Bicubic


@pytest.fixture(scope="module")
def renderer():
    keras.utils.set_random_seed(0)
    return LayerRenderer(ImplicitSR.from_config(tiny.MODEL))


def whole(model, pixels, size):
    return to_uint8(model.upscale(to_float(pixels)[None], size)[0])


def check_tiles(layer, expected):
    """Tiles in the corners and in the middle are those of the whole, to one level."""
    height, width = expected.shape[:2]
    for top, left in ((0, 0), (height - 30, width - 41), ((height - 30) // 2, (width - 41) // 2)):
        found = layer.render((height, width), (top, top + 30), (left, left + 41)).astype(int)
        difference = np.abs(found - expected[top : top + 30, left : left + 41])
        assert difference.max() <= 1


@pytest.mark.parametrize("size", [(100, 100), (73, 171), (96, 96), (40, 44)])
def test_tiles_are_those_of_the_whole_output(size, renderer):
    pixels = tiny.image(32, 32)
    layer = Layer(pixels, renderer, EncodingCache())
    layer.encode()
    check_tiles(layer, whole(renderer.model, pixels, size))
    check_tiles(BicubicLayer(pixels), whole(Bicubic(), pixels, size))
    assert layer.num_encodings == 1


def test_one_encoding_serves_every_size_of_a_decoder_with_a_cell():
    decoder = {"name": "lm-lte", "hidden": [8], "latent_hidden": [8], "waves": 4}
    renderer = LayerRenderer(ImplicitSR(tiny.MODEL["encoder"], decoder))
    pixels = tiny.image(32, 32)
    layer = Layer(pixels, renderer, EncodingCache())
    for size in ((100, 100), (73, 171)):
        check_tiles(layer, whole(renderer.model, pixels, size))
    assert layer.num_encodings == 1


def test_the_part_of_a_large_image_around_the_tile_is_cached(renderer, monkeypatch):
    monkeypatch.setattr(layers, "_MAX_ENCODED_PIXELS", 48 * 48)
    pixels = tiny.image(60, 90)
    layer = Layer(pixels, renderer, EncodingCache())
    layer.encode()
    assert layer.num_encodings == 0
    expected = whole(renderer.model, pixels, (240, 360))
    for left, encodings in ((150, 1), (160, 1), (170, 1), (310, 2), (300, 2), (0, 3)):
        found = layer.render((240, 360), (100, 140), (left, left + 40))
        difference = np.abs(found.astype(int) - expected[100:140, left : left + 40])
        assert difference.max() <= 1
        assert layer.num_encodings == encodings


def test_a_reduction_of_too_many_pixels_is_rejected(renderer, monkeypatch):
    monkeypatch.setattr(renderer, "max_lr_pixels", 1000)
    layer = Layer(tiny.image(60, 90), renderer, EncodingCache())
    with pytest.raises(InvalidArgument, match="depends on .* the limit is 1000"):
        layer.render((30, 45), (0, 30), (0, 45))


def test_the_least_recently_used_encodings_are_dropped(renderer):
    cache = EncodingCache(max_pixels=3 * 16 * 16)
    made = [Layer(tiny.image(16, 16, seed), renderer, cache) for seed in range(4)]
    for layer in (*made[:3], made[0], made[3], made[0]):
        layer.encode()
    made[1].encode()
    assert [layer.num_encodings for layer in made] == [1, 2, 1, 1]
    assert cache.pop(made[2]) is None and cache.pop(made[3]) is not None
    large = Layer(tiny.image(60, 60), renderer, cache)
    large.encode()
    assert cache.pop(made[0]) is None and cache.pop(made[1]) is None


def test_an_encoding_goes_with_its_layer(renderer):
    cache = EncodingCache()
    layer = Layer(tiny.image(16, 16), renderer, cache)
    layer.encode()
    assert cache.num_pixels == 256
    del layer
    gc.collect()
    assert cache.num_pixels == 0
