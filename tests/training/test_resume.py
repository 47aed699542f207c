"""A run that was killed, or could not be written, ends as one that was not."""

import hashlib
import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tiny
import yaml
from runs import contents

from tfsr.errors import CheckpointError
from tfsr.training.checkpoints import newest
from tfsr.training.trainer import train

SCRIPT = Path(__file__).with_name("killed_runs.py")
TFSR = Path(sys.executable).with_name("tfsr")
LAST = Path("checkpoints") / "step-00000006"


def train_killed(recipe, directory, *steps, **options):
    command = [sys.executable, SCRIPT, recipe, directory, *map(str, steps)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.mark.slow
def test_killed_twice_it_is_the_same_run_bit_by_bit(tmp_path):
    """Within an epoch, and after the last step of one; `make soak` kills at random moments."""
    content = tiny.recipe(
        tiny.folder(tmp_path / "images", count=5),
        steps=12,
        steps_per_epoch=3,
        ema=0.9,
        clip_norm=0.5,
        learning_rate={"initial": 3e-3, "decay": "cosine", "warmup": 4},
        loss=["charbonnier", {"name": "fft", "weight": 0.1}],
        teacher={"preset": str(tiny.teacher(tmp_path / "teacher")), "weight": 0.25},
    )
    content["data"]["sampling"]["points"] = "patch"
    # Noise in every step.
    content["model"] = {**tiny.MODEL, "decoder": {**tiny.ARASFSR, "noise": True}}
    content["validation"] = {"lr_sizes": [24], "images": 1}
    recipe = tiny.write_recipe(tmp_path / "r.yaml", content)
    steps = (5, 9)
    for directory, killed in (("whole", ()), ("killed", steps)):
        done = train_killed(recipe, tmp_path / directory, *killed)
        assert done.returncode == 0, (steps, done.stdout[-2000:], done.stderr[-2000:])
    whole, killed = contents(tmp_path / "whole"), contents(tmp_path / "killed")
    assert whole.keys() == killed.keys()
    assert {"step-00000009", "step-00000012"} <= whole.keys()
    for name, expected in whole.items():
        assert killed[name] == expected, f"{name} differs; killed after steps {steps}"


@pytest.fixture
def copy(run, tmp_path):
    """A run's directory to damage, and the recipe that resumes it for one more epoch."""
    content = yaml.safe_load((run.parent / "recipe.yaml").read_text())
    content["training"]["steps"] = 9
    recipe = tiny.write_recipe(tmp_path / "more.yaml", content)
    return shutil.copytree(run, tmp_path / "run"), recipe


def resume(copy):
    lines = []
    directory, recipe = copy
    model = train(recipe, directory, resume=True, report=lines.append)
    return model, lines


def test_the_last_two_checkpoints_remain(copy):
    resume(copy)
    names = sorted(path.name for path in (copy[0] / "checkpoints").iterdir())
    assert names == ["step-00000006", "step-00000009"]


@pytest.mark.slow
def test_a_damaged_newest_checkpoint_is_reported_and_done_again(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    path = copy / LAST / "model.weights.h5"
    path.write_bytes(path.read_bytes()[:-1000])
    lines = []
    train(run.parent / "recipe.yaml", copy, report=lines.append)
    warning, note, *_ = lines
    assert warning.startswith(f"warning: {copy / LAST}: ") and "\n" not in warning
    assert note == f"{copy}: resumes after step 3"
    assert contents(copy) == contents(run)


@pytest.mark.parametrize("file", ["model.weights.h5", "state.json"])
@pytest.mark.parametrize("damage", ["cut", "turned", "gone"])
def test_every_damage_is_seen(file, damage, run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    path = copy / LAST / file
    content = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        content[len(content) // 2] ^= 255
        path.write_bytes(content)
    lines = []
    path, state = newest(copy, lines.append)
    assert (path.name, state.steps, len(lines)) == ("step-00000003", 3, 1)


def test_a_changed_digit_of_the_state_is_seen(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    path = copy / LAST / "state.json"
    path.write_text(path.read_text().replace('"steps": 6', '"steps": 9'))
    lines = []
    path, state = newest(copy, lines.append)
    assert (path.name, state.steps, len(lines)) == ("step-00000003", 3, 1)


def test_states_of_earlier_versions_are_resumed(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    path = copy / LAST / "state.json"
    state = json.loads(path.read_text())
    weights = (copy / LAST / "model.weights.h5").read_bytes()
    path.write_text(json.dumps({**state, "sha256": hashlib.sha256(weights).hexdigest()}))
    assert newest(copy, print)[1].steps == 6


def test_where_all_checkpoints_are_damaged_nothing_starts(copy):
    for path in (copy[0] / "checkpoints").iterdir():
        (path / "model.weights.h5").write_bytes(b"no weights")
    before = (copy[0] / "history.csv").read_bytes()
    with pytest.raises(CheckpointError, match="every checkpoint is damaged"):
        resume(copy)
    assert (copy[0] / "history.csv").read_bytes() == before


@pytest.mark.slow
def test_leftovers_of_a_killed_writer_are_no_obstacle(copy):
    for name in ("checkpoints/part", "part.best", "old.best"):
        (copy[0] / name).mkdir()
        (copy[0] / name / "model.weights.h5").write_bytes(b"half of the")
    shutil.rmtree(copy[0] / "best")
    resume(copy)
    assert not list(copy[0].rglob("*part*"))


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_the_checkpoint_before_is_whole(copy):
    directory, recipe = copy
    before = contents(directory)

    def small_files():
        # The kernel ends a write beyond the limit as it does one to a full disk, with an error.
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**19, 2**19))

    command = [TFSR, "train", recipe, "-o", directory, "--resume"]
    done = subprocess.run(
        command, capture_output=True, text=True, preexec_fn=small_files, check=False
    )
    assert done.returncode == 1
    [line] = [x for x in done.stderr.splitlines() if x.startswith("tfsr: ")]
    assert "the checkpoint of step 9 cannot be written" in line
    assert "that of step 6 is complete" in line
    after = contents(directory)
    for name in before.keys() - {"recipe.yaml"}:
        assert after[name] == before[name], name
    # With free space, the same command resumes.
    _, lines = resume(copy)
    assert lines[0] == f"{directory}: resumes after step 6"


def test_the_same_command_on_a_finished_run_trains_nothing(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    before = contents(copy)
    lines = []
    train(run.parent / "recipe.yaml", copy, report=lines.append)
    assert lines[-1] == f"{copy}: its 6 steps are done; nothing is left to train"
    assert contents(copy) == before


@pytest.mark.parametrize(
    "change, key",
    [
        ("seed=6", "seed"),
        ("training.learning_rate.initial=2e-3", "training.learning_rate.initial"),
        ("model.encoder.features=12", "model.encoder.features"),
        ("data.sampling.batch=4", "data.sampling.batch"),
        ("training.steps=9", "training.steps"),
        ("validation.images=1", "validation.images"),
    ],
)
def test_another_recipe_is_refused_in_one_line(change, key, run):
    before = contents(run)
    with pytest.raises(CheckpointError) as caught:
        train(run.parent / "recipe.yaml", run, changes=[change])
    line = str(caught.value)
    assert line.startswith(f"{run}: ") and f"its {key} is " in line and "\n" not in line
    assert ("with resume" in line) == (key in ("training.steps", "validation.images"))
    assert contents(run) == before


def test_other_images_are_refused(copy):
    directory, recipe = copy
    images = tiny.folder(directory.parent / "images", count=4)
    with pytest.raises(CheckpointError, match="other training images, 3 of them") as caught:
        train(directory / "recipe.yaml", directory, train_data=str(images))
    assert "\n" not in str(caught.value)


def test_images_may_move(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "run")
    moved = shutil.copytree(run.parent / "images", tmp_path / "moved")
    train(run / "recipe.yaml", copy, train_data=str(moved), validation_data=str(moved))
