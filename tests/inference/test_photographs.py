from pathlib import Path

import numpy as np
import odd_files
import pytest
import tiny
from checks import check_refused
from faces_in_place import FailingDetector
from function_upscaler import FunctionUpscaler

from tfsr.errors import ImageError
from tfsr.images import DecodedImage, read, resize
from tfsr.inference import ModelUpscaler, PhotographUpscaler
from tfsr.inference.upscale_image import upscale_image
from tfsr.inference.upscaler import converted
from tfsr.models import Bicubic

IMAGES = Path(__file__).parents[2] / "docs" / "images"
bicubic = ModelUpscaler(Bicubic())


@FunctionUpscaler
def red(image, size):
    """A model that would leave its mark wherever it is asked."""
    colour = np.iinfo(image.dtype).max * np.int64([1, 0, 0])
    return np.broadcast_to(colour.astype(image.dtype), (*size, 3))


def differences(found, expected):
    return np.abs(found.astype(int) - expected)


@pytest.mark.parametrize("size", [(192, 192), (131, 250), (60, 57), (311, 97)])
@pytest.mark.parametrize(
    "places",
    [
        {"eyes": [((20.0, 14.0), (20.0, 26.0))]},
        {"eyes": [((20.3, 17.1), (26.2, 27.9))]},
        {"eyes": [((3.0, 3.0), (12.0, 7.0))]},
        {"boxes": [(5, 9, 31, 23)]},
        {"boxes": [(0, 0, 48, 48)], "eyes": [((30.5, 20.0), (24.0, 28.0))]},
    ],
    ids=["eyes", "turned", "border", "box", "two"],
)
def test_a_face_rendered_as_all_else_is_rendered_cannot_be_seen(places, size):
    """Nothing is shifted, mirrored or of another colour, at any scale, stretched or not."""
    image = tiny.image()
    found = PhotographUpscaler(bicubic, **places)(image, size)
    apart = differences(found, bicubic(image, size))
    assert apart.max() <= 4 and apart.mean() < 0.3


def test_a_face_framed_as_for_training_is_the_models_own_output(upscaler):
    """At the middle, where nothing is blended."""
    whole = read(IMAGES / "astronaut-46.png")
    # Where 256 pixels have the eyes at 95.5, 121 and 159.5, 121.
    eye_row, left, right = (np.float64([121, 95.5, 159.5]) + 0.5) * 46 / 256 - 0.5
    expected = upscaler(whole, (184, 184))
    for places, inside in (
        ({"eyes": [((eye_row, left), (eye_row, right))]}, slice(47, -47)),
        ({"boxes": [(0, 0, 46, 46)]}, slice(19, -19)),
    ):
        found = PhotographUpscaler(upscaler, **places)(whole, (184, 184))
        assert differences(found, expected)[inside, inside].max() <= 1
        background = bicubic(whole, (184, 184))
        np.testing.assert_array_equal(found[[0, -1]], background[[0, -1]])


def test_only_the_face_is_given_to_the_model():
    image, size = tiny.image(), (144, 144)
    found = PhotographUpscaler(red, boxes=[(4, 8, 20, 30)])(image, size)
    inside = np.zeros(size, bool)
    inside[12:72, 24:114] = True
    touched = differences(found, bicubic(image, size)).any(axis=-1)
    assert not touched[~inside].any() and touched[inside].mean() > 0.9
    assert (found[20:64, 36:102] == np.uint8([255, 0, 0])).all()


@pytest.mark.parametrize(
    "pixels",
    [odd_files.GREY, odd_files.DEEP, odd_files.RGBA, odd_files.DEEP_ALPHA[..., 2:]],
    ids=["grey", "rgb16", "rgba", "grey-alpha16"],
)
def test_a_photograph_stays_of_its_kind(pixels):
    image = np.tile(pixels, (2, 2, 1))
    upscale = PhotographUpscaler(ModelUpscaler(Bicubic()), boxes=[(2, 5, 18, 20)])
    output = upscale_image(DecodedImage(image), (61, 83), upscale)
    assert (output.pixels.dtype, output.pixels.shape) == (image.dtype, (61, 83, image.shape[2]))
    assert output.notes == ()
    plain = upscale_image(DecodedImage(image), (61, 83), bicubic).pixels
    assert differences(output.pixels, plain).mean() < np.iinfo(image.dtype).max / 100


def test_a_model_of_8_bits_is_given_8_bits():
    output = upscale_image(
        DecodedImage(np.tile(odd_files.DEEP, (2, 2, 1))),
        (48, 64),
        PhotographUpscaler(red, boxes=[(0, 0, 16, 16)]),
    )
    assert output.depth == 8
    assert "8 bits" in output.notes[0]


def test_a_place_that_cannot_be_is_reported_before_anything_is_rendered():
    @FunctionUpscaler
    def rendered(image, size):
        raise AssertionError("it was rendered")

    photograph = PhotographUpscaler(rendered, boxes=[(0, 0, 20, 20), (30, 0, 20, 20)])
    check_refused(lambda: photograph(tiny.image(), (96, 96)), "0,30", "48x48")


def group(count=2):
    """A photograph of the same face several times, on a smooth background."""
    image = tiny.image(160, 40 + 120 * count)
    face = resize(read(IMAGES / "astronaut.png"), (110, 110))
    for i in range(count):
        image[20:130, 40 + 120 * i : 150 + 120 * i] = face
    return image


def test_found_faces_are_restored_and_all_else_is_the_background():
    image, size = group(), (320, 560)
    found = PhotographUpscaler(red, detector="mtcnn")(image, size)
    changed = differences(found, bicubic(image, size)).max(axis=-1) > 0
    # Within the ovals the faces are red; in the corners of their crops nothing has changed.
    for left in (80, 320):
        assert (found[150, left + 110] == (255, 0, 0)).all()
        for row, column in ((45, left + 5), (45, left + 215), (255, left + 5)):
            assert not changed[row, column]
    assert not changed[:, :60].any() and not changed[280:].any()


def test_a_face_given_by_its_eyes_is_not_restored_twice():
    image, size = group(1), (320, 320)
    [face] = PhotographUpscaler(red, detector="mtcnn").find(image)
    eyes = [(face.landmarks[0], face.landmarks[1])]
    both = PhotographUpscaler(red, eyes=eyes, detector="mtcnn")(image, size)
    np.testing.assert_array_equal(both, PhotographUpscaler(red, eyes=eyes)(image, size))


def test_faces_of_a_reduced_photograph_are_left_to_the_background():
    photograph = PhotographUpscaler(red, detector="mtcnn")
    np.testing.assert_array_equal(photograph(group(), (80, 140)), bicubic(group(), (80, 140)))
    assert [face["restored"] for face in photograph.details["faces"]] == [False, False]


def test_large_faces_are_left_to_the_background():
    image, size = group(1), (320, 320)
    found = PhotographUpscaler(red, detector="mtcnn", max_face=80)(image, size)
    np.testing.assert_array_equal(found, bicubic(image, size))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_an_aligned_crop_is_upscaled_by_the_face_model_alone(upscaler, dtype):
    image = converted(read(IMAGES / "astronaut.png"), dtype)
    found = PhotographUpscaler(upscaler, detector="mtcnn")(image, (200, 210))
    np.testing.assert_array_equal(found, upscaler(image, (200, 210)))


def test_an_aligned_crop_that_is_reduced_is_the_face_models_too(upscaler):
    image = read(IMAGES / "astronaut.png")
    found = PhotographUpscaler(upscaler, detector="mtcnn")(image, (100, 110))
    np.testing.assert_array_equal(found, upscaler(image, (100, 110)))


def test_without_faces_the_photograph_is_the_background():
    image = tiny.image(70, 90)
    found = PhotographUpscaler(red, detector="mtcnn")(image, (140, 150))
    np.testing.assert_array_equal(found, bicubic(image, (140, 150)))


@pytest.mark.slow
def test_sixty_faces_are_restored_and_the_output_is_the_same_again():
    face = resize(read(IMAGES / "astronaut.png"), (56, 56))
    image = np.full((6 * 64, 10 * 64, 3), (90, 110, 130), np.uint8)
    corners = [(64 * i + 4, 64 * j + 4) for i in range(6) for j in range(10)]
    for top, left in corners:
        image[top : top + 56, left : left + 56] = face
    photograph = PhotographUpscaler(red, detector="mtcnn")
    found = photograph(image, (768, 1280))
    assert [face["restored"] for face in photograph.details["faces"]] == [True] * 60
    for top, left in corners:
        assert (found[2 * top + 56, 2 * left + 56] == (255, 0, 0)).all()
    np.testing.assert_array_equal(photograph(image, (768, 1280)), found)


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image[:, 56:],
        lambda image: image[60:],
        lambda image: image[::-1],
        lambda image: np.where(image > 128, 255, 0).astype(np.uint8),
        lambda image: np.rot90(image),
    ],
    ids=["cut at the left", "cut at the top", "upside down", "two colours", "lying"],
)
def test_faces_that_are_hard_to_find_leave_no_damage(change):
    """Whether one is found or not: all but its oval is the background, and all of it is smooth."""
    image = np.ascontiguousarray(change(group(1)))
    size = 2 * image.shape[0], 2 * image.shape[1]
    photograph = PhotographUpscaler(bicubic, detector="mtcnn")
    apart = differences(photograph(image, size), bicubic(image, size))
    faces = photograph.find(image)
    changed = apart.any(axis=-1)
    for face in faces:
        rows, columns = face.region.resized(image.shape[:2], size).spans(size)
        changed[slice(*rows), slice(*columns)] = False
    assert not changed.any()
    assert apart.mean() < 0.5


def test_a_detector_that_fails_is_one_line_and_loses_nothing(tmp_path):
    source = tiny.save(tmp_path / "in.png", tiny.image(40, 50))
    photograph = PhotographUpscaler(red, detector=FailingDetector())
    with pytest.raises(ImageError, match="the face detector failed: out of luck"):
        photograph.upscale(source, scale=2, output=tmp_path / "out.png")
    assert sorted(tmp_path.iterdir()) == [source]
