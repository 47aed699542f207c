import json
import math
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from tfsr.errors import InvalidArgument
from tfsr.metrics import PROTOCOLS, PSNR, psnr, ssim

GOLDENS = Path(__file__).parent / "goldens"
PUBLISHED = json.loads((GOLDENS / "metrics.json").read_text())


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDENS / "data_metrics.npz") as arrays:
        return dict(arrays)


def pair(seed=0, size=(20, 24)):
    rng = np.random.default_rng(seed)
    hr = rng.random((*size, 3))
    return np.clip(hr + rng.normal(0, 0.1, hr.shape), 0, 1), hr


@pytest.mark.parametrize(
    ("key", "protocol", "scale"),
    [("psnr_none", "rgb", None)]
    + [(f"psnr_benchmark_{s}", "benchmark-y", s) for s in (2, 3, 4, 6)]
    + [(f"psnr_div2k_{s}", "div2k", s) for s in (2, 3, 4, 6)]
    + [("arasfsr_psnr_y_u8trunc", "arasfsr-y", None)],
)
def test_psnr_equals_the_authors(golden, key, protocol, scale):
    measured = psnr(golden["sr"], golden["hr"], protocol, scale)
    assert measured == pytest.approx(PUBLISHED[key], abs=1e-5)


@pytest.mark.parametrize("truth", ["hr", "hr_u8"])
@pytest.mark.parametrize("image", ["sr", "sr_u8_trunc"])
def test_arasfsr_metrics_of_floats_are_those_of_the_saved_png(golden, image, truth):
    sr, hr = golden[image], golden[truth]
    assert psnr(sr, hr, "arasfsr-y") == pytest.approx(
        PUBLISHED["arasfsr_psnr_y_u8trunc"], abs=1e-10
    )
    assert ssim(sr, hr) == pytest.approx(PUBLISHED["arasfsr_ssim_y_skimage_default"], abs=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_8_bit_level_survives_the_truncation_of_floats(dtype):
    levels = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=-1)
    assert psnr(levels.astype(dtype) / dtype(255), levels, "arasfsr-y") == math.inf


def test_psnr_takes_both_kinds_of_pixels(golden):
    as_float = psnr(golden["sr_u8_trunc"] / 255, golden["hr"])
    assert psnr(golden["sr_u8_trunc"], golden["hr_u8"]) == pytest.approx(as_float, abs=1e-5)


def test_psnr_of_equal_images_is_infinite():
    assert psnr(pair()[1], pair()[1]) == math.inf


def test_psnr_clips_what_a_model_overshoots():
    sr, hr = pair()
    overshooting = np.where(sr == 1, 1.7, np.where(sr == 0, -0.3, sr))
    assert (overshooting != sr).any()
    assert psnr(overshooting, hr) == psnr(sr, hr)


@pytest.mark.parametrize(("protocol", "border"), [("div2k", 9), ("benchmark-y", 3)])
def test_the_border_is_exactly_as_wide_as_the_protocol_says(protocol, border):
    sr, hr = pair(size=(30, 40))
    inside = psnr(sr, hr, protocol, 3)
    sr[: border - 1], sr[:, 1 - border :] = 0, 1
    assert psnr(sr, hr, protocol, 3) == inside
    sr[-border - 1] = 1
    assert psnr(sr, hr, protocol, 3) != inside


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.integers(7, 30), st.integers(7, 30), st.integers(0, 2**32 - 1), st.sampled_from([1, 30, 255])
)
def test_ssim_equals_scikit_image(height, width, seed, spread):
    rng = np.random.default_rng(seed)
    hr = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    noise = rng.integers(-spread, spread + 1, hr.shape)
    sr = np.clip(hr + noise, 0, 255).astype(np.uint8)
    expected = structural_similarity(sr / 255, hr / 255, data_range=1, channel_axis=-1)
    assert ssim(sr, hr, "rgb") == pytest.approx(expected, abs=1e-9)
    weights = np.array([65.481, 128.553, 24.966]) / 255
    luma_sr, luma_hr = ((16 + image @ weights).astype(np.uint8) for image in (sr, hr))
    assert ssim(sr, hr) == pytest.approx(structural_similarity(luma_sr, luma_hr), abs=1e-9)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(15, 30), st.integers(15, 30), st.integers(0, 2**32 - 1))
def test_ssim_of_luminance_has_the_window_of_wang_et_al(height, width, seed):
    sr, hr = pair(seed, (height, width))
    weights = np.array([65.481, 128.553, 24.966])
    luma_sr, luma_hr = (16 + image @ weights for image in (sr, hr))
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    whole = structural_similarity(luma_sr, luma_hr, data_range=255, **gaussian)
    assert ssim(sr, hr, "y") == pytest.approx(whole, abs=1e-9)
    inner = (luma_sr[2:-2, 2:-2], luma_hr[2:-2, 2:-2])
    shaved = structural_similarity(*inner, data_range=255, **gaussian)
    # LIIF's weights of luminance agree with these to five digits.
    assert ssim(sr, hr, "benchmark-y", 2) == pytest.approx(shaved, abs=1e-5)


def test_psnr_of_luminance_is_on_its_nominal_range():
    sr, hr = pair()
    difference = (sr - hr) @ np.array([65.481, 128.553, 24.966])
    expected = 10 * np.log10(255**2 / np.mean(difference**2))
    assert psnr(sr, hr, "y") == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("protocol", ["rgb", "y", "benchmark-y", "arasfsr-y"])
def test_ssim_of_equal_images_is_one(protocol):
    assert ssim(pair()[1], pair()[1], protocol, 2) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("sr", "hr", "arguments", "message"),
    [
        (*pair(), {"protocol": "div2K"}, "protocol must be one of .* Did you mean 'div2k'"),
        (
            *pair(),
            {"protocol": "div2k"},
            "scale must be an integer of at least 1 for protocol 'div2k'",
        ),
        (*pair(), {"protocol": "benchmark-y", "scale": 1.5}, "scale must be an integer"),
        (
            *pair(),
            {"protocol": "div2k", "scale": 4},
            "needs images of at least 21x21 pixels; received shape",
        ),
        (pair()[0], pair()[1][1:], {}, "sr and hr must have the same shape"),
        (pair()[0][..., 0], pair()[1], {}, r"sr must be an array of shape \(H, W, 3\)"),
        (pair()[0], None, {}, "hr must be an array .* received NoneType"),
        (pair()[0], pair()[1].astype(int), {}, "hr must be uint8, or floating point"),
        (pair()[0] * np.nan, pair()[1], {}, "sr must be finite"),
        (pair()[0], pair()[1] * 255, {}, r"hr must be in \[0, 1\]"),
    ],
)
def test_psnr_refuses_what_it_cannot_measure(sr, hr, arguments, message):
    with pytest.raises(InvalidArgument, match=message) as caught:
        psnr(sr, hr, **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("size", "protocol", "message"),
    [
        ((20, 6), "rgb", "at least 7x7"),
        ((20, 10), "y", "at least 11x11"),
        ((20, 20), "div2k", "one of rgb, y, benchmark-y, arasfsr-y;"),
        ((20, 20), "benchmark-y", "scale must be an integer"),
    ],
)
def test_ssim_refuses_what_it_cannot_measure(size, protocol, message):
    with pytest.raises(InvalidArgument, match=message):
        ssim(*pair(size=size), protocol)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_protocols_agree_that_less_noise_is_better(protocol):
    sr, hr = pair(size=(40, 40))
    better = (sr + hr) / 2
    assert psnr(better, hr, protocol, 2) > psnr(sr, hr, protocol, 2)


def test_psnr_metric_is_the_mean_over_samples():
    rng = np.random.default_rng(0)
    target = rng.random((3, 50, 3), dtype=np.float32)
    noise = rng.normal(0, 1, target.shape) * np.array([0.01, 0.1, 1.0])[:, None, None]
    prediction = (target + noise).astype(np.float32)
    each = -10 * np.log10(np.mean((prediction - target) ** 2, axis=(1, 2)))
    metric = PSNR()
    metric.update_state(target[:2], prediction[:2])
    metric.update_state(target[2:], prediction[2:])
    assert float(metric.result()) == pytest.approx(each.mean(), rel=1e-5)


def test_psnr_metric_equals_the_rgb_protocol_on_images():
    sr, hr = pair()
    metric = PSNR()
    metric.update_state(hr[None], sr[None])
    assert float(metric.result()) == pytest.approx(psnr(sr, hr), abs=1e-4)


def test_psnr_metric_stays_finite_for_a_perfect_sample():
    metric = PSNR()
    metric.update_state(np.ones((1, 4, 3)), np.ones((1, 4, 3)))
    assert float(metric.result()) == pytest.approx(100, abs=1e-3)


def test_psnr_metric_survives_serialisation():
    metric = PSNR(name="quality")
    restored = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert isinstance(restored, PSNR)
    assert restored.get_config() == metric.get_config()


def test_psnr_metric_works_in_fit_under_mixed_precision():
    policy = keras.dtype_policies.DTypePolicy("mixed_bfloat16")
    model = keras.Sequential([keras.layers.Input((8, 3)), keras.layers.Dense(3, dtype=policy)])
    model.compile(optimizer="sgd", loss="mse", metrics=[PSNR()])
    batch = np.random.default_rng(0).random((4, 8, 3), dtype=np.float32)
    stopping = keras.callbacks.EarlyStopping("psnr", patience=0)
    history = model.fit(batch, batch, epochs=3, verbose=0, callbacks=[stopping]).history["psnr"]
    # It rises every epoch: a callback that took it for a loss would have stopped at the second.
    assert len(history) == 3
    assert history == sorted(history)
