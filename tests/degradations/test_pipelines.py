import json
from pathlib import Path

import numpy as np
import pytest
import tiny
from PIL import Image

from tfsr.degradations import DEGRADATIONS, PIPELINES, get_pipeline
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


def sampled(name):
    operations = [
        get_pipeline(name).sample((384, 384), (48, 48), np.random.default_rng([7, i]))
        for i in range(4)
    ]
    return [[[x.name, json.loads(json.dumps(x.parameters))] for x in row] for row in operations]


def means(name):
    """8x8 means of an LR image: what versions of codecs and FFTs cannot move by a level."""
    lr = degraded(name, tiny.image(96, 96, seed=3), (24, 24), seed=[7, 0])
    return lr.reshape(3, 8, 3, 8, 3).mean(axis=(1, 3)).tolist()


@pytest.mark.parametrize("name", PIPELINES)
def test_sampled_operations_are_pinned(name):
    pinned = json.loads(PINNED.read_text())[name]
    rows = sampled(name)
    assert [[x for x, _ in row] for row in rows] == [
        [x for x, _ in row] for row in pinned["sampled"]
    ]
    for row, expected in zip(rows, pinned["sampled"], strict=True):
        for (_, found), (_, parameters) in zip(row, expected, strict=True):
            assert found.keys() == parameters.keys()
            for key, value in parameters.items():
                if isinstance(value, str):
                    assert found[key] == value
                else:
                    np.testing.assert_allclose(found[key], value, rtol=1e-9)
    np.testing.assert_allclose(means(name), pinned["means"], atol=1)


@pytest.mark.parametrize("name", PIPELINES)
def test_the_plain_data_of_a_pipeline_makes_the_same_steps(name):
    pipeline = get_pipeline(name)
    assert get_pipeline(pipeline.spec) == pipeline
    data = json.loads(json.dumps(PIPELINES[name]))
    del data["title"]
    again = get_pipeline(data)
    found, expected = ((x.steps, x.before, x.clean) for x in (again, pipeline))
    assert found == expected


def test_a_named_pipeline_is_modified():
    spec = {"name": "faces", "noise": [0, 5], "jpeg": {"quality": [60, 70]}, "clean": 0.5}
    pipeline = get_pipeline(spec)
    assert pipeline.spec == spec
    assert get_pipeline(pipeline.spec) == pipeline
    operations, clean = [], 0
    for i in range(200):
        row = pipeline.sample((96, 96), (24, 24), np.random.default_rng(i))
        operations += row
        clean += len(row) == 1
    assert 70 < clean < 130
    qualities = [x.parameters["quality"] for x in operations if x.name == "jpeg"]
    assert (min(qualities), max(qualities)) == (60, 70)
    assert 4 < max(x.parameters["sigma"] for x in operations if x.name == "noise") <= 5
    # Other parameters do not change.
    assert min(x.parameters["quality"] for x in operations if x.name == "webp") < 60
    assert {x.parameters["subsampling"] for x in operations if x.name == "jpeg"} == {
        *("4:2:0", "4:4:4")
    }


def test_a_recipe_can_list_steps_of_its_own(original):
    steps = [{"blur": [0.5, 1]}, "to_lr", {"noise": 3}, {"jpeg": [60, 90]}]
    pipeline = get_pipeline(steps)
    assert (pipeline.name, pipeline.spec) == ("custom", {"steps": steps})
    row = pipeline.sample((40, 30), (20, 15), np.random.default_rng(0))
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
        ({"clean": 0.5}, "degradation needs a name or steps"),
        ({"name": "face"}, "Did you mean 'faces'"),
        ({"name": ["faces"]}, "degradation.name must be a name"),
        ({"name": "faces", "nois": 3}, "Did you mean 'noise'"),
        ({"name": "faces", "noise": {"sigm": 3}}, "Did you mean 'sigma'"),
        ({"name": "faces", "noise": [5, 1]}, "degradation.noise.sigma must be [min, max]"),
        ({"name": "faces", "noise": [-1, 1]}, "noise.sigma must be a number between 0 and 255"),
        ({"name": "faces", "noise": [1, 2, 3]}, "degradation.noise.sigma"),
        ({"name": "faces", "noise": "much"}, "received 'much'"),
        (
            {"name": "faces", "noise": {"grey": 0.7, "correlated": 0.7}},
            "degradation.noise.grey plus correlated must not exceed 1",
        ),
        ({"name": "faces", "jpeg": [30, 101]}, "degradation.jpeg.quality"),
        ({"name": "faces", "jpeg": [30.5, 90]}, "integers"),
        ({"name": "faces", "clean": 1.5}, "degradation.clean must be a number between 0 and 1"),
        ({"name": "faces", "stage": 2}, "degradation.stage.probability"),
        ({"name": "faces", "blur": {"size": 8}}, "odd"),
        ({"name": "faces", "blur": {"kernels": {"round": 1}}}, "degradation.blur.kernels"),
        ({"name": "faces", "to_lr": "lanczos"}, "degradation.to_lr.methods"),
        ({"name": "clean", "jpeg": [30, 90]}, "pipeline 'clean' has no step 'jpeg'"),
        ([{"jpg": 50}], "Did you mean 'jpeg'"),
        ([{"jpeg": 50, "noise": 3}], "degradation.steps[0] must be one step"),
        ([{"resize": {"up": 0.6, "down": 0.6}}], "must not exceed 1"),
        ([{"one_of": [{"probability": 0.5, "steps": []}]}], "sum is 1"),
        ([{"one_of": {"probability": 0.5}}], "steps[0].one_of.branches must be a list"),
        (
            [{"stage": {"steps": ["to_lr", {"noise": -1}]}}],
            "degradation.steps[0].stage.steps[1].noise.sigma must be a number",
        ),
        ([{"jpeg": {"full_colour": True}}], "degradation.steps[0].jpeg.full_colour"),
        ([{"resize": {"enlarge": 1}}], "enlarge must be one of True, False; received 1"),
        ([{"noise": float("nan")}], "noise.sigma"),
    ],
)
def test_invalid_degradations_are_refused_in_one_line(spec, words):
    with pytest.raises(InvalidArgument) as caught:
        get_pipeline(spec)
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", PIPELINES)
def test_impossible_sizes_are_refused(name, original):
    with pytest.raises(InvalidArgument, match="size must be"):
        degraded(name, original, (0, 7))


def test_every_degradation_is_in_a_pipeline():
    text = json.dumps(PIPELINES)
    assert all(f'"{name}"' in text for name in DEGRADATIONS.names())


def write_pinned():
    """PYTHONPATH=tests:. python tests/degradations/test_pipelines.py, where a pipeline changes."""
    pinned = {name: {"sampled": sampled(name), "means": means(name)} for name in PIPELINES}
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in pinned.items())
    PINNED.write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    write_pinned()
