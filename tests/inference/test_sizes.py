import math

import numpy as np
import pytest
from checks import check_refused
from hypothesis import given
from hypothesis import strategies as st

from tfsr.inference.target_size import MAX_OUTPUT_PIXELS, TargetSize


@pytest.mark.parametrize("size", [(10, 0), (0, 10), (0, 0)])
def test_a_size_of_nothing_is_refused(size):
    check_refused(lambda: TargetSize(size=size), "size must", "1x1", f"{size[1]}x{size[0]}")


@pytest.mark.parametrize(
    "asked",
    [
        {"scale": "27"},
        {"scale": (2, 3, 4)},
        {"scale": ("2", 3)},
        {"scale": (2, math.nan)},
        {"scale": ()},
        {"scale": 1j},
        {"long_side": 2.5},
        {"long_side": "9"},
        {"short_side": math.inf},
        {"megapixels": "1"},
        {"size": (9, 9), "fit": 5},
    ],
    ids=str,
)
def test_other_types_are_refused(asked):
    check_refused(lambda: TargetSize(**asked), f"{list(asked)[-1]} must")


def test_numbers_of_numpy_are_numbers():
    assert TargetSize(scale=np.float32(2.5)).output_size((10, 20)) == (25, 50)
    assert TargetSize(scale=[np.float64(2), np.int8(3)]).output_size((10, 20)) == (20, 60)
    assert TargetSize(long_side=np.int64(100)).output_size((50, 25)) == (100, 50)


@pytest.mark.parametrize(
    "target, lr_size, size",
    [
        (TargetSize(scale=2), (10, 20), (20, 40)),
        (TargetSize(scale=3.7), (16, 24), (59, 89)),
        (TargetSize(scale=0.5), (9, 3), (5, 2)),
        (TargetSize(scale=1e-9), (9, 3), (1, 1)),
        (TargetSize(size=(173, 237)), (9, 3), (173, 237)),
        (TargetSize(long_side=100), (50, 25), (100, 50)),
        (TargetSize(long_side=100), (25, 50), (50, 100)),
        (TargetSize(long_side=100), (3, 1000), (1, 100)),
        (TargetSize(long_side=7), (46, 46), (7, 7)),
        (TargetSize(scale=(3.0, 2.0)), (10, 20), (30, 40)),
        (TargetSize(scale=(0.1, 2.5)), (3, 3), (1, 8)),
        (TargetSize(short_side=100), (50, 25), (200, 100)),
        (TargetSize(short_side=1), (1000, 3), (333, 1)),
        (TargetSize(megapixels=1), (10, 10), (1000, 1000)),
        (TargetSize(megapixels=2), (20, 40), (1000, 2000)),
        (TargetSize(size=(90, 160), fit="cover"), (9, 9), (90, 160)),
        (TargetSize(size=(90, 160), fit="contain"), (9, 9), (90, 160)),
    ],
)
def test_sizes_of_outputs(target, lr_size, size):
    assert target.output_size(lr_size) == size


@given(st.integers(1, 20000), st.tuples(st.integers(1, 4000), st.integers(1, 4000)))
def test_the_long_side_is_met_exactly(long_side, lr_size):
    height, width = TargetSize(long_side=long_side).output_size(lr_size)
    assert max(height, width) == long_side
    assert (height >= width) == (lr_size[0] >= lr_size[1]) or height == width


@given(st.integers(1, 5000), st.tuples(st.integers(1, 4000), st.integers(1, 4000)))
def test_the_short_side_is_met_exactly(short_side, lr_size):
    height, width = TargetSize(short_side=short_side).output_size(lr_size, 10**12)
    assert min(height, width) == short_side


@given(st.floats(0.01, 300), st.tuples(st.integers(1, 4000), st.integers(1, 4000)))
def test_the_area_is_as_near_as_whole_pixels_allow(megapixels, lr_size):
    height, width = TargetSize(megapixels=megapixels).output_size(lr_size, 10**12)
    wanted = megapixels * 1e6
    assert abs(height * width - wanted) <= 0.51 * (height + width) + 1 or min(height, width) == 1


sides = st.tuples(st.integers(1, 3000), st.integers(1, 3000))


@given(sides, sides)
def test_covering_and_containing_touch_on_one_side(size, lr_size):
    for fit, holds in (("cover", np.greater_equal), ("contain", np.less_equal)):
        target = TargetSize(size=size, fit=fit)
        assert target.output_size(lr_size) == size
        rendered = target.rendered_size(lr_size, 10**12)
        assert holds(rendered, size).all()
        assert rendered[0] == size[0] or rendered[1] == size[1]


def test_what_is_rendered_is_limited_too():
    target = TargetSize(size=(10, 10), fit="cover")
    assert target.output_size((1, 5000), 500) == (10, 10)
    check_refused(lambda: target.rendered_size((1, 5000), 500), "50000x10", "megapixels")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"scale": (2.0, 0.0)}, ("scale must", "above 0")),
        ({"short_side": 0}, ("short_side must",)),
        ({"megapixels": 0.0}, ("megapixels must",)),
        ({"megapixels": math.inf}, ("megapixels must",)),
        ({"size": (9, 9), "fit": "crop"}, ("fit must", "stretch, cover, contain")),
        ({"scale": 2.0, "fit": "cover"}, ("fit cover", "size")),
    ],
)
def test_other_impossible_targets_are_refused(arguments, words):
    check_refused(lambda: TargetSize(**arguments), *words)


@pytest.mark.parametrize(
    "arguments",
    [{}, {"scale": 2, "long_side": 10}, {"scale": 2, "size": (1, 1)}]
    + [{"scale": 2, "size": (1, 1), "long_side": 10}],
)
def test_exactly_one_is_to_be_given(arguments):
    check_refused(lambda: TargetSize(**arguments), "scale, size, long_side")


@pytest.mark.parametrize("scale", [0, -1, -0.0, math.nan, math.inf, -math.inf])
def test_impossible_scales_are_refused(scale):
    check_refused(lambda: TargetSize(scale=scale), "scale must", "above 0", str(scale))


@pytest.mark.parametrize("long_side", [0, -5])
def test_impossible_long_sides_are_refused(long_side):
    check_refused(lambda: TargetSize(long_side=long_side), "long_side must", str(long_side))


@pytest.mark.parametrize(
    "target",
    [
        TargetSize(scale=1e9),
        TargetSize(scale=1e200),
        TargetSize(scale=1.7e308),
        TargetSize(long_side=10**9),
        TargetSize(long_side=10**400),
        TargetSize(size=(20001, 20000)),
        TargetSize(size=(999_999_999, 999_999_999)),
    ],
    ids=["1e9", "1e200", "1e308", "side", "huge-side", "just", "digits"],
)
def test_outputs_beyond_memory_are_refused(target):
    check_refused(lambda: target.output_size((100, 80)), "megapixels", "400")


def test_the_limit_itself_is_allowed():
    assert MAX_OUTPUT_PIXELS == 20000 * 20000
    assert TargetSize(size=(20000, 20000)).output_size((10, 10)) == (20000, 20000)
