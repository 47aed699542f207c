import numpy as np
import pytest
import tiny

from tfsr.geometry import FaceRegion, face_region_from_box, face_region_from_eyes
from tfsr.images.framing import cut, lay


def scene(turn):
    """A smooth image of 120x120 pixels, turned about its centre by so many radians."""
    y, x = np.mgrid[:120, :120] - 59.5
    down, across = y * np.cos(turn) - x * np.sin(turn), y * np.sin(turn) + x * np.cos(turn)
    waves = (np.sin(down / 5), np.cos(across / 6), np.sin((down + across) / 7))
    return np.floor(127.5 + 100 * np.stack(waves, axis=-1) + 0.5).astype(np.uint8)


def turned(point, turn):
    """Where a point of `scene(0)` lies in `scene(turn)`."""
    y, x = np.float64(point) - 59.5
    return (
        59.5 + y * np.cos(turn) + x * np.sin(turn),
        59.5 - y * np.sin(turn) + x * np.cos(turn),
    )


def test_a_box_is_cut_as_it_is():
    for image in (tiny.image(), tiny.image().astype(np.uint16) * 257 + 3):
        found = cut(image, face_region_from_box((48, 48), (5, 9, 20, 30)))
        np.testing.assert_array_equal(found, image[5:25, 9:39])
        assert found.dtype == image.dtype


@pytest.mark.parametrize("turn", [-1.2, -0.3, 0.1, 0.7, np.pi / 2])
def test_a_turned_face_is_cut_as_the_upright_one(turn):
    eyes = (55.0, 48.0), (55.0, 68.0)
    upright = cut(scene(0), face_region_from_eyes((120, 120), eyes))
    there = tuple(turned(eye, turn) for eye in eyes)
    found = cut(scene(turn), face_region_from_eyes((120, 120), there))
    assert found.shape == upright.shape == (80, 80, 3)
    apart = np.abs(found.astype(int) - upright)
    assert apart.max() <= 4 and apart.mean() < 0.6
    # Half a pixel of shift would be several times as much.
    moved = cut(
        scene(turn), face_region_from_eyes((120, 120), tuple((y + 0.5, x) for y, x in there))
    )
    assert np.abs(moved.astype(int) - upright).mean() > 5 * apart.mean()


def test_beyond_the_image_its_edge_is_repeated():
    image = tiny.image()
    found = cut(image, FaceRegion((0.5, 23.5), (10, 0), (0, 10)))
    np.testing.assert_array_equal(found[:9], np.repeat(image[:1, 14:34], 9, axis=0))
    np.testing.assert_array_equal(found[9:], image[:11, 14:34])


def test_a_image_is_laid_where_its_frame_is_and_fades_towards_its_edges():
    target = np.full((60, 80, 3), 40, np.uint8)
    lay(
        target,
        np.full((30, 40, 3), 240, np.uint8),
        face_region_from_box((60, 80), (10, 20, 30, 40)),
    )
    row = target[25, :, 0].astype(int)
    assert (row[:20] == 40).all() and (row[60:] == 40).all()
    assert (row[24:56] == 240).all()
    assert (np.diff(row[19:25]) > 0).all() and (np.diff(row[55:61]) < 0).all()
    assert (row == row[::-1]).all()
    assert (target[:10] == 40).all() and (target[40:] == 40).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_same_colour_laid_over_itself_cannot_be_seen(dtype):
    colour = np.arange(1, 4).astype(dtype) * (np.iinfo(dtype).max // 4)
    target = np.broadcast_to(colour, (50, 50, 3)).copy()
    frame = FaceRegion((12.3, 30.1), (15.2, -8.1), (8.1, 15.2))
    lay(target, np.broadcast_to(colour, (*frame.size, 3)), frame)
    assert (target == colour).all()
