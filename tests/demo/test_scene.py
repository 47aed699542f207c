import keras
import numpy as np
import pytest
import tiny

from tfsr import ImplicitSR
from tfsr.demo import scene as scenes
from tfsr.demo.gallery import Gallery
from tfsr.demo.scene import Renderer, Scene
from tfsr.errors import InvalidArgument
from tfsr.images import DecodedImage, to_float, to_uint8
from tfsr.models import Bicubic


@pytest.fixture(scope="module")
def renderer():
    keras.utils.set_random_seed(0)
    return Renderer(ImplicitSR.from_config(tiny.MODEL))


def whole(model, pixels, size):
    return to_uint8(model.upscale(to_float(pixels)[None], size)[0])


def check_windows(scene, draw, expected, most=1):
    """Windows in the corners and in the middle are those of the whole, but for so many levels."""
    height, width = expected.shape[:2]
    for top, left in ((0, 0), (height - 30, width - 41), ((height - 30) // 2, (width - 41) // 2)):
        found = draw((height, width), (top, left, 30, 41)).astype(int)
        difference = np.abs(found - expected[top : top + 30, left : left + 41])
        assert difference.max() <= most


@pytest.mark.parametrize("size", [(100, 100), (73, 171), (96, 96), (48, 48), (40, 44)])
def test_windows_are_those_of_the_whole_output(size, renderer):
    pixels = tiny.image(32, 32)
    scene = Scene(DecodedImage(pixels), renderer)
    scene.encode()
    check_windows(scene, scene.draw, whole(renderer.model, pixels, size))
    check_windows(scene, scene.draw_bicubic, whole(Bicubic(), pixels, size))
    assert scene.encodings == 1


def test_what_is_kept_serves_every_size_of_a_decoder_that_sees_the_cell():
    decoder = {"name": "lm-lte", "hidden": [8], "latent_hidden": [8], "waves": 4}
    renderer, pixels = Renderer(ImplicitSR(tiny.MODEL["encoder"], decoder)), tiny.image(32, 32)
    scene = Scene(DecodedImage(pixels), renderer)
    scene.encode()
    for size in ((100, 100), (73, 171), (96, 96)):
        check_windows(scene, scene.draw, whole(renderer.model, pixels, size))
    assert scene.encodings == 1


def test_of_a_large_image_the_part_around_the_window_is_kept(renderer, monkeypatch):
    monkeypatch.setattr(scenes, "_KEPT", 48 * 48)
    pixels = tiny.image(60, 90)
    scene = Scene(DecodedImage(pixels), renderer)
    scene.encode()
    assert scene.encodings == 0
    expected = whole(renderer.model, pixels, (240, 360))
    for left, encodings in ((150, 1), (160, 1), (170, 1), (310, 2), (300, 2), (0, 3)):
        found = scene.draw((240, 360), (100, left, 40, 40))
        difference = np.abs(found.astype(int) - expected[100:140, left : left + 40])
        assert difference.max() <= 1
        assert scene.encodings == encodings


def test_what_is_transparent_is_seen_on_white(renderer):
    clear = np.zeros((8, 8, 4), np.uint8)
    scene = Scene(DecodedImage(clear), renderer)
    assert (scene.draw_bicubic((16, 16), (0, 0, 16, 16)) == 255).all()


@pytest.mark.parametrize(
    ("size", "window", "words"),
    [
        ((32, 32), (0, 0, 33, 8), "inside the 32x32 pixels"),
        ((32, 32), (8, 30, 8, 8), "got 8x8 at 30,8"),
        ((32, 32), (-1, 0, 8, 8), "at 0,-1"),
        ((32, 32), (0, 0, 0, 8), "1 to 65536 pixels"),
        ((4000, 4000), (0, 0, 300, 300), "1 to 65536 pixels"),
        ((2**25, 4), (0, 0, 1, 1), "16777216 pixels at most"),
    ],
)
def test_windows_that_cannot_be(size, window, words, renderer):
    scene = Scene(DecodedImage(tiny.image(16, 16)), renderer)
    for draw in (scene.draw, scene.draw_bicubic):
        with pytest.raises(InvalidArgument, match=words):
            draw(size, window)


def test_the_images_looked_at_last_are_kept(renderer):
    scenes_made = [Scene(DecodedImage(tiny.image(10, 10, seed)), renderer) for seed in range(4)]
    gallery = Gallery(most=3, most_pixels=1000)
    names = [gallery.add(scene) for scene in scenes_made[:3]]
    assert gallery.get(names[0]) is scenes_made[0]
    names.append(gallery.add(scenes_made[3]))
    assert [gallery.get(name) for name in names] == [
        scenes_made[0],
        None,
        *scenes_made[2:],
    ]
    large = Scene(DecodedImage(tiny.image(40, 40)), renderer)
    kept = gallery.add(large)
    assert [gallery.get(name) for name in (*names, kept)] == [None, None, None, None, large]
    assert len({*names, kept, "guess"}) == 6 and gallery.get("guess") is None
