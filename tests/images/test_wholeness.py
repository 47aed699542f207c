import pytest
import tiny

from tfsr.images import Picture, write_picture
from tfsr.images.frames import Frames, write_frames
from tfsr.images.wholeness import is_whole

SUFFIXES = ["png", "jpg", "webp", "tif", "bmp", "avif"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_was_written_is_whole(suffix, tmp_path):
    path = tmp_path / f"a.{suffix}"
    write_picture(path, Picture(tiny.picture(40, 50)))
    assert is_whole(path, (40, 50))
    assert not is_whole(path, (50, 40))


def test_one_picture_is_not_several(tmp_path):
    pictures = tuple(Picture(tiny.picture(40, 50, seed)) for seed in range(2))
    write_frames(tmp_path / "a.webp", Frames(pictures, (40.0, 40.0)))
    write_picture(tmp_path / "b.webp", pictures[0])
    assert [is_whole(tmp_path / "a.webp", (40, 50), several) for several in (0, 1)] == [False, True]
    assert [is_whole(tmp_path / "b.webp", (40, 50), several) for several in (0, 1)] == [True, False]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.99])
def test_what_was_cut_short_is_not(suffix, kept, tmp_path):
    path = tmp_path / f"a.{suffix}"
    write_picture(path, Picture(tiny.picture(40, 50)))
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    assert not is_whole(path, (40, 50))


def test_what_is_not_there_is_not_whole(tmp_path):
    assert not is_whole(tmp_path / "a.png", (4, 4))
    assert not is_whole(tmp_path, (4, 4))
