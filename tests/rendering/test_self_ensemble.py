import math

import numpy as np
import pytest
import tiny
from checks import check_close

from tfsr import ImplicitSR
from tfsr.geometry import make_tiles
from tfsr.images import to_float
from tfsr.inference import ModelUpscaler
from tfsr.models import Bicubic, SubPixelSR
from tfsr.rendering import SelfEnsembleRenderer

LR, SIZE = (24, 28), (61, 53)
ENCODER = tiny.MODEL["encoder"]
UPRIGHT = ImplicitSR.from_config(tiny.MODEL)
ANY_WAY_ROUND = {
    # Its lookup decides ties by a side.
    "lte-nearest": ImplicitSR(
        ENCODER, {"name": "lte", "waves": 4, "hidden": [8], "local_ensemble": False}
    ),
    "arasfsr": ImplicitSR(ENCODER, {**tiny.ARASFSR, "global_coordinates": False}),
    "sub-pixel": SubPixelSR(ENCODER, 2),
}


def turns(image):
    """Each of the eight flips and turns of (H, W, 3), with what takes it back."""
    for times in range(4):
        yield np.rot90(image, times), lambda x, k=times: np.rot90(x, -k)
        yield np.rot90(image, times)[:, ::-1], lambda x, k=times: np.rot90(x[:, ::-1], -k)


@pytest.mark.parametrize("name", ANY_WAY_ROUND)
def test_the_output_is_the_mean_over_eight_flips_and_turns(name):
    model, image = ANY_WAY_ROUND[name], tiny.image(*LR)
    outputs = []
    for turned, back in turns(to_float(image)):
        size = SIZE if turned.shape[:2] == LR else SIZE[::-1]
        outputs.append(back(model.upscale(np.ascontiguousarray(turned)[None], size)[0]))
    found = ModelUpscaler(model, self_ensemble=True).raw_output(image, SIZE)
    np.testing.assert_allclose(found, np.mean(outputs, axis=0), atol=1e-6)


def test_a_model_that_knows_what_is_up_sees_the_mirror_image_alone():
    image = to_float(tiny.image(*LR))[None]
    there, back = (UPRIGHT.upscale(x, SIZE) for x in (image, image[:, :, ::-1]))
    found = ModelUpscaler(UPRIGHT, self_ensemble=True).raw_output(tiny.image(*LR), SIZE)
    check_close(found, (there + back[:, :, ::-1])[0] / 2, 1e-5)
    assert np.abs(there - back[:, :, ::-1]).max() > 1e-3


@pytest.mark.parametrize("model", [UPRIGHT, ANY_WAY_ROUND["lte-nearest"]], ids=["two", "eight"])
def test_tiles_are_the_whole_image(model):
    upscaler = ModelUpscaler(model, self_ensemble=True)
    whole = upscaler(tiny.image(*LR), SIZE)
    upscaler.renderer.lr_pixels = 600
    assert math.prod(LR) > 600
    check_close(upscaler(tiny.image(*LR), SIZE), whole, 1e-5)


def test_sums_that_do_not_fit_are_made_in_bands():
    lr, size, memory = to_float(tiny.image(8, 8))[None], (150, 160), 2**21
    small = SelfEnsembleRenderer(Bicubic(), memory)
    (window,) = make_tiles((8, 8), size, small.input_span, small.lr_pixels)
    pieces = list(small.render(lr, window))
    assert len(pieces) > 1
    # In the quarter that is for sums, a piece is copied three times while it is rounded.
    assert max(colours.nbytes for _, _, colours in pieces) <= memory / 4 / 4
    found = np.concatenate([colours for _, _, colours in pieces], axis=1)
    ((_, _, expected),) = SelfEnsembleRenderer(Bicubic(), 2**26).render(lr, window)
    check_close(found, expected, 1e-5)
