import numpy as np
import pytest
import tiny

from tfsr.data import Sampler, SamplingConfig, Source
from tfsr.data.sources import choose
from tfsr.errors import ImageError, InvalidArgument

BASE = SamplingConfig(
    batch=4,
    lr_size=(12, 32),
    hr_size=(16, 48),
    window=8,
    num_points=16,
    points="lattice",
    augment=(),
)


@pytest.fixture
def folders(tmp_path):
    """Two folders of plain images: red identifies the folder, green the image."""
    for red, count in ((50, 4), (150, 7)):
        for i in range(count):
            colour = np.full((48, 48, 3), (red, 20 * i, 0), np.uint8)
            tiny.save(tmp_path / str(red) / f"{i}.png", colour)
    return str(tmp_path / "50"), str(tmp_path / "150")


def colours_of(sampler, count):
    """(red, green) of the images that the first samples come from."""
    seen = [np.rint(255 * sampler.sample(i)[1][0, 0]) for i in range(count)]
    return [(int(red), int(green)) for red, green, _ in seen]


@pytest.mark.parametrize(
    ("weights", "seed"), [((3, 1), 0), ((1, 1, 2), 7), ((0.02, 0.98), 0), ((5, 0, 1), 7)]
)
def test_any_run_of_samples_has_nearly_the_shares(weights, seed):
    chosen = np.array([choose(weights, seed, i) for i in range(2_000)])
    shares = np.array(weights) / sum(weights)
    for length in (16, 100, 1000):
        for start in range(0, 1000, 73):
            run = chosen[start : start + length]
            counts = np.bincount(run, minlength=len(weights))
            assert np.abs(counts - length * shares).max() <= 3


def test_folders_are_sampled_by_weight(folders):
    a, b = folders
    seen = colours_of(Sampler([Source(a, 3), Source(b, 1)], BASE), 140)
    reds = [red for red, _ in seen]
    assert abs(reds.count(50) - 105) <= 3
    # Within as many samples as a folder has images, none of its images comes twice.
    for start in range(0, 140, 7):
        there = [image for image in seen[start : start + 7] if image[0] == 150]
        assert len(set(there)) == len(there)
    assert {green for red, green in seen if red == 150} == {20 * i for i in range(7)}


def test_a_single_folder_does_not_need_a_source(folders):
    a, _ = folders
    plain, source = Sampler(a, BASE, seed=3), Sampler([Source(a, 0.1)], BASE, seed=3)
    for x, y in zip(plain.batch(2)[0].values(), source.batch(2)[0].values(), strict=True):
        np.testing.assert_array_equal(x, y)
    assert plain.fingerprint() == source.fingerprint()


def test_weights_and_changes_are_in_the_fingerprint(folders):
    a, b = folders
    prints = [
        Sampler([Source(a), other], BASE).fingerprint()
        for other in (Source(b), Source(b, 2), Source(b, hr_size=(20, 40)), Source(a))
    ]
    assert len(set(prints)) == 4


def test_crops_mix_with_windows(folders):
    a, b = folders
    sources = [Source(a), Source(b, mode="random_crop", scale=(1.0, 4.0), augment=("vertical",))]
    inputs, colours = Sampler(sources, BASE).batch(0)
    assert inputs["image"].shape == (4, 8, 8, 3)
    windows = {tuple(window) for window in inputs["window"]}
    assert (0, 0, 1, 1) in windows and len(windows) > 1


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ([], ["folder"]),
        ([Source("a", -1.0)], ["a: weight", "-1"]),
        ([Source("a", float("nan"))], ["a: weight"]),
        ([Source("a", 0.0), Source("b", 0.0)], ["above 0"]),
        ([Source("a"), Source("b", degradation="facse")], ["b: ", "facse", "faces"]),
        ([Source("a"), Source("b", hr_size=(16, 20))], ["b: ", "lr_size", "20"]),
        ([Source("a"), Source("b", lr_size=(7, 32))], ["b: ", "window", "7"]),
        ([Source("a"), Source("b", mode="random_crop", lr_size=9)], ["b: ", "8", "9"]),
    ],
)
def test_impossible_sources_are_named(sources, words):
    with pytest.raises(InvalidArgument) as caught:
        Sampler(sources, BASE)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_an_empty_folder_among_several_is_named(folders, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match=str(tmp_path / "empty")):
        Sampler([Source(folders[0]), Source(str(tmp_path / "empty"))], BASE)


def test_an_image_is_checked_by_the_settings_of_its_folder(folders, tmp_path):
    a, b = folders
    small = tiny.folder(tmp_path / "small", count=1, side=40)
    Sampler([Source(a), Source(str(small), hr_size=(16, 40))], BASE).check()
    with pytest.raises(ImageError, match="small/0.png.*40x40.*48"):
        Sampler([Source(a), Source(str(small))], BASE).check()
