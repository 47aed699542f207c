import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfsr.degradations import PIPELINES, get_pipeline
from tfsr.errors import InvalidArgument
from tfsr.images import resize

EVERY = pytest.mark.parametrize("name", PIPELINES)


@pytest.fixture(scope="module")
def original():
    with np.load(Path(__file__).parents[1] / "goldens" / "data_metrics.npz") as arrays:
        return arrays["hr_u8"]


@pytest.fixture(scope="module")
def photograph():
    path = Path(__file__).parents[2] / "docs" / "pictures" / "astronaut-46.png"
    with Image.open(path) as image:
        return resize(np.array(image.convert("RGB")), (120, 128))


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", ["clean", "bicubic"])
def test_clean_is_the_bicubic_resize(name, original):
    pipeline = get_pipeline(name)
    assert pipeline.name == "clean" and pipeline.deterministic and pipeline.local
    found = pipeline.degrade(original, (13, 17))
    np.testing.assert_array_equal(found, resize(original, (13, 17)))


def test_nn65_is_what_the_authors_script_saves(original, tmp_path):
    saved = tmp_path / "lr.jpg"
    nearest = Image.fromarray(original).resize((16, 20), Image.Resampling.NEAREST)
    nearest.save(saved, quality=65)
    with Image.open(saved) as image:
        expected = np.asarray(image)
    pipeline = get_pipeline("nn65")
    assert pipeline.deterministic and not pipeline.local
    np.testing.assert_array_equal(pipeline.degrade(original, (20, 16)), expected)


@EVERY
def test_a_pipeline_depends_on_its_generator_alone(name, photograph):
    pipeline = get_pipeline(name)
    before = photograph.copy()
    first, again, other = (
        pipeline.degrade(pipeline.prepare(photograph, generator), (30, 32), generator)
        for generator in (rng(3), rng(3), rng(4))
    )
    assert (first.shape, first.dtype) == ((30, 32, 3), np.uint8)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(photograph, before)
    assert np.array_equal(first, other) == pipeline.deterministic


@EVERY
def test_what_is_drawn_is_pinned(name):
    """Parameters, not pixels: those of a JPEG may differ from one libjpeg to the next."""
    pipeline = get_pipeline(name)
    drawn = [
        str(operation)
        for seed in range(20)
        for operation in pipeline.draw((120, 128), (30, 32), rng(seed))
    ]
    assert hashlib.sha256("\n".join(drawn).encode()).hexdigest()[:12] == PINNED[name]


PINNED = {
    "clean": "46fdea98286e",
    "nn65": "df8d29bf10cc",
    "real-esrgan": "d61ef612bee9",
    "bsrgan": "bc2e8fa0c9ef",
    "gfpgan": "0e2a644c0365",
    "codeformer": "a31db8f18ec7",
    "codeformer-large": "b011d90035fe",
    "faces": "b9ea836fdfdf",
    "photos": "efa280f35f19",
    "real-light": "5530661d7ae3",
    "real-medium": "9bc0474b2371",
    "real-heavy": "c750203ad62e",
}


@EVERY
def test_a_degraded_image_is_still_of_its_original(name, photograph):
    """The mean of many draws is near the reduced image: not shifted, mirrored or darkened."""
    pipeline = get_pipeline(name)
    drawn = [pipeline.degrade(photograph, (30, 32), rng(seed)).astype(float) for seed in range(60)]
    mean, reduced = np.mean(drawn, axis=0), resize(photograph, (30, 32)).astype(float)
    assert abs((mean - reduced).mean()) < 4
    inner = (slice(2, -2), slice(2, -2))
    distances = {
        (i, j): np.abs(mean - np.roll(reduced, (i, j), (0, 1)))[inner].mean()
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
    }
    assert min(distances, key=distances.__getitem__) == (0, 0)


@EVERY
def test_a_region_looks_as_that_part_of_the_whole(name, photograph):
    """Drawn alike, without noise: what a region's own JPEG blocks and edges change is small."""
    pipeline = get_pipeline(name)
    box = (20.0, 28.0, 100.0, 108.0)
    differences = []
    for seed in range(30):
        whole = pipeline.degrade(photograph, (30, 32), rng(seed))
        part = pipeline.degrade(photograph, (20, 20), rng(seed), box)
        assert part.shape == (20, 20, 3)
        differences.append(np.abs(part.astype(float) - whole[5:25, 7:27]).mean())
    shifted = np.abs(whole[5:25, 7:27].astype(float) - whole[6:26, 8:28]).mean()
    assert np.median(differences) < (1 if pipeline.local else 0.8 * shifted)


def test_the_share_of_clean_samples():
    pipeline, generator = get_pipeline({"name": "faces", "clean": 0.4}), rng()
    drawn = [pipeline.draw((120, 128), (30, 32), generator) for _ in range(1000)]
    clean = [str(operations[0]) for operations in drawn if len(operations) == 1]
    assert 340 < len(clean) < 460
    assert set(clean) == {"resize size (30, 32), method bicubic"}


def parameters_of(spec, step, seeds=200):
    pipeline = get_pipeline(spec)
    return [
        operation.parameters
        for seed in range(seeds)
        for operation in pipeline.draw((128, 128), (32, 32), rng(seed))
        if operation.name == step
    ]


def test_ranges_are_restated_wherever_a_step_stands():
    spec = {
        "name": "faces",
        "jpeg": [80, 90],
        "noise": {"sigma": 2, "grey": 1, "correlated": 0},
        "clean": 0,
    }
    qualities = {drawn["quality"] for drawn in parameters_of(spec, "jpeg")}
    assert qualities == set(range(80, 91))
    for drawn in parameters_of(spec, "noise"):
        assert drawn == {"sigma": 2.0, "grey": True}
    assert min(drawn["quality"] for drawn in parameters_of("faces", "jpeg")) < 40


def test_a_pipeline_may_be_all_of_a_recipes_own():
    spec = {"name": "own", "steps": [{"blur": 1.5}, {"to_lr": "area"}, {"jpeg": 50}]}
    assert get_pipeline(spec).deterministic
    drawn = [x.name for x in get_pipeline(spec).draw((64, 64), (16, 16), rng())]
    assert drawn == ["blur", "resize", "jpeg"]


def test_the_published_ranges_are_drawn_to_their_ends():
    blurs = [d["sigma"][0] for d in parameters_of("codeformer", "blur")]
    assert 0.1 <= min(blurs) < 0.5 and 9.5 < max(blurs) <= 10
    sides = [d["size"][0] for d in parameters_of("codeformer", "resize") if "box" not in d]
    assert {128 // 12, 11} & set(sides) and max(sides) <= 128
    noises = [d["sigma"] for d in parameters_of("real-esrgan", "noise")]
    assert 1 <= min(noises) < 3 and 27 < max(noises) <= 30


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("facse", ["'facse'", "Did you mean 'faces'"]),
        (None, ["name", "None"]),
        (3, ["name", "3"]),
        ({"jpeg": 50}, ["None"]),
        ({"name": "faces", "jpg": 50}, ["'jpg'", "Did you mean 'jpeg'"]),
        ({"name": "clean", "blur": 2}, ["'blur'"]),
        ({"name": "faces", "jpeg": [95, 30]}, ["jpeg.quality", "min first"]),
        ({"name": "faces", "jpeg": [30, 101]}, ["jpeg.quality", "1 and 100", "101"]),
        ({"name": "faces", "jpeg": [30.5, 80]}, ["jpeg.quality", "integers"]),
        ({"name": "faces", "jpeg": {"qualtiy": 50}}, ["'qualtiy'", "Did you mean 'quality'"]),
        ({"name": "faces", "noise": -1}, ["noise.sigma", "-1"]),
        ({"name": "faces", "noise": "much"}, ["noise.sigma", "'much'"]),
        ({"name": "faces", "noise": {"grey": 0.7, "correlated": 0.7}}, ["noise.grey", "0.7"]),
        ({"name": "faces", "clean": 1.5}, ["clean", "0 and 1", "1.5"]),
        ({"name": "faces", "clean": float("nan")}, ["clean", "nan"]),
        ({"name": "faces", "blur": {"size": 8}}, ["blur.size", "odd"]),
        ({"name": "faces", "blur": {"kernels": {"isotropic-gaussian": 0.4}}}, ["sum is 1"]),
        ({"name": "own", "steps": "blur"}, ["steps", "list", "'blur'"]),
        ({"name": "own", "steps": [{"blurr": 2}]}, ["steps[0]", "Did you mean 'blur'"]),
        ({"name": "own", "steps": [{"blur": 2, "jpeg": 3}]}, ["steps[0]", "one name"]),
        ({"name": "own", "steps": [{"one_of": {"steps": ["grey"], "weights": [0]}}]}, ["weights"]),
        ({"name": "own", "steps": [{"resize": {"methods": "cubic"}}]}, ["'cubic'", "bicubic"]),
    ],
)
def test_what_cannot_be_is_one_line_that_names_it(spec, words):
    with pytest.raises(InvalidArgument) as caught:
        get_pipeline(spec)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message
