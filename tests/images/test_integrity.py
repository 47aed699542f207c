import pytest
import tiny

from tfsr.images import DecodedImage, write_image
from tfsr.images.frames import Frames
from tfsr.images.integrity import is_complete

SUFFIXES = ["png", "jpg", "webp", "tif", "bmp", "avif"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_written_files_are_complete(suffix, tmp_path):
    path = tmp_path / f"a.{suffix}"
    write_image(path, DecodedImage(tiny.image(40, 50)))
    assert is_complete(path, (40, 50))
    assert not is_complete(path, (50, 40))


def test_one_image_is_not_several(tmp_path):
    images = tuple(DecodedImage(tiny.image(40, 50, seed)) for seed in range(2))
    tiny.write_frames(tmp_path / "a.webp", Frames(images, (40.0, 40.0)))
    write_image(tmp_path / "b.webp", images[0])
    for name, expected in (("a.webp", [False, True]), ("b.webp", [True, False])):
        found = [is_complete(tmp_path / name, (40, 50), several) for several in (False, True)]
        assert found == expected


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("part", [0.0, 0.5, 0.99])
def test_truncated_files_are_not(suffix, part, tmp_path):
    path = tmp_path / f"a.{suffix}"
    write_image(path, DecodedImage(tiny.image(40, 50)))
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    assert not is_complete(path, (40, 50))


def test_missing_files_are_not(tmp_path):
    assert not is_complete(tmp_path / "a.png", (4, 4))
    assert not is_complete(tmp_path, (4, 4))
