import numpy as np
import pytest
import tiny
from PIL import Image

from tfsr import metrics
from tfsr.errors import InvalidArgument
from tfsr.evaluation import Comparison, ZoomInset, load_upscalers
from tfsr.evaluation.zoom_inset import find_detail
from tfsr.images import DecodedImage, resize

GAP, LEAST = 8, 256
RED = (230, 75, 53)


BICUBIC = load_upscalers([])


@pytest.fixture(scope="module")
def pair(upscalers):
    """Bicubic and a preset."""
    return {name: upscalers[name] for name in ("Bicubic", "preset")}


def compared(lr, size, upscalers=BICUBIC, **options):
    return Comparison("face.png", DecodedImage(lr), size, upscalers, **options)


def find(sheet, panel):
    """Where a panel lies in a sheet: (row, column)."""
    height, width = panel.shape[:2]
    for row, column in np.argwhere((sheet == panel[0, 0]).all(axis=-1)):
        if np.array_equal(sheet[row : row + height, column : column + width], panel):
            return int(row), int(column)
    raise AssertionError("the panel is not on the sheet")


def large(image, factor):
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def test_a_sheet_shows_lr_every_output_and_the_original_with_an_inset_of_each(pair):
    original = tiny.image(60, 90)
    lr = resize(original, (20, 30))
    comparison = compared(
        lr, (60, 90), pair, original=DecodedImage(original), insets=[ZoomInset(6, 3, 8, 4)]
    )
    sheet = comparison.render()
    assert sheet.shape[:2] == comparison.figure_size
    bicubic = resize(lr, (60, 90))
    images = [large(lr, 3), bicubic, pair["preset"](lr, (60, 90)), original]
    places = [find(sheet, large(part[9:21, 18:42], 10)) for part in images]
    assert len({row for row, _ in places}) == 1
    assert [column for _, column in places] == [GAP + i * (LEAST + GAP) for i in range(4)]
    # Whole images stand over them, twice as large; the inset's outline lies on each.
    for (_, left), image in zip(places, images, strict=True):
        row, column = find(sheet, large(image[40:], 2))
        assert column == left
        assert (sheet[row - 80 + 17, left + 36 : left + 84] == RED).all()


def test_psnr_is_that_of_8_bit_images(pair):
    original = tiny.image(300, 40)
    lr = resize(original, (75, 10))
    comparison = compared(lr, (300, 40), pair, original=DecodedImage(original))
    comparison.render()
    bicubic, ours = (metrics.psnr(x(lr, (300, 40)), original) for x in pair.values())
    assert comparison.captions == [f"{bicubic:.2f} dB", f"{ours:.2f} dB ({ours - bicubic:+.2f})"]


def test_equal_images_are_called_equal():
    image = tiny.image(20, 20)
    comparison = compared(image, (20, 20), original=DecodedImage(image))
    comparison.render()
    assert comparison.captions == ["equal to the original"]


@pytest.mark.parametrize(
    ("lr_size", "size"),
    [
        ((1, 1), (1, 1)),
        ((1, 1), (4, 4)),
        ((1, 700), (3, 2100)),
        ((700, 1), (2100, 3)),
        ((9, 9), (250, 251)),
        ((40, 30), (20, 15)),
        ((300, 400), (900, 1200)),
    ],
)
def test_nothing_overlaps_at_any_size(lr_size, size):
    lr = tiny.image(*lr_size)
    comparison = compared(lr, size)
    sheet = comparison.render()
    assert sheet.shape[:2] == comparison.figure_size
    assert max(sheet.shape) < 2000
    assert (sheet[:, :6] == 255).all() and (sheet[:, -6:] == 255).all()
    assert (sheet[-2:] == 255).all()


def test_long_names_stay_in_their_column():
    bicubic = BICUBIC["Bicubic"]
    named = {"Bicubic": bicubic, "x" * 300: bicubic, "of\nlines": bicubic}
    sheet = compared(tiny.image(64, 64), (128, 128), named).render()
    # Under the title, over the images; a letter may begin a pixel before its place.
    for gap in range(GAP + LEAST, sheet.shape[1], GAP + LEAST):
        assert (sheet[28:42, gap : gap + GAP - 1] == 255).all()
    odd = Comparison("grüße\n\udce9" + "y" * 400, DecodedImage(tiny.image(9, 9)), (9, 9), BICUBIC)
    assert odd.render().shape[1] == GAP + 2 * (LEAST + GAP)


def test_what_is_transparent_is_laid_on_white():
    clear = np.zeros((16, 16, 4), np.uint8)
    sheet = compared(clear, (32, 32), insets=[]).render()
    top = sheet.shape[0] - 18 - GAP - LEAST
    assert (sheet[top : top + LEAST] == 255).all()


def test_the_square_with_the_most_detail_is_found():
    flat = np.full((120, 200, 3), 90, np.uint8)
    flat[70:90, 150:170] = np.random.default_rng(0).integers(0, 256, (20, 20, 3))
    inset = find_detail(flat, 24)
    assert (inset.width, inset.height) == (24, 24)
    assert inset.x <= 150 and inset.x + 24 >= 170 and inset.y <= 70 and inset.y + 24 >= 90
    assert find_detail(flat[:8, :8], 24) is None
    large_one = np.array(Image.fromarray(flat).resize((1400, 840), Image.Resampling.NEAREST))
    found = find_detail(large_one, 100)
    assert 1030 <= found.x + 50 <= 1210 and 470 <= found.y + 50 <= 650


def test_impossible_comparisons_are_rejected():
    lr = tiny.image(16, 16)
    with pytest.raises(InvalidArgument, match="original has 30x20 pixels, the output 32x32"):
        compared(lr, (32, 32), original=DecodedImage(tiny.image(20, 30)))
    for box in ((0, 0, 17, 4), (16, 0, 1, 1), (0, 0, 0, 4)):
        with pytest.raises(InvalidArgument, match="16x16 pixels"):
            compared(lr, (32, 32), insets=[ZoomInset(*box)])


def test_every_upscaler_must_support_the_size(upscalers):
    lr = tiny.image(16, 16)
    assert compared(lr, (24, 24), upscalers).render().shape[1] == GAP + 4 * (LEAST + GAP)
    with pytest.raises(InvalidArgument, match="fixed: .* it takes 16x16 and returns 24x24"):
        compared(lr, (40, 40), upscalers)
