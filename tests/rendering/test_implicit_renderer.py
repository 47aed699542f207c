"""Images rendered patch by patch, by bands, phases and sub-pixels."""

import math
from functools import cache

import keras
import numpy as np
import pytest
import tiny
from cases import quick

from tfsr.geometry import make_tiles
from tfsr.models import ImplicitSR
from tfsr.rendering import ImplicitRenderer, make_tail

AMPLE, TINY = 2**28, 1
DECODERS = {
    # Four neighbours: bands, and phases at odd scales.
    "liif": {"name": "liif", "hidden": [8, 8]},
    # One neighbour: phases at all integer scales.
    "diinn": {"name": "diinn", "width": 8, "layers": 2},
    "lte-nearest": {"name": "lte", "waves": 4, "hidden": [8], "local_ensemble": False},
    # Maps of one output size.
    "lm-liif": {"name": "lm-liif", "hidden": [8, 8], "latent_hidden": [8], "code": 4},
    "lm-lte-nearest": {
        "name": "lm-lte",
        "hidden": [8, 8],
        "latent_hidden": [8],
        "waves": 4,
        "render_waves": 2,
        "local_ensemble": False,
    },
    # Sub-pixels at integer scales.
    "metasr": {"name": "metasr", "hidden": 8},
    # Something to keep between images.
    "arasfsr": tiny.ARASFSR,
}

LR = (7, 6)
SIZES = {"even": (14, 12), "odd": (21, 18), "fractional": (19, 17)}
every_size = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)


@cache
def model(decoder):
    """Shared: do not change it."""
    return ImplicitSR(tiny.MODEL["encoder"], DECODERS[decoder])


@cache
def renderer(decoder, memory):
    """Shared, so that it is traced once."""
    return ImplicitRenderer(model(decoder), memory)


def rendered(decoder, image, plan):
    """The whole image, not compiled and in one patch."""
    return np.asarray(model(decoder).render(model(decoder).encode(image), plan))


def assembled(renderer, image, plan):
    """(image, number of patches) of patches that cover it exactly once."""
    size = len(plan.rows), len(plan.columns)
    pixels, times, count = np.zeros((len(image), *size, 3), np.float32), np.zeros(size, int), 0
    for rows, columns, colours in renderer.render_image(image, plan):
        assert colours.shape == pixels[:, rows, columns].shape
        pixels[:, rows, columns] = colours
        times[rows, columns] += 1
        count += 1
    assert (times == 1).all()
    return pixels, count


@pytest.fixture
def images(rng):
    return rng.random((2, *LR, 3), dtype=np.float32)


@every_size
@pytest.mark.parametrize(
    "decoder", quick(DECODERS.keys() - {"lm-liif", "lm-lte-nearest", "arasfsr"}, DECODERS)
)
def test_patches_of_a_row_are_the_whole_image(decoder, size, images):
    plan = model(decoder).plan(LR, size)
    image, _ = assembled(renderer(decoder, TINY), images, plan)
    np.testing.assert_allclose(image, rendered(decoder, images, plan), atol=1e-6)


@pytest.mark.parametrize(
    ("decoder", "size", "patches", "patches_of_a_row"),
    [
        ("liif", "even", 1, 14),
        ("liif", "fractional", 1, 19),
        # Three by three phases, of seven rows each.
        ("liif", "odd", 9, 63),
        ("diinn", "even", 4, 28),
        ("diinn", "fractional", 1, 19),
        ("metasr", "odd", 1, 1),
        ("metasr", "fractional", 1, 19),
    ],
)
def test_bands_phases_and_sub_pixels_are_where_they_are_faster(
    decoder, size, patches, patches_of_a_row, images
):
    plan = model(decoder).plan(LR, SIZES[size])
    large, count = assembled(renderer(decoder, AMPLE), images, plan)
    assert count == patches
    small, count = assembled(renderer(decoder, TINY), images, plan)
    assert count == patches_of_a_row
    np.testing.assert_allclose(small, large, atol=1e-6)


@pytest.mark.parametrize("decoder", ["liif", "metasr"])
@pytest.mark.parametrize(
    ("size", "window"),
    [((21, 18), (4, 5, 11, 8)), ((21, 18), (19, 16, 2, 2)), ((14, 18), (3, 2, 7, 9))],
)
def test_patches_of_a_window_are_a_part_of_the_whole(decoder, size, window, images):
    whole = rendered(decoder, images, model(decoder).plan(LR, size))
    top, left, height, width = window
    plan = model(decoder).plan(LR, size, window)
    image, _ = assembled(renderer(decoder, TINY), images, plan)
    expected = whole[:, top : top + height, left : left + width]
    np.testing.assert_allclose(image, expected, atol=1e-6)


def test_images_of_one_row_may_have_any_width(rng):
    renderer = ImplicitRenderer(model("arasfsr"), AMPLE)
    for width in (5, 8, 6):
        image = rng.random((1, 1, width, 3), dtype=np.float32)
        plan = model("arasfsr").plan((1, width), (1, 2 * width + 1))
        pixels, _ = assembled(renderer, image, plan)
        np.testing.assert_allclose(pixels, rendered("arasfsr", image, plan), atol=1e-6)


def test_a_scale_that_is_nearly_whole_is_not():
    plan = model("metasr").plan((1, 1600), (1, 102_401))
    image = np.full((1, 1, 1600, 3), 0.5, np.float32)
    pixels, _ = assembled(renderer("metasr", AMPLE), image, plan)
    assert np.isfinite(pixels).all()


# What is kept between images of a size.


def render(renderer, image, size):
    """An image rendered as `Upscaler` renders it, in one window or more."""
    output = np.zeros((len(image), *size, 3), np.float32)
    for window in make_tiles(image.shape[1:3], size, renderer.input_span, renderer.lr_pixels):
        lr = image[:, slice(*window.lr_rows), slice(*window.lr_columns)]
        target = output[:, slice(*window.rows), slice(*window.columns)]
        for rows, columns, colours in renderer.render(lr, window):
            target[:, rows, columns] = colours
    return output


@cache
def caching_renderer(decoder):
    """Shared, so that it is traced once."""
    return model(decoder).renderer(AMPLE)


def counted(renderer, monkeypatch):
    """The sizes (rows, columns) of all conditions that the renderer computes from now on."""
    sizes, compute = [], renderer._modulation

    def modulation(rows, columns):
        sizes.append((len(rows[0]), len(columns[0])))
        return compute(rows, columns)

    monkeypatch.setattr(renderer, "_modulation", modulation)
    # What other tests kept.
    renderer._cached_for = None
    return sizes


@pytest.mark.slow
@pytest.mark.parametrize("size", [(21, 18), (19, 17)], ids=["phases", "bands"])
@pytest.mark.parametrize("decoder", ["arasfsr", "diinn"])
def test_the_next_image_of_a_size_finds_what_was_kept(decoder, size, images, monkeypatch):
    renderer = caching_renderer(decoder)
    sizes = counted(renderer, monkeypatch)
    render(renderer, images, size)
    assert sum(map(math.prod, sizes)) == math.prod(size)
    sizes.clear()
    image = render(renderer, 1 - images, size)
    assert sizes == []
    expected = rendered(decoder, 1 - images, model(decoder).plan(LR, size))
    np.testing.assert_allclose(image, expected, atol=1e-6)


def test_another_size_forgets_what_was_kept(images, monkeypatch):
    renderer = caching_renderer("arasfsr")
    sizes = counted(renderer, monkeypatch)
    # The same output of another image is another size too.
    for image, size in ((images, (19, 17)), (images, (19, 16)), (images[:, :6], (19, 16))) * 2:
        sizes.clear()
        render(renderer, image, size)
        assert sizes == [size]
        assert cached_bytes(renderer) == renderer._cached_bytes == 64 * math.prod(size)


def test_an_image_in_tiles_keeps_nothing(images):
    renderer = caching_renderer("arasfsr")
    render(renderer, images, (19, 17))
    tiles = make_tiles((70, 70), (76, 76), renderer.input_span, 60**2)
    assert len(tiles) > 1
    for tile in tiles:
        lr = np.zeros((1, *(last - first for _, _, _, (first, last) in tile.axes), 3), np.float32)
        for _ in renderer.render(lr, tile):
            assert not renderer._cached


def cached_bytes(renderer):
    return sum(4 * math.prod(x.shape) for x in keras.tree.flatten(renderer._cached))


@pytest.mark.parametrize("rows", [0, 7, 18])
def test_no_more_is_kept_than_a_quarter_of_the_memory(rows, images, monkeypatch):
    # Each pixel of the output keeps 64 bytes. The row more is short of a byte.
    memory = 4 * (64 * 17 * (rows + 1) - 1)
    small = ImplicitRenderer(model("arasfsr"), memory, cache=True)
    assert small.modulation_bytes == 64
    renderer = caching_renderer("arasfsr")
    # Its functions are traced already.
    for name in ("cache", "_queries"):
        monkeypatch.setattr(renderer, name, getattr(small, name))
    sizes = counted(renderer, monkeypatch)
    for _ in range(2):
        image = render(renderer, images, (19, 17))
    assert cached_bytes(renderer) == renderer._cached_bytes <= memory // 4
    assert cached_bytes(renderer) == 64 * sum(map(math.prod, sizes))
    assert (len(sizes) > 0) == (rows > 0)
    expected = rendered("arasfsr", images, model("arasfsr").plan(LR, (19, 17)))
    np.testing.assert_allclose(image, expected, atol=1e-6)


@pytest.mark.parametrize("cache", [True, False])
def test_kernels_are_cached_for_images_of_the_same_scale(cache, images, monkeypatch):
    renderer = ImplicitRenderer(model("metasr"), AMPLE, cache=cache)
    scales = []

    def counted(decoder, at):
        scales.append(at)
        return make_tail(decoder, at)

    monkeypatch.setattr("tfsr.rendering.implicit_renderer.make_tail", counted)
    for image, size in ((images, (21, 18)), (1 - images, (21, 18)), (images[:, :6], (18, 18))):
        plan = model("metasr").plan(image.shape[1:3], size)
        np.testing.assert_allclose(
            render(renderer, image, size), rendered("metasr", image, plan), atol=1e-6
        )
    assert scales == ([(3, 3)] if cache else [(3, 3)] * 3)
    render(renderer, images, (14, 18))
    assert scales[-1] == (2, 3)


def test_nothing_is_kept_unless_asked_for(images, monkeypatch):
    renderer = ImplicitRenderer(model("arasfsr"), AMPLE)
    sizes = counted(renderer, monkeypatch)
    render(renderer, images, (19, 17))
    assert sizes == [] and not renderer._cached


# Compiled once for images of all sizes.


def traces(renderer):
    """How often each compiled function of a renderer was traced."""
    functions = {
        name: getattr(renderer, name)
        for name in ("_maps", "_padded", "_band", "_sub_pixels", "_modulation")
    }
    functions |= {f"_phase {counts}": phase for counts, phase in renderer._phase.items()}
    return {name: len(f.graphs) for name, f in functions.items()}


def sizes_of(height, width):
    """Outputs for an image: at even, odd and other scales."""
    return [
        (2 * height, 2 * width),
        (3 * height, 3 * width),
        (math.ceil(2.6 * height), math.ceil(2.3 * width)),
        (3 * height, 2 * width),
    ]


def traces_of(renderer, lr_sizes, rng):
    """The traces after images of such sizes, at all scales."""
    for lr_size in lr_sizes:
        image = rng.random((1, *lr_size, 3), dtype=np.float32)
        for size in sizes_of(*lr_size):
            render(renderer, image, size)
    return traces(renderer)


counts_traces = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="TensorFlow counts its traces"
)


@pytest.mark.slow
@counts_traces
@pytest.mark.parametrize("decoder", ["metasr", "arasfsr"])
def test_images_of_new_sizes_are_not_traced_again(decoder, rng):
    renderer = model(decoder).renderer(AMPLE)
    first = traces_of(renderer, [(9, 8), (12, 7), (6, 11)], rng)
    assert max(first.values()) <= 4
    later = [(15, 15), (5, 3), (3, 4), (8, 9)]
    assert traces_of(renderer, later, rng) == first


@counts_traces
def test_windows_of_new_sizes_are_not_traced_again(rng):
    renderer = ImplicitRenderer(model("diinn"), 2**18)
    assert renderer.lr_pixels < 20 * 31
    first = traces_of(renderer, [(31, 22), (20, 31)], rng)
    # Maps and patches vary in both their sides apart, and each may be seen to vary on its own.
    assert max(first.values()) <= 5
    assert traces_of(renderer, [(33, 25)], rng) == first
