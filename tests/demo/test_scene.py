import keras
import numpy as np
import pytest
import tiny

from tfsr import ImplicitSR
from tfsr.demo import scene as scenes
from tfsr.demo.scene import Scene, SceneRenderer
from tfsr.demo.scene_cache import SceneCache
from tfsr.errors import InvalidArgument
from tfsr.images import DecodedImage, to_float, to_uint8
from tfsr.models import Bicubic


@pytest.fixture(scope="module")
def renderer():
    keras.utils.set_random_seed(0)
    return SceneRenderer(ImplicitSR.from_config(tiny.MODEL))


def whole(model, pixels, size):
    return to_uint8(model.upscale(to_float(pixels)[None], size)[0])


def check_tiles(render, expected):
    """Tiles in the corners and in the middle are those of the whole, to one level."""
    height, width = expected.shape[:2]
    for top, left in ((0, 0), (height - 30, width - 41), ((height - 30) // 2, (width - 41) // 2)):
        found = render((height, width), (top, left, 30, 41)).astype(int)
        difference = np.abs(found - expected[top : top + 30, left : left + 41])
        assert difference.max() <= 1


@pytest.mark.parametrize("size", [(100, 100), (73, 171), (96, 96), (40, 44)])
def test_tiles_are_those_of_the_whole_output(size, renderer):
    pixels = tiny.image(32, 32)
    scene = Scene(DecodedImage(pixels), renderer)
    scene.encode()
    check_tiles(scene.render, whole(renderer.model, pixels, size))
    check_tiles(scene.render_bicubic, whole(Bicubic(), pixels, size))
    assert scene.num_encodings == 1


def test_one_encoding_serves_every_size_of_a_decoder_with_a_cell():
    decoder = {"name": "lm-lte", "hidden": [8], "latent_hidden": [8], "waves": 4}
    renderer = SceneRenderer(ImplicitSR(tiny.MODEL["encoder"], decoder))
    pixels = tiny.image(32, 32)
    scene = Scene(DecodedImage(pixels), renderer)
    scene.encode()
    for size in ((100, 100), (73, 171)):
        check_tiles(scene.render, whole(renderer.model, pixels, size))
    assert scene.num_encodings == 1


def test_the_part_of_a_large_image_around_the_tile_is_cached(renderer, monkeypatch):
    monkeypatch.setattr(scenes, "_MAX_ENCODED_PIXELS", 48 * 48)
    pixels = tiny.image(60, 90)
    scene = Scene(DecodedImage(pixels), renderer)
    scene.encode()
    assert scene.num_encodings == 0
    expected = whole(renderer.model, pixels, (240, 360))
    for left, encodings in ((150, 1), (160, 1), (170, 1), (310, 2), (300, 2), (0, 3)):
        found = scene.render((240, 360), (100, left, 40, 40))
        difference = np.abs(found.astype(int) - expected[100:140, left : left + 40])
        assert difference.max() <= 1
        assert scene.num_encodings == encodings


def test_transparency_is_shown_on_white(renderer):
    clear = np.zeros((8, 8, 4), np.uint8)
    scene = Scene(DecodedImage(clear), renderer)
    assert (scene.render_bicubic((16, 16), (0, 0, 16, 16)) == 255).all()


@pytest.mark.parametrize(
    ("size", "box", "words"),
    [
        ((32, 32), (0, 0, 33, 8), "inside the 32x32 pixels"),
        ((32, 32), (8, 30, 8, 8), "received 8x8 at 30,8"),
        ((32, 32), (-1, 0, 8, 8), "at 0,-1"),
        ((32, 32), (0, 0, 0, 8), "1 to 65536 pixels"),
        ((4000, 4000), (0, 0, 300, 300), "1 to 65536 pixels"),
        ((2**25, 4), (0, 0, 1, 1), "16777216 pixels at most"),
    ],
)
def test_impossible_tiles_are_rejected(size, box, words, renderer):
    scene = Scene(DecodedImage(tiny.image(16, 16)), renderer)
    for render in (scene.render, scene.render_bicubic):
        with pytest.raises(InvalidArgument, match=words):
            render(size, box)


def test_the_least_recently_used_images_are_dropped(renderer):
    scenes_made = [Scene(DecodedImage(tiny.image(10, 10, seed)), renderer) for seed in range(4)]
    cache = SceneCache(max_scenes=3, max_pixels=1000)
    names = [cache.add(scene) for scene in scenes_made[:3]]
    assert cache.get(names[0]) is scenes_made[0]
    names.append(cache.add(scenes_made[3]))
    assert [cache.get(name) for name in names] == [
        scenes_made[0],
        None,
        *scenes_made[2:],
    ]
    large = Scene(DecodedImage(tiny.image(40, 40)), renderer)
    last = cache.add(large)
    assert [cache.get(name) for name in (*names, last)] == [None, None, None, None, large]
    assert len({*names, last, "guess"}) == 6 and cache.get("guess") is None
