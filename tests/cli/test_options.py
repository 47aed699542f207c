import pytest
from checks import check_refused

from tfsr.cli.parsing import parse_box, parse_eyes, parse_scale, parse_scales, parse_size
from tfsr.errors import InvalidArgument
from tfsr.inference.memory_amount import parse_memory


@pytest.mark.parametrize("text", ["237x173", "237X173", " 237x173 ", "0237x173"])
def test_sizes_are_written_width_first(text):
    assert parse_size(text) == (173, 237)


@pytest.mark.parametrize(
    "text",
    ["", "x", "237", "237x", "x173", "237x173x3", "-237x173", "237x-173", "2.5x3", "1e3x10"]
    + ["237 x 173", "237*173", "nanxnan", "infx1", "0x1F", "²x3", "1_000x3", "9999999999x1"],
)
def test_other_texts_are_no_sizes(text):
    check_refused(lambda: parse_size(text), "size must", "WIDTHxHEIGHT", repr(text))


@pytest.mark.parametrize(
    ("text", "factors"),
    [("2.7", (2.7, 2.7)), ("2x3", (3.0, 2.0)), (" 1.5X2 ", (2.0, 1.5)), ("1e1", (10.0, 10.0))],
)
def test_scales_are_written_width_first(text, factors):
    assert parse_scale(text) == factors


@pytest.mark.parametrize("text", ["", "x", "2x", "x3", "2x3x4", "two", "1_0", "2,5", "2 by 3"])
def test_other_texts_are_no_scales(text):
    check_refused(lambda: parse_scale(text), "scale must", "2x3", repr(text))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("100B", 100),
        ("64KiB", 64 * 2**10),
        ("512MiB", 512 * 2**20),
        ("1.5GiB", 3 * 2**29),
        ("0.5KiB", 512),
        (" 2 GiB ", 2**31),
        ("007MiB", 7 * 2**20),
        ("1000000GiB", 10**6 * 2**30),
    ],
)
def test_memory_is_written_with_its_unit(text, count):
    assert parse_memory(text) == count


@pytest.mark.parametrize(
    "text",
    ["", "MiB", "512", "512MB", "512M", "512mib", "512 Mi B", "0MiB", "0.0GiB", "-1GiB", "+1GiB"]
    + ["1e3MiB", ".5GiB", "1.GiB", "1,5GiB", "nanGiB", "infGiB", "0x10MiB", "²GiB", "1_000MiB"]
    + ["1TiB", "512MiB 512MiB", "512MiBs"],
)
def test_other_texts_are_no_memory(text):
    check_refused(lambda: parse_memory(text), "memory must", "512MiB", repr(text))


def test_a_memory_of_hundreds_of_digits_is_no_accident():
    text = "9" * 400 + "GiB"
    try:
        assert parse_memory(text) > 2**60
    except InvalidArgument as error:
        assert "memory must" in str(error)


@pytest.mark.parametrize(
    ("text", "scales"), [("2", [2.0]), ("2,3.7", [2.0, 3.7]), ("4, 1e1", [4.0, 10.0])]
)
def test_several_scales_have_commas_between_them(text, scales):
    assert parse_scales(text) == scales


@pytest.mark.parametrize("text", ["", ",", "2,", "two", "2;3", "0", "2,-1", "nan", "inf,2", "2x3"])
def test_other_texts_are_no_scales_with_commas(text):
    check_refused(lambda: parse_scales(text), "scales must", "2,3.7", repr(text))


@pytest.mark.parametrize("text", ["10,20,300,400", " 10, 20, 300, 400 ", "010,20,300,400"])
def test_boxes_are_written_x_first(text):
    assert parse_box(text) == (20, 10, 400, 300)


@pytest.mark.parametrize(
    "text",
    ["", "10,20,300", "10,20,300,400,5", "-1,20,300,400", "1.5,2,3,4", "1 0,2,3,4", "a,b,c,d"],
)
def test_other_texts_are_no_boxes(text):
    check_refused(lambda: parse_box(text), "box must", "X,Y,WIDTH,HEIGHT", repr(text))


@pytest.mark.parametrize("text", ["75.5,121,139.5,118", " 75.5, 121, 139.5, 118"])
def test_eyes_are_written_x_first(text):
    assert parse_eyes(text) == ((121, 75.5), (118, 139.5))


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "1,2,3,4,5", "1,2,3,x", "nan,2,3,4", "1,2,3,inf", "1_0,2,3,4", "1;2;3;4"]
)
def test_other_texts_are_no_eyes(text):
    check_refused(lambda: parse_eyes(text), "eyes must", "X1,Y1,X2,Y2", repr(text))
