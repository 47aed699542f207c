import io
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import tiny
from checks import check_refused
from PIL import Image

from tfsr.data import Sampler, SamplingConfig
from tfsr.errors import ImageError, InvalidArgument

WHOLE = SamplingConfig(batch=2, lr_size=12, hr_size=(20, 40), num_points=50, augment=())
CROPS = SamplingConfig(
    mode="random_crop", batch=2, lr_size=12, scale=(1.0, 3.0), num_points=50, augment=()
)
WINDOW = SamplingConfig(
    batch=2, lr_size=(12, 32), hr_size=(16, 48), window=8, num_points=50, augment=()
)
MODES = {"resize": WHOLE, "random_crop": CROPS, "window": WINDOW}


@pytest.fixture(params=MODES)
def config(request):
    return MODES[request.param]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return tiny.folder(tmp_path_factory.mktemp("images"))


def same(a, b):
    (inputs_a, colours_a), (inputs_b, colours_b) = a, b
    assert inputs_a.keys() == inputs_b.keys()
    pairs = [(inputs_a[name], inputs_b[name]) for name in inputs_a] + [(colours_a, colours_b)]
    return all(np.array_equal(x, y) for x, y in pairs)


def atlas(height, width):
    """An image with each pixel's row in red and its column in green."""
    row, column = np.mgrid[:height, :width]
    blue = np.random.default_rng(0).integers(0, 256, (height, width))
    return np.stack([row, column, blue], axis=-1).astype(np.uint8)


def bicubic(image, side):
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


def nearest_jpeg(image, side):
    small = Image.fromarray(image).resize((side, side), Image.Resampling.NEAREST)
    encoded = io.BytesIO()
    small.save(encoded, "JPEG", quality=65)
    return np.asarray(Image.open(encoded))


def levels(colours):
    return np.rint(colours * 255).astype(int)


def check_close(colours, expected):
    """A region resized by itself rounds some halves, which ramps have, the other way."""
    difference = np.abs(levels(colours) - expected.astype(int))
    assert difference.max() <= 1
    assert np.mean(difference > 0) < 0.3


def whole_side(cell):
    """Number of pixels on a side, from the size of one."""
    sides = np.unique(2 / cell.astype(np.float64))
    assert np.ptp(sides) < 1e-4
    return int(np.rint(sides[0]))


def pixel_indices(coordinates, side):
    """Pixel indices from coordinates, which must be pixel centres."""
    position = (coordinates.astype(np.float64) + 1) * side / 2 - 0.5
    np.testing.assert_allclose(position, np.rint(position), atol=1e-4)
    return tuple(np.rint(position).astype(int).T)


def test_batches_repeat(config, images):
    sampler = Sampler(images, config, seed=3)
    other = Sampler(images, config, seed=3)
    first = sampler.batch(7)
    sampler.batch(2)
    assert same(sampler.batch(7), first)
    assert same(other.batch(7), first)


def test_another_step_or_seed_gives_another_batch(config, images):
    batch = Sampler(images, config, seed=3).batch(7)
    assert not same(Sampler(images, config, seed=3).batch(8), batch)
    assert not same(Sampler(images, config, seed=4).batch(7), batch)


def test_another_process_makes_the_same_batches_without_tensorflow_or_keras(images, tmp_path):
    program = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None
import numpy as np
from tfsr.data import Sampler, SamplingConfig

config = SamplingConfig(
    batch=2, lr_size=(12, 32), hr_size=(16, 48), window=8, num_points=50, augment=()
)
inputs, colours = Sampler(sys.argv[1], config, seed=3).batch(7)
np.savez(sys.argv[2], colours=colours, **inputs)
"""
    target = tmp_path / "batch.npz"
    subprocess.run([sys.executable, "-c", program, str(images), str(target)], check=True)
    with np.load(target) as file:
        inputs = dict(file)
    colours = inputs.pop("colours")
    assert same((inputs, colours), Sampler(images, WINDOW, seed=3).batch(7))


@pytest.mark.parametrize("name", MODES)
def test_shapes_and_dtypes(name, images):
    inputs, colours = Sampler(images, MODES[name]).batch(0)
    side = MODES[name].input_size
    shapes = {"image": (2, side, side, 3), "coordinates": (2, 50, 2), "cell": (2, 50, 2)}
    if name == "window":
        shapes["window"] = (2, 4)
    assert {key: value.shape for key, value in inputs.items()} == shapes
    assert colours.shape == (2, 50, 3)
    assert {value.dtype for value in [*inputs.values(), colours]} == {np.dtype(np.float32)}
    for values in (inputs["image"], colours):
        assert values.min() >= 0 and values.max() <= 1


def test_every_image_is_used_once_before_any_again(tmp_path):
    reds = [10, 60, 110, 160, 210]
    for red in reds:
        tiny.save(tmp_path / f"{red}.png", np.full((40, 40, 3), (red, 0, 0), np.uint8))
    sampler = Sampler(tmp_path, WHOLE)
    seen = [int(levels(sampler.sample(i)[1])[0, 0]) for i in range(20)]
    epochs = [tuple(seen[start : start + 5]) for start in range(0, 20, 5)]
    assert all(sorted(epoch) == reds for epoch in epochs)
    assert len(set(epochs)) > 1


def test_a_list_of_files_is_a_source(images):
    paths = sorted(images.iterdir())
    assert same(Sampler(paths, WHOLE).batch(1), Sampler(images, WHOLE).batch(1))


@pytest.mark.parametrize("name, reduce", [("bicubic", bicubic), ("nn65", nearest_jpeg)])
def test_whole_images_are_reduced_to_both_sizes(name, reduce, tmp_path):
    image = atlas(40, 40)
    tiny.save(tmp_path / "a.png", image)
    config = SamplingConfig(
        lr_size=12, hr_size=(20, 40), num_points=50, augment=(), degradation=name
    )
    sampler = Sampler(tmp_path, config)
    sides = set()
    for index in range(8):
        inputs, colours = sampler.sample(index)
        side = whole_side(inputs["cell"])
        sides.add(side)
        row, column = pixel_indices(inputs["coordinates"], side)
        assert len(set(zip(row, column, strict=True))) == 50, "rendered without replacement"
        np.testing.assert_array_equal(levels(colours), bicubic(image, side)[row, column])
        np.testing.assert_array_equal(levels(inputs["image"]), reduce(image, 12))
    assert 20 <= min(sides) < max(sides) <= 40


@pytest.mark.parametrize("name, reduce", [("bicubic", bicubic), ("nn65", nearest_jpeg)])
def test_crops_are_reduced(name, reduce, tmp_path):
    image = atlas(50, 44)
    tiny.save(tmp_path / "a.png", image)
    config = SamplingConfig(
        mode="random_crop",
        lr_size=12,
        scale=(1.5, 3.5),
        num_points=50,
        augment=(),
        degradation=name,
    )
    sampler = Sampler(tmp_path, config)
    sides, corners = set(), set()
    for index in range(30):
        inputs, colours = sampler.sample(index)
        side = whole_side(inputs["cell"])
        row, column = pixel_indices(inputs["coordinates"], side)
        found = levels(colours)
        # The atlas tells where the crop lies; its pixels are the HR colours, unchanged.
        (top,), (left,) = set(found[:, 0] - row), set(found[:, 1] - column)
        crop = image[top : top + side, left : left + side]
        assert crop.shape == (side, side, 3)
        assert len(set(zip(row, column, strict=True))) == 50
        np.testing.assert_array_equal(found, crop[row, column])
        np.testing.assert_array_equal(levels(inputs["image"]), reduce(crop, 12))
        sides.add(side)
        corners.add((top, left))
    assert 18 <= min(sides) < 24 and 36 < max(sides) <= 42, "scales 1.5 to 3.5 of 12 pixels"
    assert len(corners) > 20


def test_windows_have_their_place(tmp_path):
    image = atlas(48, 48)
    tiny.save(tmp_path / "a.png", image)
    sampler = Sampler(tmp_path, WINDOW)
    lr_sides, hr_sides = [], []
    for index in range(60):
        inputs, colours = sampler.sample(index)
        assert np.abs(inputs["coordinates"]).max() <= 1 + 1e-6
        centre, half = np.float64(inputs["window"][:2]), np.float64(inputs["window"][2:])
        assert half[0] == half[1]
        lr_side = int(np.rint(8 / half[0]))
        hr_side = whole_side(inputs["cell"] * half)
        assert hr_side >= lr_side
        row, column = pixel_indices(centre + half * inputs["coordinates"], hr_side)
        check_close(colours, bicubic(image, hr_side)[row, column])

        corner = (centre + 1) * lr_side / 2 - 4
        np.testing.assert_allclose(corner, np.rint(corner), atol=1e-4)
        top, left = np.rint(corner).astype(int)
        lr = bicubic(image, lr_side)[top : top + 8, left : left + 8]
        check_close(inputs["image"], lr)
        lr_sides.append(lr_side)
        hr_sides.append(hr_side)
    assert 12 <= min(lr_sides) and max(lr_sides) <= 32
    assert max(hr_sides) <= 48
    # Evenly in octaves: the geometric middle, 19.6, is the median.
    assert 16 < np.median(lr_sides) < 24


def test_a_ramp_has_one_value_at_a_point_in_window_and_image(tmp_path):
    ramp = np.arange(48)[:, None] * 3 + np.arange(48) * 2
    tiny.save(tmp_path / "a.png", np.repeat(ramp[..., None], 3, axis=-1).astype(np.uint8))
    sampler = Sampler(tmp_path, WINDOW)
    compared = 0
    for index in range(12):
        inputs, colours = sampler.sample(index)
        position = (inputs["coordinates"] + 1) * 4 - 0.5
        # Resampling bends the ramp where its kernel meets the image's edge.
        whole = np.abs(inputs["window"][:2] + inputs["window"][2:] * inputs["coordinates"])
        inner = ((position > 0) & (position < 7) & (whole < 0.7)).all(axis=-1)
        before = np.floor(position[inner]).astype(int)
        share = position[inner] - before
        value = np.zeros(len(before))
        for i, j in np.ndindex(2, 2):
            weight = np.prod(np.where([i, j], share, 1 - share), axis=-1)
            value += weight * inputs["image"][before[:, 0] + i, before[:, 1] + j, 0]
        np.testing.assert_allclose(value * 255, colours[inner, 0] * 255, atol=1.6)
        compared += len(value)
    assert compared > 100


@pytest.mark.parametrize(
    "names", [(), ("horizontal",), ("vertical",), ("horizontal", "vertical", "transpose")]
)
def test_lr_and_hr_are_augmented_alike(names, tmp_path):
    pixels = atlas(16, 16)
    tiny.save(tmp_path / "a.png", pixels)
    config = SamplingConfig(lr_size=8, hr_size=(16, 16), num_points=256, augment=names)
    turns = {
        "horizontal": lambda x: x[:, ::-1],
        "vertical": lambda x: x[::-1],
        "transpose": lambda x: np.swapaxes(x, 0, 1),
    }
    possible = [pixels]
    for name in names:
        possible += [turns[name](image) for image in possible]
    met = Counter()
    sampler = Sampler(tmp_path, config)
    for index in range(8 * len(possible)):
        inputs, colours = sampler.sample(index)
        hr = np.zeros_like(pixels)
        hr[pixel_indices(inputs["coordinates"], 16)] = levels(colours)
        (which,) = (i for i, image in enumerate(possible) if np.array_equal(image, hr))
        np.testing.assert_array_equal(levels(inputs["image"]), bicubic(hr, 8))
        met[which] += 1
    assert set(met) == set(range(len(possible)))


def test_the_default_flips_faces_horizontally_only():
    assert SamplingConfig().augment == ("horizontal",)


def test_more_points_than_pixels_take_every_pixel(tmp_path):
    tiny.save(tmp_path / "a.png", atlas(16, 16))
    config = SamplingConfig(lr_size=3, hr_size=(4, 4), num_points=20, augment=())
    inputs, colours = Sampler(tmp_path, config).sample(0)
    row, column = pixel_indices(inputs["coordinates"], 4)
    assert len(row) == len(colours) == 20
    assert len(set(zip(row, column, strict=True))) == 16


@pytest.mark.parametrize(
    "arguments, attribute",
    [
        ({"mode": "patches"}, "mode"),
        ({"batch": 0}, "batch"),
        ({"num_points": 0}, "num_points"),
        ({"lr_size": 0}, "lr_size"),
        ({"lr_size": (32, 16), "window": 8}, "lr_size"),
        ({"lr_size": (16, 32)}, "lr_size"),
        ({"hr_size": (64, 32)}, "hr_size"),
        ({"hr_size": (0, 32)}, "hr_size"),
        ({"scale": (4.0, 1.0)}, "scale"),
        ({"scale": (0.0, 1.0)}, "scale"),
        ({"scale": (1.0, float("nan"))}, "scale"),
        ({"scale": (1.0, float("inf"))}, "scale"),
        ({"window": 0}, "window"),
        ({"lr_size": (16, 32), "window": 17}, "window"),
        ({"mode": "random_crop", "window": 16}, "window"),
        ({"degradation": "bicubik"}, "degradation"),
        ({"augment": ("horizontal", "sideways")}, "augment"),
    ],
)
def test_impossible_configurations_name_the_attribute(arguments, attribute):
    with pytest.raises(InvalidArgument, match=attribute) as caught:
        SamplingConfig(**arguments).validate()
    assert "\n" not in str(caught.value)


def test_a_sampler_checks_its_configuration(images):
    with pytest.raises(InvalidArgument, match="num_points"):
        Sampler(images, SamplingConfig(num_points=0))


@pytest.mark.parametrize("name", MODES)
def test_a_small_image_is_named(name, tmp_path):
    path = tiny.save(tmp_path / "small.png", atlas(11, 30))
    with pytest.raises(ImageError) as caught:
        Sampler(tmp_path, MODES[name]).batch(0)
    assert str(caught.value).startswith(str(path))
    assert "30x11" in str(caught.value)


def test_a_folder_without_images_is_named(tmp_path):
    with pytest.raises(ImageError, match=str(tmp_path)):
        Sampler(tmp_path, WHOLE)
    with pytest.raises(ImageError, match="nowhere"):
        Sampler(tmp_path / "nowhere", WHOLE)


def test_a_damaged_image_is_named(tmp_path):
    path = tiny.save(tmp_path / "damaged.png", atlas(40, 40))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ImageError) as caught:
        Sampler(tmp_path, WHOLE).batch(0)
    assert str(caught.value).startswith(str(path))


# Lattices and patches.

POINTS = ("lattice", "patch")
every_kind_of_points = pytest.mark.parametrize("points", POINTS)
SQUARE = 49


def with_points(config, points, **changes):
    return replace(config, points=points, **{"num_points": SQUARE, **changes})


@every_kind_of_points
@pytest.mark.parametrize("name", MODES)
def test_shapes_and_dtypes_of_a_lattice(name, points, images):
    inputs, colours = Sampler(images, with_points(MODES[name], points)).batch(0)
    side = MODES[name].input_size
    shapes = {"image": (2, side, side, 3), "rows": (2, 7), "columns": (2, 7), "cell": (2, 2)}
    if name == "window":
        shapes["window"] = (2, 4)
    assert {key: value.shape for key, value in inputs.items()} == shapes
    assert colours.shape == (2, 7, 7, 3)
    assert {value.dtype for value in [*inputs.values(), colours]} == {np.dtype(np.float32)}
    assert 0 <= colours.min() and colours.max() <= 1


@every_kind_of_points
@pytest.mark.parametrize("name", MODES)
def test_lattices_repeat_in_seed_and_step(name, points, images):
    config = with_points(MODES[name], points)
    batch = Sampler(images, config, seed=3).batch(7)
    assert same(Sampler(images, config, seed=3).batch(7), batch)
    assert not same(Sampler(images, config, seed=3).batch(8), batch)
    assert not same(Sampler(images, config, seed=4).batch(7), batch)


def lines_of(coordinates, side):
    """Indices of rows or columns from coordinates, which must be pixel centres."""
    return pixel_indices(coordinates[:, None], side)[0]


@every_kind_of_points
def test_a_lattice_has_the_colours_of_its_hr_pixels(points, tmp_path):
    image = atlas(40, 40)
    tiny.save(tmp_path / "a.png", image)
    sampler = Sampler(tmp_path, with_points(WHOLE, points))
    seen = set()
    for index in range(12):
        inputs, colours = sampler.sample(index)
        side = whole_side(inputs["cell"])
        rows, columns = (lines_of(inputs[name], side) for name in ("rows", "columns"))
        expected = bicubic(image, side)[rows][:, columns]
        np.testing.assert_array_equal(levels(colours), expected)
        np.testing.assert_array_equal(levels(inputs["image"]), bicubic(image, 12))
        for lines in (rows, columns):
            steps = np.diff(lines)
            # A patch's are consecutive; a lattice's are sorted and different.
            assert (steps == 1).all() if points == "patch" else (steps > 0).all()
        seen.add((side, *rows, *columns))
    assert len(seen) == 12


def test_the_rows_and_columns_of_a_lattice_are_uniform(tmp_path):
    """Every line of the HR image is equally likely, the first and the last too."""
    tiny.save(tmp_path / "a.png", atlas(20, 20))
    config = with_points(WHOLE, "lattice", hr_size=(20, 20))
    sampler = Sampler(tmp_path, config)
    counts = np.zeros((2, 20))
    for index in range(300):
        inputs, _ = sampler.sample(index)
        for count, name in zip(counts, ("rows", "columns"), strict=True):
            count[lines_of(inputs[name], 20)] += 1
    # 300 x 7 / 20 = 105 of each, with a standard deviation of 8.
    assert counts.min() > 70 and counts.max() < 140


def test_a_patch_begins_anywhere_it_fits(tmp_path):
    tiny.save(tmp_path / "a.png", atlas(20, 20))
    sampler = Sampler(tmp_path, with_points(WHOLE, "patch", hr_size=(20, 20)))
    first = {int(lines_of(sampler.sample(i)[0]["rows"], 20)[0]) for i in range(150)}
    assert first == set(range(14))


@every_kind_of_points
def test_crops_have_lattices_too(points, tmp_path):
    image = atlas(50, 44)
    tiny.save(tmp_path / "a.png", image)
    sampler = Sampler(tmp_path, with_points(CROPS, points))
    for index in range(12):
        inputs, colours = sampler.sample(index)
        side = whole_side(inputs["cell"])
        rows, columns = (lines_of(inputs[name], side) for name in ("rows", "columns"))
        found = levels(colours)
        # The atlas tells where the crop lies.
        (top,), (left,) = set(found[:, 0, 0] - rows), set(found[0, :, 1] - columns)
        crop = image[top : top + side, left : left + side]
        np.testing.assert_array_equal(found, crop[rows][:, columns])
        np.testing.assert_array_equal(levels(inputs["image"]), bicubic(crop, 12))


@every_kind_of_points
def test_a_lattice_lies_in_its_window(points, tmp_path):
    image = atlas(48, 48)
    tiny.save(tmp_path / "a.png", image)
    sampler = Sampler(tmp_path, with_points(WINDOW, points, num_points=16))
    for index in range(40):
        inputs, colours = sampler.sample(index)
        centre, half = np.float64(inputs["window"][:2]), np.float64(inputs["window"][2:])
        lr_side = int(np.rint(8 / half[0]))
        hr_side = whole_side(inputs["cell"] * half)
        lines = []
        for i, name in enumerate(("rows", "columns")):
            assert np.abs(inputs[name]).max() <= 1 + 1e-6
            lines.append(lines_of(centre[i] + half[i] * inputs[name], hr_side))
            if points == "patch":
                assert (np.diff(lines[-1]) == 1).all()
        expected = bicubic(image, hr_side)[lines[0]][:, lines[1]]
        check_close(colours, expected)
        top, left = np.rint((centre + 1) * lr_side / 2 - 4).astype(int)
        lr = bicubic(image, lr_side)[top : top + 8, left : left + 8]
        check_close(inputs["image"], lr)


@every_kind_of_points
def test_a_lattice_larger_than_the_image_takes_every_line(points, tmp_path):
    tiny.save(tmp_path / "a.png", atlas(16, 16))
    config = SamplingConfig(lr_size=3, hr_size=(4, 4), num_points=49, augment=(), points=points)
    for index in range(6):
        inputs, colours = Sampler(tmp_path, config).sample(index)
        rows, columns = (lines_of(inputs[name], 4) for name in ("rows", "columns"))
        assert len(rows) == len(columns) == 7 and colours.shape == (7, 7, 3)
        assert set(rows) == set(columns) == set(range(4))
        image = bicubic(atlas(16, 16), 4)[rows][:, columns]
        np.testing.assert_array_equal(levels(colours), image)
        if points == "patch":
            # It is reflected at the edge: no step is longer than a line.
            assert np.abs(np.diff(rows)).max() == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"points": "grid"}, ("points must be one of scattered, lattice, patch", "'grid'")),
        ({"points": "lattice", "num_points": 50}, ("square number", "'lattice'", "received 50")),
        ({"points": "patch", "num_points": 2303}, ("square number", "'patch'", "received 2303")),
        ({"points": "lattice", "num_points": None}, ("square number", "received None")),
    ],
)
def test_impossible_points_are_refused(arguments, words):
    check_refused(lambda: SamplingConfig(**arguments).validate(), *words)


# Random degradations, of a window with its surroundings.

# Uses the generator, and changes no level.
HARMLESS = {"steps": [{"noise": [0, 1e-6]}, "to_lr"]}


@pytest.mark.parametrize("name", MODES)
def test_a_degraded_window_lies_where_a_clean_one_does(name, tmp_path):
    image = np.asarray(Image.fromarray(atlas(16, 20)).resize((60, 60)))
    tiny.save(tmp_path / "a.png", image)
    samplers = [
        Sampler(tmp_path, replace(MODES[name], degradation=degradation))
        for degradation in ("clean", HARMLESS)
    ]
    for index in range(20):
        (clean, colours), (degraded, other_colours) = (s.sample(index) for s in samplers)
        np.testing.assert_array_equal(
            clean.get("window", 0), degraded.get("window", 0), err_msg="rendered before"
        )
        # A crop is reduced with what surrounds it, which the reduction of a clean one does not see.
        inner = slice(2, -2) if name == "random_crop" else slice(None)
        check_close(degraded["image"][inner, inner], levels(clean["image"])[inner, inner])
        if name != "random_crop":
            assert other_colours.shape == colours.shape


@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize("degradation", ["faces", "real-esrgan", "gfpgan"])
def test_random_degradations_repeat_in_seed_and_step(name, degradation, images):
    config = replace(MODES[name], degradation=degradation)
    batch = Sampler(images, config, seed=3).batch(7)
    assert same(Sampler(images, config, seed=3).batch(7), batch)
    assert not same(Sampler(images, config, seed=3).batch(8), batch)
    assert batch[0]["image"].min() >= 0 and batch[0]["image"].max() <= 1
