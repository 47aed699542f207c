import math

import numpy as np
import pytest
from checks import check_refused
from hypothesis import given
from hypothesis import strategies as st

from tfsr.faces import (
    FaceRegion,
    face_region_from_box,
    face_region_from_eyes,
    surrounding_box,
)

sides = st.integers(1, 60)
numbers = st.floats(-40, 40)


@st.composite
def regions(draw):
    """A region anywhere, turned in any way, of two sides of at least a pixel."""
    turn = draw(st.floats(0, 2 * np.pi))
    height, width = draw(st.floats(0.5, 20)), draw(st.floats(0.5, 20))
    down = height * np.cos(turn), -height * np.sin(turn)
    across = width * np.sin(turn), width * np.cos(turn)
    return FaceRegion((draw(numbers), draw(numbers)), down, across)


def test_eyes_where_the_training_images_have_them_are_the_whole_image():
    region = face_region_from_eyes((256, 256), ((121, 95.5), (121, 159.5)))
    assert region == FaceRegion((127.5, 127.5), (128, 0), (0, 128))
    assert region.size == (256, 256)
    rows, columns = region.positions((0, 256), region.size)
    np.testing.assert_array_equal(rows[:, 0], np.arange(256))
    np.testing.assert_array_equal(columns[0], np.arange(256))


@given(turn=st.floats(-np.pi / 2, np.pi / 2), distance=st.floats(4.01, 200), y=numbers, x=numbers)
def test_eyes_come_to_their_places_however_the_face_is_turned(turn, distance, y, x):
    half = distance / 2 * np.float64([np.sin(turn), np.cos(turn)])
    middle = np.float64([500 + y, 500 + x])
    region = face_region_from_eyes((1000, 1000), (tuple(middle - half), tuple(middle + half)))
    for eye, column in ((middle - half, -1 / 4), (middle + half, 1 / 4)):
        found = (
            np.float64(region.centre)
            + np.float64(region.down) * (-13 / 256)
            + np.float64(region.across) * column
        )
        np.testing.assert_allclose(found, eye, atol=1e-9)
    # Neither stretched nor mirrored: down is across after a quarter turn clockwise.
    np.testing.assert_allclose(region.down, (region.across[1], -region.across[0]), atol=1e-9)


def test_a_box_is_its_pixels():
    region = face_region_from_box((40, 60), (7, 11, 20, 30))
    assert region.size == (20, 30)
    rows, columns = region.positions((0, 20), region.size)
    np.testing.assert_allclose(rows[:, 0], np.arange(7, 27), atol=1e-12)
    np.testing.assert_allclose(columns[0], np.arange(11, 41), atol=1e-12)


@given(region=regions())
def test_positions_and_coordinates_are_each_others_inverse(region):
    (height, width), (top, left) = region.size, np.floor(region.centre).astype(int)
    v, u = region.coordinates((top, top + 3), (left, left + 3))
    for part, (origin, down, across) in enumerate(
        zip(region.centre, region.down, region.across, strict=True)
    ):
        pixels = np.mgrid[top : top + 3, left : left + 3][part]
        np.testing.assert_allclose(origin + v * down + u * across, pixels, atol=1e-9)
    rows, columns = region.positions((0, height), region.size)
    assert rows.shape == columns.shape == (height, width)
    # The pixels' centres lie around the region's.
    np.testing.assert_allclose((rows.mean(), columns.mean()), region.centre, atol=1e-9)


@given(region=regions(), size=st.tuples(sides, sides))
def test_spans_hold_all_of_the_region_that_is_inside(region, size):
    v, u = region.coordinates((0, size[0]), (0, size[1]))
    inside = np.maximum(abs(v), abs(u)) < 1
    rows, columns = region.spans(size)
    assert 0 <= rows[0] <= rows[1] <= size[0] and 0 <= columns[0] <= columns[1] <= size[1]
    assert inside[slice(*rows), slice(*columns)].sum() == inside.sum()


@given(region=regions(), lr_size=st.tuples(sides, sides), size=st.tuples(sides, sides))
def test_a_region_is_resized_with_its_image(region, lr_size, size):
    large = region.resized(lr_size, size)
    for before, after, lr, hr in zip(region.centre, large.centre, lr_size, size, strict=True):
        # The part of the image that lies before it, from edge to edge.
        np.testing.assert_allclose((before + 0.5) / lr, (after + 0.5) / hr, atol=1e-9)
    for before, after in ((region.down, large.down), (region.across, large.across)):
        np.testing.assert_allclose(np.divide(before, lr_size), np.divide(after, size), atol=1e-9)


@pytest.mark.parametrize("box", [(-1, 0, 20, 20), (0, 41, 20, 20), (21, 0, 20, 20), (0, 0, 20, 61)])
def test_a_box_that_leaves_the_image_is_refused(box):
    top, left, height, width = box
    place = f"{width}x{height} pixels at {left},{top}"
    check_refused(lambda: face_region_from_box((40, 60), box), place, "leaves the 60x40 image")


def test_a_box_too_small_for_a_face_is_refused():
    check_refused(lambda: face_region_from_box((40, 60), (0, 0, 15, 20)), "16x16", "20x15")
    check_refused(lambda: face_region_from_box((40, 60), (0, 0, 20.5, 20)), "box", "4 integers")


@pytest.mark.parametrize(
    ("eyes", "words"),
    [
        (((10, 20), (10, 60)), ("20,10 and 60,10", "in the 60x40 image")),
        (((-1, 20), (10, 30)), ("20,-1", "60x40 image")),
        (((10, 30), (10, 20)), ("30,10 and 20,10", "swapped")),
        (((10, 20), (10, 23.9)), ("15.6x15.6", "16 to 80", "4 to 20 pixels apart")),
        (((10, 20), (10, 20)), ("0x0",)),
        (((10, 20), (10, 40.5)), ("82x82",)),
    ],
)
def test_eyes_that_cannot_be_are_refused(eyes, words):
    check_refused(lambda: face_region_from_eyes((40, 60), eyes), *words)


@given(
    lr=st.tuples(st.integers(8, 200), st.integers(8, 200)),
    factor=st.sampled_from([1, 1.3, 1.5, 2, 3.7, 4]),
    middle=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    side=st.floats(4, 150),
    turn=st.floats(-math.pi, math.pi),
)
def test_a_box_around_a_face_has_edges_of_pixels(lr, factor, middle, side, turn):
    size = tuple(round(factor * length) for length in lr)
    across = side / 2 * math.sin(turn), side / 2 * math.cos(turn)
    centre = tuple(m * (length - 1) for m, length in zip(middle, lr, strict=True))
    region = FaceRegion(centre, (across[1], -across[0]), across)
    *spans, target = surrounding_box(region, lr, size)
    for (first, last), needed, length in zip(spans, region.spans(lr), lr, strict=True):
        assert 0 <= first <= needed[0] <= needed[1] <= last <= length
        assert needed[0] - first <= 8 and last - needed[1] <= 8
    if factor in (1, 2, 4):
        expected = [factor * (last - first) for first, last in spans]
        assert list(target.size) == expected
        assert target.centre[0] == factor * (spans[0][0] + spans[0][1]) / 2 - 0.5


def test_a_box_grows_to_whole_output_pixels():
    region = FaceRegion((53.0, 53.0), (20.4, 0.0), (0.0, 20.4))
    rows, columns, target = surrounding_box(region, (100, 100), (130, 130))
    assert region.spans((100, 100)) == ((33, 74), (33, 74))
    assert rows == columns == (30, 80)
    assert target.size == (65, 65) and target.centre == (71.0, 71.0)
