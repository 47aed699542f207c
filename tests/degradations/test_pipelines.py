import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny
from PIL import Image

from tfsr.degradations import DEGRADATIONS, PIPELINES, Operation, get_pipeline
from tfsr.errors import InvalidArgument
from tfsr.images import resize

ROOT = Path(__file__).parents[2]
PINNED = Path(__file__).parent / "pinned.json"


@pytest.fixture(scope="module")
def original():
    with np.load(ROOT / "tests" / "goldens" / "data_metrics.npz") as arrays:
        return arrays["hr_u8"]


def degraded(spec, image, size, seed=0):
    pipeline, rng = get_pipeline(spec), np.random.default_rng(seed)
    return pipeline.degrade(pipeline.prepare(image, rng), size, rng)


@pytest.mark.parametrize("name", ["clean", "bicubic"])
def test_clean_is_the_bicubic_resize(name, original):
    np.testing.assert_array_equal(
        degraded(name, original, (13, 17)), resize(original, (13, 17), "bicubic")
    )


def test_nn65_is_what_the_authors_script_saves(original, tmp_path):
    saved = tmp_path / "lr.jpg"
    nearest = Image.fromarray(original).resize((16, 20), Image.Resampling.NEAREST)
    nearest.save(saved, quality=65)
    with Image.open(saved) as image:
        expected = np.asarray(image)
    np.testing.assert_array_equal(degraded("nn65", original, (20, 16)), expected)


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_is_a_function_of_the_generator(name, original):
    before, pipeline = original.copy(), get_pipeline(name)
    lr = degraded(name, original, (11, 7), seed=[1, 2])
    assert (lr.shape, lr.dtype) == ((11, 7, 3), np.uint8)
    np.testing.assert_array_equal(original, before)
    np.testing.assert_array_equal(degraded(name, original, (11, 7), seed=[1, 2]), lr)
    # Some samples of a pipeline are clean.
    others = [degraded(name, original, (11, 7), seed=i) for i in range(9)]
    assert all(np.array_equal(x, lr) for x in others) == pipeline.deterministic


def test_only_the_papers_downscaling_is_deterministic():
    found = [name for name in PIPELINES if get_pipeline(name).deterministic]
    assert found == ["clean", "nn65"]
    rng = np.random.default_rng(0)
    get_pipeline("nn65").degrade(tiny.image(), (9, 9), rng)
    get_pipeline("bsrgan").prepare(tiny.image(), rng)
    assert rng.random() == np.random.default_rng(0).random()


def drawn(name):
    operations = [
        get_pipeline(name).draw((384, 384), (48, 48), np.random.default_rng([7, i]))
        for i in range(4)
    ]
    return [[[x.name, json.loads(json.dumps(x.parameters))] for x in row] for row in operations]


def means(name):
    """8x8 means of an LR image: what versions of codecs and FFTs cannot move by a level."""
    lr = degraded(name, tiny.image(96, 96, seed=3), (24, 24), seed=[7, 0])
    return lr.reshape(3, 8, 3, 8, 3).mean(axis=(1, 3)).tolist()


@pytest.mark.parametrize("name", PIPELINES)
def test_what_is_drawn_does_not_change(name):
    pinned = json.loads(PINNED.read_text())[name]
    rows = drawn(name)
    assert [[x for x, _ in row] for row in rows] == [[x for x, _ in row] for row in pinned["drawn"]]
    for row, expected in zip(rows, pinned["drawn"], strict=True):
        for (_, found), (_, parameters) in zip(row, expected, strict=True):
            assert found.keys() == parameters.keys()
            for key, value in parameters.items():
                if isinstance(value, str):
                    assert found[key] == value
                else:
                    np.testing.assert_allclose(found[key], value, rtol=1e-9)
    np.testing.assert_allclose(means(name), pinned["means"], atol=1)


@pytest.mark.parametrize("name", PIPELINES)
def test_plain_data_makes_the_same_pipeline(name):
    pipeline = get_pipeline(name)
    assert get_pipeline(pipeline.spec) == pipeline
    again = get_pipeline(json.loads(json.dumps(pipeline.data)))
    assert (again.steps, again.before, again.clean) == (
        *(pipeline.steps, pipeline.before),
        pipeline.clean,
    )


def test_a_pipeline_is_restated_by_other_ranges():
    spec = {"name": "faces", "noise": [0, 5], "jpeg": {"quality": [60, 70]}, "clean": 0.5}
    pipeline = get_pipeline(spec)
    assert pipeline.spec == spec
    assert get_pipeline(pipeline.spec) == pipeline
    operations, clean = [], 0
    for i in range(300):
        row = pipeline.draw((96, 96), (24, 24), np.random.default_rng(i))
        operations += row
        clean += len(row) == 1
    assert 110 < clean < 190
    qualities = [x.parameters["quality"] for x in operations if x.name == "jpeg"]
    assert (min(qualities), max(qualities)) == (60, 70)
    assert 4 < max(x.parameters["sigma"] for x in operations if x.name == "noise") <= 5
    # What is not restated stays.
    assert min(x.parameters["quality"] for x in operations if x.name == "webp") < 60
    assert {x.parameters["subsampling"] for x in operations if x.name == "jpeg"} == {
        *("4:2:0", "4:4:4")
    }


def test_a_recipe_can_list_steps_of_its_own(original):
    steps = [{"blur": [0.5, 1]}, "to_lr", {"noise": 3}, {"jpeg": [60, 90]}]
    pipeline = get_pipeline(steps)
    assert (pipeline.name, pipeline.spec) == ("custom", {"steps": steps})
    row = pipeline.draw((40, 30), (20, 15), np.random.default_rng(0))
    assert [x.name for x in row] == ["blur", "resize", "noise", "jpeg"]
    # A pipeline that does not reach the LR size ends with it.
    assert degraded([{"resize": [0.7, 0.9]}], original, (9, 8)).shape == (9, 8, 3)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("bicubik", "Did you mean 'bicubic'"),
        ("nn56", "Did you mean 'nn65'"),
        ("x", "one of clean, nn65"),
        (5, "must be a name, a mapping or a list of steps"),
        ({"clean": 0.5}, "needs a name or steps"),
        ({"name": "face"}, "Did you mean 'faces'"),
        ({"name": ["faces"]}, "degradation.name must be a name"),
        ({"name": "faces", "nois": 3}, "Did you mean 'noise'"),
        ({"name": "faces", "noise": {"sigm": 3}}, "Did you mean 'sigma'"),
        ({"name": "faces", "noise": [5, 1]}, "degradation.noise.sigma must be [min, max]"),
        ({"name": "faces", "noise": [-1, 1]}, "noise.sigma must be a number between 0 and 255"),
        ({"name": "faces", "noise": [1, 2, 3]}, "degradation.noise.sigma"),
        ({"name": "faces", "noise": "much"}, "received 'much'"),
        ({"name": "faces", "noise": {"grey": 0.7, "correlated": 0.7}}, "must not exceed 1"),
        ({"name": "faces", "jpeg": [30, 101]}, "degradation.jpeg.quality"),
        ({"name": "faces", "jpeg": [30.5, 90]}, "integers"),
        ({"name": "faces", "clean": 1.5}, "degradation.clean must be a number between 0 and 1"),
        ({"name": "faces", "stage": 2}, "degradation.stage.probability"),
        ({"name": "faces", "blur": {"size": 8}}, "odd"),
        ({"name": "faces", "blur": {"kernels": {"round": 1}}}, "degradation.blur.kernels"),
        ({"name": "faces", "to_lr": "lanczos"}, "degradation.to_lr.methods"),
        ({"name": "clean", "jpeg": [30, 90]}, "'clean' has no step 'jpeg'"),
        ([{"jpg": 50}], "Did you mean 'jpeg'"),
        ([{"jpeg": 50, "noise": 3}], "steps[0] must be one step"),
        ([{"resize": {"up": 0.6, "down": 0.6}}], "must not exceed 1"),
        ([{"one_of": [{"probability": 0.5, "steps": []}]}], "sum is 1"),
        ([{"noise": float("nan")}], "noise.sigma"),
    ],
)
def test_what_cannot_be_is_one_line(spec, words):
    with pytest.raises(InvalidArgument) as caught:
        get_pipeline(spec)
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", PIPELINES)
def test_impossible_sizes_are_refused(name, original):
    with pytest.raises(InvalidArgument, match="size must be"):
        degraded(name, original, (0, 7))


def test_no_jpeg_is_larger_than_the_format_holds(original):
    with pytest.raises(InvalidArgument, match="size must not exceed 65500"):
        degraded("nn65", original, (1, 65501))


FLAT = {
    "blur": {"shape": "plateau", "size": 9, "sigma": (2, 1), "angle": 1.0, "beta": 1.5},
    "sinc": {"size": 11, "cutoff": 0.5},
    "resize": {"size": (11, 50), "method": "bicubic", "antialias": False},
    "jpeg": {"quality": 60},
    "webp": {"quality": 60},
    "sharpen": {"amount": 1.0, "sigma": 1.5},
    "grey": {},
}


@pytest.mark.parametrize("name", FLAT)
def test_a_flat_image_stays_flat_up_to_its_borders(name):
    flat = np.full((30, 23, 3), 120, np.uint8)
    result = Operation(name, FLAT[name])(flat, np.random.default_rng(0))
    np.testing.assert_allclose(result, 120, atol=2 if name == "webp" else 0.01)


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


def test_noise_has_the_strength_asked_for():
    image, rng = np.full((200, 200, 3), 128, np.uint8), np.random.default_rng(0)
    noise = {
        "colour": Operation("noise", {"sigma": 10.0})(image, rng) - 128,
        "grey": Operation("noise", {"sigma": 10.0, "grey": True})(image, rng) - 128,
        "speckle": Operation("speckle", {"sigma": 20.0})(image, rng) - 128,
        "poisson": Operation("poisson", {"scale": 1.0, "photons": 255.0})(image, rng) - 128,
        "dark": Operation("poisson", {"scale": 1.0, "photons": 255.0})(image // 32, rng) - 4.0,
    }
    expected = {"colour": 10, "grey": 10, "speckle": 10.04, "poisson": 11.3, "dark": 2}
    for name, sigma in expected.items():
        assert noise[name].std() == pytest.approx(sigma, rel=0.02), name
        assert abs(noise[name].mean()) < 0.15
    assert np.ptp(noise["grey"], axis=-1).max() == 0


def test_lower_quality_is_further_from_the_original(original):
    errors = [
        np.abs(Operation(name, {"quality": quality})(original, None).astype(int) - original).mean()
        for name in ("jpeg", "webp")
        for quality in (95, 65, 10)
    ]
    assert 0 < errors[0] < errors[1] < errors[2] and 0 < errors[3] < errors[4] < errors[5]


def test_every_degradation_is_in_a_pipeline():
    text = json.dumps({name: get_pipeline(name).data for name in PIPELINES})
    assert all(f'"{name}"' in text for name in DEGRADATIONS if name != "resize")


def test_it_starts_without_any_backend():
    program = (
        "import sys\n"
        "import tfsr.degradations\n"
        "print(*({'tensorflow', 'keras', 'jax', 'torch'} & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def write_pinned():
    """PYTHONPATH=tests:. python tests/degradations/test_pipelines.py, where a pipeline changes."""
    pinned = {name: {"drawn": drawn(name), "means": means(name)} for name in PIPELINES}
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in pinned.items())
    PINNED.write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    write_pinned()
