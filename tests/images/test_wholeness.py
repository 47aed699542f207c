import pytest
import tiny

from tfsr.images import DecodedImage, write_image
from tfsr.images.frames import Frames, write_frames
from tfsr.images.integrity import is_integer

SUFFIXES = ["png", "jpg", "webp", "tif", "bmp", "avif"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_was_written_is_whole(suffix, tmp_path):
    path = tmp_path / f"a.{suffix}"
    write_image(path, DecodedImage(tiny.image(40, 50)))
    assert is_integer(path, (40, 50))
    assert not is_integer(path, (50, 40))


def test_one_image_is_not_several(tmp_path):
    images = tuple(DecodedImage(tiny.image(40, 50, seed)) for seed in range(2))
    write_frames(tmp_path / "a.webp", Frames(images, (40.0, 40.0)))
    write_image(tmp_path / "b.webp", images[0])
    assert [is_integer(tmp_path / "a.webp", (40, 50), several) for several in (0, 1)] == [
        False,
        True,
    ]
    assert [is_integer(tmp_path / "b.webp", (40, 50), several) for several in (0, 1)] == [
        True,
        False,
    ]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.99])
def test_what_was_cut_short_is_not(suffix, kept, tmp_path):
    path = tmp_path / f"a.{suffix}"
    write_image(path, DecodedImage(tiny.image(40, 50)))
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    assert not is_integer(path, (40, 50))


def test_what_is_not_there_is_not_whole(tmp_path):
    assert not is_integer(tmp_path / "a.png", (4, 4))
    assert not is_integer(tmp_path, (4, 4))
