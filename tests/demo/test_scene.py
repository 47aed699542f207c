import sys
import threading

import keras
import numpy as np
import pytest
import tiny
from faces_in_place import Detector, FailingDetector, face_at

from tfsr import ImplicitSR
from tfsr.demo.face_search import FaceSearch
from tfsr.demo.layer import EncodingCache
from tfsr.demo.restorers import Restorer, Restorers, load_restorer
from tfsr.demo.scene import Scene
from tfsr.demo.scene_cache import SceneCache
from tfsr.demo.stopping import Stopped
from tfsr.errors import InvalidArgument, PresetError
from tfsr.faces import DETECTORS
from tfsr.images import DecodedImage
from tfsr.inference import ModelUpscaler, PhotographUpscaler, load_upscaler
from tfsr.inference.face_choice import FaceChoice
from tfsr.models import Bicubic

# One in the middle, turned; one that overlaps it; one that the border cuts.
FACES = face_at(50, 60, 44, 0.4), face_at(64, 92, 40, -0.2), face_at(20, 4, 36)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return ImplicitSR.from_config(tiny.MODEL)


@pytest.fixture(scope="module")
def restorer(model):
    return Restorer(model, ModelUpscaler(Bicubic()))


def noisy(height, width):
    """An image of many details, in which nothing can be shifted unseen."""
    levels = np.random.default_rng(0).integers(0, 256, (height, width, 3))
    return ((tiny.image(height, width).astype(int) + levels) // 2).astype(np.uint8)


def scene_of(pixels, detector):
    scene = Scene(DecodedImage(pixels), EncodingCache())
    scene.choose(*FaceSearch(detector).choose(scene.image, threading.Event()))
    return scene


def check_tiles(scene, restorer, expected, boxes):
    for box in boxes:
        top, left, height, width = box
        found = scene.render(expected.shape[:2], box, restorer).astype(int)
        difference = np.abs(found - expected[top : top + height, left : left + width])
        assert difference.max() <= 2, box


def boxes_over(size, side):
    """All tiles of an output."""
    for top in range(0, size[0], side):
        for left in range(0, size[1], side):
            yield top, left, min(side, size[0] - top), min(side, size[1] - left)


@pytest.mark.parametrize("scale", [0.5, 1.3, 4, 20])
def test_tiles_are_those_of_the_photograph_pipeline(scale, model, restorer):
    pixels = noisy(100, 120)
    size = round(100 * scale), round(120 * scale)
    scene = scene_of(pixels, Detector(*FACES))
    photograph = PhotographUpscaler(ModelUpscaler(model), detector=Detector(*FACES))
    expected = photograph(pixels, size)
    boxes = list(boxes_over(size, 61 if scale < 20 else 250))
    # Tiles that end inside a face, on its border, and outside of it.
    check_tiles(scene, restorer, expected, boxes if scale < 20 else boxes[::5])
    middle = size[0] // 2, size[1] // 2
    background = scene.render_bicubic(size, (*middle, 6, 6)).astype(int)
    face = expected[middle[0] : middle[0] + 6, middle[1] : middle[1] + 6]
    restored = np.abs(background - face).max() > 8
    assert restored == (scale > 1)
    assert scene.num_parts == 3


def test_faces_are_encoded_once_and_only_if_a_tile_shows_them(restorer):
    scene = scene_of(tiny.image(100, 120), Detector(*FACES))
    size = (400, 480)
    scene.render(size, (0, 300, 60, 60), restorer)
    parts = scene._layers_of(restorer).parts
    assert not parts
    for part in range(3):
        scene.encode(part, size, restorer)
    assert len(parts) == 3
    for box in boxes_over(size, 150):
        scene.render(size, box, restorer)
    assert [layer.num_encodings for layer in parts.values()] == [1, 1, 1]


def test_the_background_can_be_a_model_too(model):
    keras.utils.set_random_seed(1)
    other = ModelUpscaler(ImplicitSR.from_config(tiny.MODEL))
    pixels = tiny.image(60, 80)
    detector = Detector(face_at(30, 40, 36, 0.3))
    scene = scene_of(pixels, detector)
    photograph = PhotographUpscaler(ModelUpscaler(model), background=other, detector=detector)
    expected = photograph(pixels, (150, 200))
    check_tiles(scene, Restorer(model, other), expected, boxes_over((150, 200), 64))


def test_an_aligned_crop_is_restored_as_a_whole(model, restorer):
    pixels = tiny.image(48, 48)
    detector = Detector(face_at(23.5, 23.5, 46))
    scene = scene_of(pixels, detector)
    assert (scene.choice.whole, scene.num_parts) == (True, 1)
    expected = PhotographUpscaler(ModelUpscaler(model), detector=detector)(pixels, (130, 130))
    np.testing.assert_array_equal(expected, ModelUpscaler(model)(pixels, (130, 130)))
    check_tiles(scene, restorer, expected, boxes_over((130, 130), 64))


def test_an_image_survives_a_detector_that_fails(model, restorer):
    pixels = tiny.image(48, 64)
    scene = scene_of(pixels, FailingDetector())
    assert scene.note == "the face detector failed: out of luck. The whole image is restored"
    expected = ModelUpscaler(model)(pixels, (100, 133))
    check_tiles(scene, restorer, expected, boxes_over((100, 133), 64))


def test_without_a_detector_the_whole_image_is_restored(monkeypatch):
    DETECTORS["mtcnn"].cache_clear()
    monkeypatch.delitem(sys.modules, "tfsr.faces.mtcnn_detector", raising=False)
    monkeypatch.setitem(sys.modules, "mtcnn", None)  # As if it were not installed.
    scene = scene_of(tiny.image(48, 64), "mtcnn")
    assert (scene.choice, scene.num_parts) == (FaceChoice(whole=True), 1)
    assert "install it with pip install 'tfsr[faces]'. The whole image is restored" in scene.note
    DETECTORS["mtcnn"].cache_clear()


def test_a_search_is_stopped_between_two_tiles():
    stop = threading.Event()

    class Stopping(Detector):
        def detect(self, image):
            assert not stop.is_set()
            stop.set()
            return []

    image = DecodedImage(np.zeros((1500, 1500, 3), np.uint8))
    with pytest.raises(Stopped):
        FaceSearch(Stopping()).choose(image, stop)


@pytest.mark.parametrize(
    ("faces", "note"),
    [((), "no faces were found"), ((face_at(150, 150, 270),), "larger than 256 pixels are left")],
)
def test_a_photograph_without_faces_to_restore_is_its_background(faces, note, restorer):
    scene = scene_of(tiny.image(300, 400), Detector(*faces))
    assert note in scene.note and scene.num_parts == 0
    size, box = (450, 600), (200, 200, 60, 60)
    np.testing.assert_array_equal(
        scene.render(size, box, restorer), scene.render_bicubic(size, box)
    )


@pytest.mark.slow
def test_strengths_are_loaded_when_asked_for_and_the_last_few_are_cached(tmp_path):
    _, robust = tiny.twins(tmp_path)
    loaded = []

    def load(strength):
        loaded.append(strength)
        return load_restorer(str(robust), strength)

    restorers = Restorers(load)
    pixels = tiny.image(60, 80)
    detector = Detector(face_at(30, 40, 36))
    scene = scene_of(pixels, detector)
    tiles = {}
    for strength in (0.0, 0.5):
        faces = load_upscaler(robust, strength=strength)
        expected = PhotographUpscaler(faces, detector=detector)(pixels, (120, 160))
        check_tiles(scene, restorers.at(strength), expected, [(40, 50, 60, 60)])
        tiles[strength] = expected
    assert np.abs(tiles[0.0].astype(int) - tiles[0.5]).max() > 4
    for strength in (1.0, 0.5, 0.2, 0.5, 0.0):
        restorers.at(strength)
    assert loaded == [0.0, 0.5, 1.0, 0.2, 0.0]


def test_a_preset_without_a_twin_takes_no_strength(tmp_path):
    clean, _ = tiny.twins(tmp_path)
    with pytest.raises(PresetError, match="takes no strength"):
        Restorers(lambda strength: load_restorer(str(clean), strength)).at(0.5)


def test_transparency_is_shown_on_white(restorer):
    scene = scene_of(np.zeros((8, 8, 4), np.uint8), Detector())
    for tile in (
        scene.render_bicubic((16, 16), (0, 0, 16, 16)),
        scene.render((16, 16), (0, 0, 16, 16), restorer),
    ):
        assert (tile == 255).all()


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
def test_impossible_tiles_are_rejected(size, box, words, restorer):
    scene = scene_of(tiny.image(16, 16), Detector())
    with pytest.raises(InvalidArgument, match=words):
        scene.render(size, box, restorer)
    with pytest.raises(InvalidArgument, match=words):
        scene.render_bicubic(size, box)


def test_the_least_recently_used_images_are_dropped():
    def scene(side, seed=0):
        return Scene(DecodedImage(tiny.image(side, side, seed)), EncodingCache())

    scenes_made = [scene(10, seed) for seed in range(4)]
    cache = SceneCache(max_scenes=3, max_pixels=1000)
    names = [cache.add(scene) for scene in scenes_made[:3]]
    assert cache.get(names[0]) is scenes_made[0]
    names.append(cache.add(scenes_made[3]))
    assert [cache.get(name) for name in names] == [
        scenes_made[0],
        None,
        *scenes_made[2:],
    ]
    large = scene(40)
    last = cache.add(large)
    assert [cache.get(name) for name in (*names, last)] == [None, None, None, None, large]
    assert len({*names, last, "guess"}) == 6 and cache.get("guess") is None
