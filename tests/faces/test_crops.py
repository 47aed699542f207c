from dataclasses import replace

import numpy as np
import pytest
import tiny

from tfsr.faces import FaceRegion, face_region_from_box, face_region_from_eyes
from tfsr.faces.crops import crop_face, paste_face, pasted_part
from tfsr.images import resize


def scene(turn):
    """A smooth image of 120x120 pixels, turned about its centre by an angle in radians."""
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


def test_a_box_is_copied():
    for image in (tiny.image(), tiny.image().astype(np.uint16) * 257 + 3):
        found = crop_face(image, face_region_from_box((48, 48), (5, 9, 20, 30)))
        np.testing.assert_array_equal(found, image[5:25, 9:39])
        assert found.dtype == image.dtype


@pytest.mark.parametrize("turn", [-1.2, -0.3, 0.1, 0.7, np.pi / 2])
def test_a_turned_face_matches_the_upright_one(turn):
    eyes = (55.0, 48.0), (55.0, 68.0)
    upright = crop_face(scene(0), face_region_from_eyes((120, 120), eyes))
    there = tuple(turned(eye, turn) for eye in eyes)
    found = crop_face(scene(turn), face_region_from_eyes((120, 120), there))
    assert found.shape == upright.shape == (80, 80, 3)
    apart = np.abs(found.astype(int) - upright)
    assert apart.max() <= 4 and apart.mean() < 0.6
    # Half a pixel of shift would be several times as much.
    moved = crop_face(
        scene(turn), face_region_from_eyes((120, 120), tuple((y + 0.5, x) for y, x in there))
    )
    assert np.abs(moved.astype(int) - upright).mean() > 5 * apart.mean()


def test_edges_are_repeated_beyond_the_image():
    image = tiny.image()
    found = crop_face(image, FaceRegion((0.5, 23.5), (10, 0), (0, 10)))
    np.testing.assert_array_equal(found[:9], np.repeat(image[:1, 14:34], 9, axis=0))
    np.testing.assert_array_equal(found[9:], image[:11, 14:34])


def test_a_pasted_face_fades_towards_its_edges():
    target = np.full((60, 80, 3), 40, np.uint8)
    paste_face(
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
def test_pasting_the_same_colour_changes_nothing(dtype):
    colour = np.arange(1, 4).astype(dtype) * (np.iinfo(dtype).max // 4)
    target = np.broadcast_to(colour, (50, 50, 3)).copy()
    frame = FaceRegion((12.3, 30.1), (15.2, -8.1), (8.1, 15.2))
    paste_face(target, np.broadcast_to(colour, (*frame.size, 3)), frame)
    assert (target == colour).all()


@pytest.mark.parametrize("size", [(40, 40), (33, 17), (7, 7)])
def test_a_reduced_crop_is_antialiased(size):
    """Stripes of two pixels vanish; what is smooth remains."""
    image = scene(0)
    region = face_region_from_box((120, 120), (20, 16, 80, 80))
    striped = image.copy()
    striped[::2] = 255 - striped[1::2]
    smooth, grey = crop_face(image, region, size), crop_face(striped, region, size)
    expected = resize(image[20:100, 16:96], size, "area")
    assert smooth.shape == (*size, 3)
    assert np.abs(smooth.astype(int) - expected).mean() < 8
    assert np.abs(grey.astype(int) - 127).mean() < 12


@pytest.mark.parametrize(("turn", "fraction"), [(0.0, 0.0), (0.4, 0.0), (0.0, 0.3)])
def test_a_tile_needs_a_part_of_the_face_only(turn, fraction, rng):
    """Each tile, pasted from its part, is that of the whole; tiles beside the face need nothing."""
    down = 30 * np.float64([np.cos(turn), -np.sin(turn)])
    centre = 52.5 + fraction, 70.5
    region = FaceRegion(centre, tuple(down), (-down[1], down[0]))
    oval = FaceRegion(centre, (28, 4), (-4, 28))
    face = rng.integers(0, 256, (*region.size, 3)).astype(np.uint8)
    target = rng.integers(0, 256, (120, 150, 3)).astype(np.uint8)
    expected = target.copy()
    paste_face(expected, face, region, oval)
    used = []
    for top, left in np.ndindex(6, 6):
        tile = target[20 * top : 20 * top + 20, 25 * left : 25 * left + 25]
        middle = centre[0] - 20 * top, centre[1] - 25 * left
        here, there = (replace(place, centre=middle) for place in (region, oval))
        part = pasted_part((20, 25), here)
        if part is not None:
            rows, columns = part
            used.append((rows[1] - rows[0]) * (columns[1] - columns[0]))
            paste_face(tile, face[slice(*rows), slice(*columns)], here, there, part)
    np.testing.assert_array_equal(target, expected)
    assert len(used) < 30 and max(used) < 0.5 * face.size / 3
