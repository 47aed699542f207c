import pytest
import tiny
import yaml

from tfsr.errors import RecipeError
from tfsr.training.queue_list import load_list


@pytest.fixture
def recipe(tmp_path):
    return str(tiny.write_recipe(tmp_path / "r.yaml", tiny.recipe("images")))


def write(folder, runs):
    path = folder / "list.yaml"
    path.write_text(yaml.safe_dump({"runs": runs}, sort_keys=False))
    return path


def test_a_run_becomes_a_command_line(recipe, tmp_path):
    runs = {
        "tuned": {
            "recipe": recipe,
            "output": "runs/mine",
            "data": "faces/train",
            "validation": "faces/val",
            "set": {"training.steps": 9, "training.learning_rate.initial": 1e-5},
            "init_from": "base",
        },
        "base": {"recipe": recipe},
    }
    tuned, base = load_list(write(tmp_path, runs))
    assert (tuned.name, tuned.after, tuned.steps) == ("tuned", ("base",), 9)
    assert (base.output, base.after, base.steps) == ("runs/base", (), 6)
    assert base.arguments == [recipe, "--output", "runs/base"]
    assert tuned.arguments == [
        *(recipe, "--output", "runs/mine", "--data", "faces/train", "--validation", "faces/val"),
        *("--set", "training.steps=9", "--set", "training.learning_rate.initial=1e-05"),
        *("--set", 'init_from="runs/base"'),
    ]
    assert tuned.content["training"]["learning_rate"]["initial"] == 1e-5
    assert tuned.content["init_from"] == "runs/base"


def test_several_folders_are_given_in_their_order(recipe, tmp_path):
    [run] = load_list(write(tmp_path, {"a": {"recipe": recipe, "data": ["large", "small"]}}))
    assert run.arguments == [
        *(recipe, "--output", "runs/a", "--data", "large", "--data", "small"),
    ]


def test_a_preset_to_start_from_is_not_waited_for(recipe, tmp_path):
    [run] = load_list(write(tmp_path, {"a": {"recipe": recipe, "init_from": "some-preset"}}))
    assert run.after == () and run.arguments[-1] == 'init_from="some-preset"'


def test_the_fingerprint_is_of_what_is_trained(recipe, tmp_path):
    def fingerprint(**changes):
        [run] = load_list(write(tmp_path, {"a": {"recipe": recipe, "set": changes}}))
        return run.fingerprint

    first = fingerprint()
    assert fingerprint() == first
    assert fingerprint(seed=9) != first
    tiny.write_recipe(tmp_path / "r.yaml", tiny.recipe("other images"))
    assert fingerprint() != first


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ({}, "at least one"),
        ({"a": {}}, "the key 'runs.a.recipe' is missing"),
        ({"a": "RECIPE"}, "runs.a must be a mapping"),
        ({"a": {"recip": "RECIPE"}}, "unknown key 'runs.a.recip'.*Did you mean 'recipe'"),
        ({"a": {"recipe": "RECIPE", "content": {}}}, "unknown key 'runs.a.content'"),
        ({"a": {"recipe": "nowhere.yaml"}}, "runs.a: nowhere.yaml: cannot be read: No such file"),
        ({"a": {"recipe": "RECIPE", "set": ["seed=1"]}}, "runs.a.set must be a mapping"),
        ({"a": {"recipe": "RECIPE", "after": "b"}}, "runs.a.after must be one of a; received 'b'"),
        ({"a": {"recipe": "RECIPE", "after": "a"}}, "wait for each other: a after a"),
        (
            {
                "a": {"recipe": "RECIPE", "after": ["b"]},
                "b": {"recipe": "RECIPE", "init_from": "a"},
            },
            "wait for each other: . after . after .",
        ),
        (
            {"a": {"recipe": "RECIPE"}, "b": {"recipe": "RECIPE", "output": "runs/a"}},
            "runs.b.output: runs/a is that of runs.a too",
        ),
    ],
)
def test_a_list_that_is_invalid_is_reported_in_one_line(runs, words, recipe, tmp_path):
    path = write(tmp_path, runs)
    path.write_text(path.read_text().replace("RECIPE", recipe))
    with pytest.raises(RecipeError, match=words) as caught:
        load_list(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "- a", "runs: 5", "jobs: 2\nruns: {}", "runs: {a: [}"])
def test_a_file_that_is_no_list_is_reported(text, tmp_path):
    path = tmp_path / "list.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=f"{path}: "):
        load_list(path)


def test_a_list_that_is_not_there_is_reported(tmp_path):
    with pytest.raises(RecipeError, match="nowhere.yaml: cannot be read: No such file"):
        load_list(tmp_path / "nowhere.yaml")
