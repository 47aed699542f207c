import numpy as np
import pytest

from tfsr.geometry import DIHEDRAL_TRANSFORMS, MIRROR_TRANSFORMS, Tile

# Different on both axes, so that nothing can be mistaken for something else.
WINDOW = Tile((10, 14), (30, 70), (3, 11), (20, 45), (1, 7), (3, 12))
every_symmetry = pytest.mark.parametrize("symmetry", DIHEDRAL_TRANSFORMS, ids=str)


def numbered(size):
    """An image of which no two pixels are the same, (1, H, W, 1)."""
    return np.arange(size[0] * size[1]).reshape(1, *size, 1)


def test_there_are_eight_flips_and_turns():
    image = numbered((3, 3))
    assert len({symmetry.of(image).tobytes() for symmetry in DIHEDRAL_TRANSFORMS}) == 8
    quarter_turn = np.rot90(image, axes=(1, 2)).tobytes()
    assert quarter_turn in {symmetry.of(image).tobytes() for symmetry in DIHEDRAL_TRANSFORMS}


def test_of_these_two_keep_what_is_up():
    image = numbered((2, 3))
    whole, mirrored = (symmetry.of(image)[0, ..., 0].tolist() for symmetry in MIRROR_TRANSFORMS)
    assert whole == [[0, 1, 2], [3, 4, 5]]
    assert mirrored == [[2, 1, 0], [5, 4, 3]]


@every_symmetry
def test_a_turned_window_shows_the_same_pixels(symmetry):
    turned = symmetry.of_tile(WINDOW)
    for size, rows, columns in (("size", "rows", "columns"), ("lr_size", "lr_rows", "lr_columns")):
        image = numbered(getattr(WINDOW, size))
        seen = image[:, slice(*getattr(WINDOW, rows)), slice(*getattr(WINDOW, columns))]
        there = symmetry.of(image)
        assert there.shape[1:3] == getattr(turned, size)
        found = there[:, slice(*getattr(turned, rows)), slice(*getattr(turned, columns))]
        np.testing.assert_array_equal(found, symmetry.of(seen))


@every_symmetry
def test_what_is_written_to_the_turned_image_is_written_to_the_image(symmetry):
    image = np.zeros((1, 3, 4, 2))
    symmetry.of(image)[...] = 1
    assert (image == 1).all()
