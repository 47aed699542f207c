"""Runs that end in time, and how many steps they take for themselves."""

import json
import time

import numpy as np
import pytest
import tiny
from runs import contents

from tfsr.errors import InvalidArgument, RecipeError
from tfsr.training import pace as pace_module
from tfsr.training import recipe_files as recipes
from tfsr.training.pace import Pace, PaceReport, duration
from tfsr.training.recipe import TrainingConfig
from tfsr.training.trainer import train


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is set: clock.now = ..."""

    class Clock:
        now = 100.0

    monkeypatch.setattr(pace_module.time, "monotonic", lambda: Clock.now)
    return Clock


def test_compilation_is_no_part_of_the_pace(clock):
    pace = Pace()
    assert pace.steps_per_second == 0 and pace.remaining == np.inf
    pace.record_first_call(2, 40.0)
    pace.record(10, 44.0)
    pace.record(10, 6.0)
    assert pace.steps_per_second == 18 / 10


def test_another_interval_is_done_only_if_all_that_follows_it_fits(clock):
    pace = Pace(limit=60.0)
    clock.now = 110.0
    pace.start()
    pace.record_first_call(1, 1.0)
    pace.record(10, 11.0)
    pace.validation, pace.checkpoint = 15.0, 1.0
    # 10 s for the interval, 2 x 1 s for the checkpoint, 0.2 x 10 s to end; and 15 s to validate.
    for now, without, with_validation in (
        (130.0, True, True),
        (131.5, True, False),
        (147, False, 0),
    ):
        clock.now = now
        assert pace.has_time_for(0) == without and pace.has_time_for(1) == with_validation


def test_the_steps_left_leave_time_for_validations(clock):
    pace = Pace(limit=1000.0)
    pace.record_first_call(1, 1.0)
    pace.record(101, 51.0)
    pace.validation, pace.checkpoint = 9.0, 1.0
    rest = (1000 - 2) * 0.96
    assert pace.steps_left(100) == (int(rest / (0.5 + 10 / 100)), 16)
    assert pace.steps_left(None) == (int((rest - 8 * 10) * 2), 8)
    # Of a minute, a fifth is one validation of 10 s.
    clock.now = 1100.0 - 62
    assert pace.steps_left(None) == (int((60 * 0.96 - 10) * 2), 1)
    clock.now = 1100.0
    assert pace.steps_left(100)[0] == pace.steps_left(None)[0] == 0


def test_the_pace_is_reported_early_and_then_at_growing_intervals(clock):
    lines, pace = [], Pace()
    report = PaceReport(pace, lines.append)
    pace.record_first_call(1, 1.0)
    pace.record(1, 1.0)
    steps = []
    for step in range(1, 4000):
        pace.record(1, 1.0)
        before = len(lines)
        report.interval(step, TrainingConfig(8000), loss=0.01)
        steps += [step] * (len(lines) - before)
    assert steps[:6] == [30, 60, 120, 240, 480, 960] and np.diff(steps[6:]).max() == 600
    assert lines[0] == "step 30 of 8,000, about 2 h 13 min left: 1 steps/s, loss 0.0100"


def test_durations_are_readable():
    assert [duration(s) for s in (4.4, 89, 95, 3599, 7260)] == [
        "4 s",
        "89 s",
        "2 min",
        "60 min",
        "2 h 1 min",
    ]


@pytest.mark.slow
def test_a_run_out_of_time_ends_at_a_checkpoint_and_resumes_to_the_same_bits(run, tmp_path):
    recipe = run.parent / "recipe.yaml"
    lines = []
    train(recipe, tmp_path / "run", max_time=1e-3, report=lines.append)
    assert lines[-1] == "time is up after step 3; the same command resumes from here"
    names = [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()]
    assert names == ["step-00000003"]
    train(recipe, tmp_path / "run", max_time=1000, processes=2, report=lines.append)
    assert contents(tmp_path / "run") == contents(run)


@pytest.mark.slow
def test_checkpoints_within_an_epoch(run, tmp_path):
    """Validation is sparser than checkpoints, and a run cut there is the same."""
    recipe = run.parent / "recipe.yaml"
    longer = ["training.steps=24", "training.steps_per_epoch=24"]
    train(recipe, tmp_path / "whole", changes=longer, report=lambda line: None)
    assert len(list((tmp_path / "whole" / "checkpoints").iterdir())) == 1
    changes, lines = [*longer, "training.checkpoint_steps=8"], []
    train(recipe, tmp_path / "run", changes=changes, max_time=1e-3, report=lines.append)
    assert lines[-1].startswith("time is up after step 8;")
    train(recipe, tmp_path / "run", changes=changes, report=lines.append)
    names = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    assert names == ["step-00000016", "step-00000024"]
    expected, found = contents(tmp_path / "whole"), contents(tmp_path / "run")
    for name in ("best", "history.csv", "step-00000024"):
        assert found[name] == expected[name], name


def test_auto_needs_a_limit_and_a_limit_must_be_one(run, tmp_path):
    recipe = run.parent / "recipe.yaml"
    with pytest.raises(RecipeError, match="max_time"):
        train(recipe, tmp_path / "run", changes=["training.steps=auto"])
    for arguments in ({"max_time": 0}, {"max_time": float("nan")}, {"processes": -1}):
        with pytest.raises(InvalidArgument, match=next(iter(arguments))):
            train(recipe, tmp_path / "run", **arguments)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_steps_that_follow_from_the_time_survive_an_interruption(tmp_path):
    content = tiny.recipe(
        tiny.folder(tmp_path / "images", count=4),
        steps="auto",
        steps_per_epoch="auto",
        steps_per_execution=2,
        checkpoint_steps=10,
        optimizer="muon",
        ema=0.9,
        learning_rate={"initial": 1e-3, "decay": "cosine", "warmup": 4},
    )
    content["validation"] = {"lr_sizes": [24], "images": 1}
    recipe, run = tiny.write_recipe(tmp_path / "r.yaml", content), tmp_path / "run"

    def interrupt_when_decided(line):
        if line.startswith("training for "):
            raise KeyboardInterrupt(line)

    with pytest.raises(KeyboardInterrupt) as caught:
        # A busy machine may need more time until the speed is measured.
        for seconds in (8, 30, 120):
            train(recipe, run, max_time=seconds, report=interrupt_when_decided)
    decided = int(str(caught.value).split()[2].replace(",", ""))
    training = recipes.load(run / "recipe.yaml").training
    assert training.steps == decided and training.learning_rate.decay_start > 0
    train(recipe, run, max_time=1000, report=lambda line: None)
    train(run / "recipe.yaml", tmp_path / "whole", report=lambda line: None)
    found, expected = contents(run), contents(tmp_path / "whole")
    assert len(json.loads((run / "run.json").read_text())["starts"]) > 1
    for name in ("best", "history.csv", f"step-{decided:08d}"):
        assert found[name] == expected[name], name


@pytest.mark.slow
def test_a_limited_run_ends_in_time(run, tmp_path):
    recipe = run.parent / "recipe.yaml"
    began = time.monotonic()
    train(recipe, tmp_path / "short", report=lambda line: None)
    # What a short run takes, almost all of it to start, says how busy the machine is.
    short = time.monotonic() - began
    endless = ["training.steps=1000000", "training.steps_per_epoch=500000"]
    began, limit = time.monotonic(), 2 * short + 2
    train(recipe, tmp_path / "run", changes=endless, max_time=limit, report=lambda line: None)
    assert time.monotonic() - began < limit + 5 * short
    assert list((tmp_path / "run" / "checkpoints").iterdir())
