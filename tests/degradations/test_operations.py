import numpy as np
import pytest

from tfsr.degradations import DEGRADATIONS
from tfsr.degradations.convolution import SHAPES, blur_kernel, sinc
from tfsr.degradations.step import Operation
from tfsr.errors import InvalidArgument


def apply(name, image, seed=0, **parameters):
    return Operation(name, parameters)(image, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(0).integers(0, 256, (40, 36, 3)).astype(np.uint8)


FLAT = np.full((64, 60, 3), 100, np.uint8)
SETTINGS = {
    "blur": {"shape": "generalized", "size": 9, "sigma": (2.0, 0.7), "angle": 0.4, "beta": 0.7},
    "sinc": {"size": 13, "cutoff": 0.5},
    "resize": {"size": (20, 50), "method": "bilinear", "antialias": False},
    "noise": {"sigma": 10.0},
    "poisson": {"scale": 1.0},
    "speckle": {"sigma": 10.0},
    "jpeg": {"quality": 40},
    "webp": {"quality": 40},
    "colour": {"shift": (5.0, 0.0, -5.0)},
    "grey": {},
    "sharpen": {"amount": 0.5, "sigma": 2.0},
}


def test_every_degradation_has_its_settings_here():
    applied = {name for name in DEGRADATIONS.names() if hasattr(DEGRADATIONS.get(name), "apply")}
    assert set(SETTINGS) == applied


@pytest.mark.parametrize("name", SETTINGS)
def test_degradations_are_pure_functions(name, noise):
    before = noise.copy()
    first, again = (apply(name, noise, **SETTINGS[name]) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(noise, before)
    assert first.dtype in (np.uint8, np.float32)
    as_float = apply(name, noise.astype(np.float32), **SETTINGS[name])
    np.testing.assert_allclose(as_float, first, atol=1e-3)


@pytest.mark.parametrize("name", sorted(set(SETTINGS) - {"noise", "poisson", "speckle", "colour"}))
def test_a_flat_image_stays_flat_up_to_its_edges(name):
    found = apply(name, FLAT, **SETTINGS[name]).astype(float)
    np.testing.assert_allclose(found, 100, atol=3 if name in ("jpeg", "webp") else 0.01)


# The tails of a plateau are longer than any kernel, and truncated.
@pytest.mark.parametrize("shape", sorted({*SHAPES} - {"plateau"}))
def test_kernels_have_their_sigma_and_angle(shape):
    kernel = blur_kernel(shape, 25, (3.0, 1.0), np.pi / 6, 1.0)
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    y, x = np.mgrid[-12:13, -12:13]
    covariance = np.array([[np.sum(kernel * a * b) for a in (x, y)] for b in (x, y)])
    values, axes = np.linalg.eigh(covariance)
    angle = np.arctan2(axes[1, 1], axes[0, 1]) % np.pi
    assert angle == pytest.approx(np.pi / 6, abs=0.02)
    if shape == "gaussian":
        np.testing.assert_allclose(np.sqrt(values), [1, 3], rtol=0.02)


@pytest.mark.parametrize("sigma", [1.2, 5.0])
def test_isotropic_blur_is_a_gaussian(sigma):
    # Two passes, and the Fourier transform.
    image = np.zeros((61, 61, 3), np.float32)
    image[30, 30] = 255
    parameters = {"shape": "gaussian", "size": 41 if sigma > 2 else 9, "sigma": (sigma, sigma)}
    result = Operation("blur", parameters)(image, np.random.default_rng(0))
    row, column = np.mgrid[-30:31, -30:31]
    radius = parameters["size"] // 2
    expected = np.exp(-(row**2 + column**2) / (2 * sigma**2))
    expected *= (np.abs(row) <= radius) & (np.abs(column) <= radius)
    expected *= 255 / expected.sum()
    np.testing.assert_allclose(result, np.repeat(expected[..., None], 3, 2), atol=1e-4)


def test_a_sinc_keeps_what_is_below_its_cutoff():
    kernel = sinc(21, 0.5)
    spectrum = np.abs(np.fft.fft2(np.pad(kernel, 54)))
    radius = np.hypot(*np.meshgrid(*[np.fft.fftfreq(len(spectrum)) * 2] * 2))
    assert spectrum[radius < 0.35].min() > 0.8
    assert spectrum[(radius > 0.65) & (radius < 1)].max() < 0.2


@pytest.mark.parametrize("grey", [False, True])
def test_noise_has_the_deviation_asked_for(grey):
    image = np.full((200, 200, 3), 120, np.uint8)
    gaussian = apply("noise", image, sigma=9.0, grey=grey) - 120
    speckle = apply("speckle", image, sigma=9.0, grey=grey) - 120
    poisson = apply("poisson", image, scale=1.0, photons=255.0, grey=grey) - 120
    for noise, deviation in ((gaussian, 9), (speckle, 9 * 120 / 255), (poisson, np.sqrt(120))):
        assert noise.std() == pytest.approx(deviation, rel=0.03)
        assert abs(noise.mean()) < 0.2
        assert np.array_equal(noise[..., 0], noise[..., 1]) == grey


def test_few_photons_are_counted_in_whole_ones():
    image = np.full((100, 100, 3), 51, np.uint8)
    counts = apply("poisson", image, scale=1.0, photons=20.0) / (255 / 20)
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-4)
    assert counts.mean() == pytest.approx(4, abs=0.1)
    assert counts.var() == pytest.approx(4, abs=0.2)


def test_lower_quality_is_further_away(noise):
    for name in ("jpeg", "webp"):
        errors = [
            np.abs(apply(name, noise, quality=q) - noise.astype(float)).mean() for q in (95, 65, 10)
        ]
        assert errors == sorted(errors)
    full = apply("jpeg", noise, quality=95, subsampling="4:4:4")
    assert np.abs(full - noise.astype(float)).mean() < 5


@pytest.mark.parametrize("method", ["area", "bilinear", "bicubic", "nearest"])
@pytest.mark.parametrize("antialias", [True, False])
def test_a_ramp_stays_where_it_is(method, antialias):
    """Half an LR pixel's shift of this ramp is 5 levels."""
    ramp = np.broadcast_to(np.arange(60)[:, None, None] * 3.0 + 20, (60, 60, 3)).astype(np.float32)
    settings = {"method": method, "antialias": antialias}
    small = apply("resize", ramp, size=(18, 18), **settings)
    expected = ((np.arange(18) + 0.5) * 60 / 18 - 0.5) * 3 + 20
    np.testing.assert_allclose(
        small[2:-2, 5, 0], expected[2:-2], atol=5.1 if method == "nearest" else 1
    )
    box = (10.0, 0.0, 50.0, 60.0)
    part = apply("resize", ramp, size=(12, 18), box=box, **settings)
    np.testing.assert_allclose(part, small[3:15], atol=5.1 if method == "nearest" else 1)


def test_a_small_difference_is_not_sharpened():
    image = FLAT.copy()
    image[30, 30] += 8
    found = apply("sharpen", image, amount=0.5, sigma=8.0, threshold=10.0)
    np.testing.assert_allclose(found, image, atol=1e-3)
    image[30, 30] = 250
    assert apply("sharpen", image, amount=0.5, sigma=8.0, threshold=10.0)[30, 30].max() > 250


def test_what_no_jpeg_can_hold_is_refused():
    with pytest.raises(InvalidArgument, match="size must not exceed 65500"):
        apply("jpeg", np.zeros((1, 65501, 3), np.uint8), quality=65)
