"""Damaged and small images in a training folder: refused before training, or skipped."""

import numpy as np
import pytest
import tiny

from tfsr.data import Sampler, SamplingConfig
from tfsr.data.training_images import fingerprint
from tfsr.errors import ImageError

CONFIG = SamplingConfig(batch=2, lr_size=12, hr_size=(20, 40), num_points=50, augment=())


@pytest.fixture
def folder(tmp_path):
    """Six images; 1.png is cut short after its header, 4.png is too small."""
    tiny.folder(tmp_path, count=6)
    damaged = tmp_path / "1.png"
    damaged.write_bytes(damaged.read_bytes()[:-30])
    tiny.save(tmp_path / "4.png", tiny.image(20, 20))
    return tmp_path


def batches(sampler, count=12):
    return [sampler.batch(step)[1] for step in range(count)]


def test_a_small_image_is_refused_before_training(folder):
    with pytest.raises(ImageError, match="4.png.*20x20") as caught:
        Sampler(folder, CONFIG).check()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no image"])
def test_an_unreadable_header_is_refused_before_training(content, tmp_path):
    (tiny.folder(tmp_path) / "1.png").write_bytes(content)
    with pytest.raises(ImageError, match="1.png"):
        Sampler(tmp_path, CONFIG).check()


def test_usable_images_pass(tmp_path):
    sampler = Sampler(tiny.folder(tmp_path), CONFIG)
    sampler.check()
    assert not sampler.images.skipped


def test_skipped_images_are_reported_once(folder):
    lines = []
    sampler = Sampler(folder, CONFIG, skip_damaged=True, report=lines.append)
    sampler.check()
    batches(sampler)
    assert set(sampler.images.skipped) == {folder / "1.png", folder / "4.png"}
    assert [line.split(":")[0] for line in lines] == [str(folder / "4.png"), str(folder / "1.png")]
    assert lines[0].endswith("; skipped, 1 of 6 images so far")
    assert lines[1].endswith("; skipped, 2 of 6 images so far")


def test_skipping_does_not_depend_on_the_order_of_steps(folder):
    checked = Sampler(folder, CONFIG, skip_damaged=True)
    checked.check()
    expected = batches(checked)
    later = Sampler(folder, CONFIG, skip_damaged=True)
    for step in reversed(range(12)):
        np.testing.assert_array_equal(later.batch(step)[1], expected[step])


def test_a_folder_without_usable_images_is_refused(tmp_path):
    tiny.folder(tmp_path, side=16)
    sampler = Sampler(tmp_path, CONFIG, skip_damaged=True)
    with pytest.raises(ImageError, match="none of its images"):
        sampler.check()
    with pytest.raises(ImageError, match="none of its images"):
        sampler.batch(0)


def test_the_fingerprint_depends_on_the_images(tmp_path):
    first, second = tiny.folder(tmp_path / "a"), tiny.folder(tmp_path / "b")

    def found(folder):
        return fingerprint(Sampler(folder, CONFIG).paths)

    assert found(first) == found(second)
    tiny.save(second / "9.png", tiny.image())
    assert found(first) != found(second)
