import sys
from pathlib import Path

import numpy as np
import pytest
from faces_in_place import Detector, FailingDetector
from hypothesis import given
from hypothesis import strategies as st

from tfsr.errors import ImageError, InvalidArgument
from tfsr.faces import DETECTORS, Face, align, find
from tfsr.faces.search import _TILE, _levels, _spans
from tfsr.images import read, resize

ASTRONAUT = Path(__file__).parents[2] / "docs" / "images" / "astronaut.png"
FLAT = np.full((64, 64, 3), 128, np.uint8)


@pytest.fixture(scope="module")
def astronaut():
    """An aligned face, 184x184."""
    return read(ASTRONAUT)


@pytest.fixture(scope="module")
def crowd(astronaut):
    """Faces from 27 to 240 pixels high in a large image, and the centres of their crops."""
    image = np.full((1500, 2200, 3), (90, 110, 130), np.uint8)
    centres = []
    for side, top, left in ((44, 1300, 2000), (60, 1000, 60), (120, 900, 1000), (390, 200, 300)):
        image[top : top + side, left : left + side] = resize(astronaut, (side, side))
        centres.append((top + side / 2, left + side / 2, side))
    return image, centres


@pytest.mark.slow
def test_faces_of_all_sizes_are_found_in_a_large_image(crowd):
    image, centres = crowd
    faces = find(image)
    assert len(faces) == len(centres)
    assert [face.box[2] for face in faces] == sorted((f.box[2] for f in faces), reverse=True)
    for face, (row, column, side) in zip(faces, reversed(centres), strict=True):
        assert face.confidence > 0.9
        region = face.region
        assert np.hypot(region.centre[0] - row, region.centre[1] - column) < 0.08 * side
        assert region.size[0] == pytest.approx(side, rel=0.15)
    assert find(image) == faces


def test_smaller_faces_are_left_out(crowd):
    image, centres = crowd
    assert len(find(image, min_face=60)) == 2
    assert find(image, min_face=400) == []


def test_a_crop_is_upright_and_framed_as_the_presets_expect(astronaut):
    image = np.zeros((400, 420, 3), np.uint8)
    image[60:244, 80:264] = astronaut
    crop, region = align(image, find(image)[0])
    assert crop.shape == (*region.size, 3)
    [again] = find(crop)
    (left_row, left_column), (right_row, right_column), *_ = again.landmarks
    height, width = region.size
    assert abs(left_row - right_row) < 0.03 * height
    assert (right_column - left_column) / width == pytest.approx(0.25, abs=0.03)
    assert (left_row + right_row) / 2 / height == pytest.approx(121 / 256, abs=0.03)


@given(length=st.integers(1, 10_000), overlap=st.integers(0, _TILE // 2))
def test_tiles_cover_an_axis_and_overlap(length, overlap):
    spans = _spans(length, overlap)
    assert spans[0][0] == 0 and spans[-1][1] == length
    assert all(0 < stop - start <= _TILE for start, stop in spans)
    for (_, stop), (start, _) in zip(spans, spans[1:], strict=False):
        assert stop - start >= overlap


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.integers(10, 500))
def test_every_size_of_face_is_searched_at_some_level(height, width, min_face):
    levels = list(_levels((height, width, 3), min_face, min_side=20))
    assert 20 * levels[-1][0] <= max(min_face, 20 * max(height, width) / _TILE) + 1e-9
    assert len(levels) == 1 or 20 * levels[-1][0] <= min_face + 1e-9
    assert max(height, width) / levels[0][0] <= _TILE + 1e-9
    for (coarse, _), (fine, overlap) in zip(levels, levels[1:], strict=False):
        assert fine < coarse and overlap * fine >= 2 * 20 * coarse - 1


def face(top, left, side, confidence):
    points = ((top, left), (top, left + side / 2), (top, left), (top + side, left), (top, left))
    return Face((top, left, side, side), confidence, points)


def test_the_surest_of_overlapping_faces_remains():
    sure, unsure, other = face(10, 10, 30, 0.9), face(12, 12, 34, 0.8), face(30, 36, 25, 0.6)
    found = find(FLAT, detector=Detector(unsure, other, sure, face(40, 2, 25, 0.4)))
    assert found == [sure, other]


def test_a_detector_that_fails_is_one_line():
    with pytest.raises(ImageError, match="^the face detector failed: out of luck$"):
        find(FLAT, detector=FailingDetector())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"min_face": 9}, "min_face must be at least 10; received 9"),
        ({"detector": "mtcn"}, "Did you mean 'mtcnn'"),
    ],
)
def test_impossible_arguments_are_one_line(arguments, words):
    with pytest.raises(InvalidArgument, match=words):
        find(FLAT, **arguments)


def test_a_detector_that_is_not_installed_is_one_line(monkeypatch):
    DETECTORS["mtcnn"].cache_clear()
    monkeypatch.delitem(sys.modules, "tfsr.faces.mtcnn_detector", raising=False)
    monkeypatch.setitem(sys.modules, "mtcnn", None)
    with pytest.raises(InvalidArgument, match=r"pip install 'tfsr\[faces\]'"):
        find(FLAT)
    DETECTORS["mtcnn"].cache_clear()


@pytest.mark.parametrize("size", [(1, 1), (5, 400), (19, 19)])
def test_images_too_small_for_a_face_have_none(size):
    assert find(np.zeros((*size, 3), np.uint8)) == []
