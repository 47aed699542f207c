import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tiny
from function_upscaler import FunctionUpscaler
from PIL import Image

from tfsr.errors import ImageError, InvalidArgument
from tfsr.images import read
from tfsr.inference.batch import run_jobs
from tfsr.inference.batch_report import write_report
from tfsr.inference.jobs import Job, plan_jobs
from tfsr.inference.pixel_budget import BudgetClosed, PixelBudget
from tfsr.inference.request import UpscaleRequest
from tfsr.inference.target_size import TargetSize


@FunctionUpscaler
def constant(image, size):
    """An upscaler that returns the image's mean colour."""
    return np.broadcast_to(np.uint8(image.mean(axis=(0, 1))), (*size, 3)).copy()


@pytest.fixture
def images(tmp_path):
    return tiny.folder(tmp_path / "images")


def files_under(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_one_file_becomes_one_file(images, tmp_path):
    for name in ("a.webp", "new/folder/b.PNG"):
        source, target = images / "0.png", tmp_path / name
        assert plan_jobs([source], target) == ([Job(source, target)], [])
        assert target.parent.is_dir()


def test_all_else_goes_into_the_output_folder(images, tmp_path):
    lone = tiny.save(tmp_path / "lone.jpg", tiny.image())
    out = tmp_path / "new" / "out"
    jobs, failed = plan_jobs([lone, images], out)
    assert failed == []
    sources = [lone, *(images / f"{i}.png" for i in range(3))]
    assert jobs == [Job(source, out / source.name) for source in sources]
    assert out.is_dir()


def test_a_folder_whose_name_looks_like_a_file_is_a_folder(images, tmp_path):
    out = tmp_path / "out.png"
    out.mkdir()
    jobs, failed = plan_jobs([images / "0.png"], out)
    assert (jobs, failed) == ([Job(images / "0.png", out / "0.png")], [])


def test_several_images_do_not_become_one_file(images, tmp_path):
    for sources in ([images], [images / "0.png", images / "1.png"]):
        with pytest.raises(ImageError, match="out.png"):
            plan_jobs(sources, tmp_path / "out.png")
    assert not (tmp_path / "out.png").exists()


def test_of_two_sources_with_one_name_the_first_is_done(images, tmp_path):
    other = tiny.folder(tmp_path / "other", count=2)
    jobs, failed = plan_jobs([images / "0.png", other], tmp_path / "out")
    assert [job.source for job in jobs] == [images / "0.png", other / "1.png"]
    (result,) = failed
    assert result.source == other / "0.png"
    assert result.error.startswith(str(other / "0.png"))
    assert str(images / "0.png") in result.error


def test_a_source_is_not_written_over(images, tmp_path):
    jobs, failed = plan_jobs([images], images)
    assert jobs == []
    assert [result.source.name for result in failed] == ["0.png", "1.png", "2.png"]
    jobs, failed = plan_jobs([images / "0.png"], images / "0.png")
    assert jobs == [] and len(failed) == 1
    # Nor is another source.
    other = tiny.folder(tmp_path / "other", count=1)
    jobs, failed = plan_jobs([images / "0.png", other / "0.png"], other)
    assert jobs == [] and len(failed) == 2


def test_a_source_is_not_written_over_through_links(images, tmp_path):
    folder_link = tmp_path / "same"
    folder_link.symlink_to(images)
    jobs, failed = plan_jobs([images / "0.png"], folder_link)
    assert jobs == []
    file_link = tmp_path / "link.png"
    file_link.symlink_to(images / "0.png")
    jobs, failed = plan_jobs([images / "0.png"], file_link)
    assert jobs == []
    assert "link.png" in failed[0].error
    # The source may be the link, too.
    jobs, failed = plan_jobs([file_link], images / "0.png")
    assert jobs == [] and failed[0].source == file_link


def test_a_folder_without_images_is_reported_and_the_rest_planned(images, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    jobs, failed = plan_jobs([empty, images], tmp_path / "out")
    assert len(jobs) == 3
    (result,) = failed
    assert (result.source, result.target) == (empty, None)
    assert result.error.startswith(str(empty))


def test_a_suffix_that_cannot_be_written_is_reported(tmp_path):
    jobs, failed = plan_jobs([tmp_path / "face.gif"], tmp_path / "out")
    assert jobs == []
    assert "face.gif" in failed[0].error


def test_an_output_folder_that_cannot_be_made_is_reported(images, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for output in ("file", "file/under", "file/a.png"):
        with pytest.raises(ImageError, match="file") as caught:
            plan_jobs([images / "0.png"], tmp_path / output)
        assert "\n" not in str(caught.value)


def test_jobs_are_done_and_described(images, tmp_path):
    jobs, _ = plan_jobs([images], tmp_path / "out")
    results = list(run_jobs(jobs, UpscaleRequest(TargetSize(size=(30, 50))), constant))
    for job, result in zip(jobs, results, strict=True):
        assert (result.source, result.target) == (job.source, job.target)
        assert (result.error, result.lr_size, result.size) == (None, (48, 48), (30, 50))
        assert result.seconds > 0
        expected = constant(read(job.source), (30, 50))
        np.testing.assert_array_equal(read(job.target), expected)
    assert files_under(tmp_path / "out") == {"0.png", "1.png", "2.png"}


def test_a_failure_is_reported_and_the_rest_is_done(images, tmp_path):
    whole = (images / "1.png").read_bytes()
    (images / "1.png").write_bytes(whole[: len(whole) // 2])
    (images / "empty.jpg").touch()
    (images / "text.webp").write_text("no image")
    jobs, _ = plan_jobs([images], tmp_path / "out")
    jobs.append(Job(images / "missing.png", tmp_path / "out" / "missing.png"))
    results = list(run_jobs(jobs, UpscaleRequest(TargetSize(scale=2)), constant))
    failed = [result for result in results if result.error is not None]
    assert {result.source.name for result in failed} == {
        "1.png",
        "empty.jpg",
        "text.webp",
        "missing.png",
    }
    for result in failed:
        assert result.error.startswith(str(result.source))
        assert "\n" not in result.error
    assert files_under(tmp_path / "out") == {"0.png", "2.png"}


def test_what_upscaling_refuses_is_reported_with_the_files_name(images, tmp_path):
    @FunctionUpscaler
    def refuse(image, size):
        if image[0, 0, 0] == read(images / "1.png")[0, 0, 0]:
            raise InvalidArgument("too large")
        if image[0, 0, 0] == read(images / "2.png")[0, 0, 0]:
            raise MemoryError
        return constant(image, size)

    jobs, _ = plan_jobs([images], tmp_path / "out")
    results = list(run_jobs(jobs, UpscaleRequest(TargetSize(scale=2)), refuse))
    assert results[0].error is None
    assert results[1].error == f"{images / '1.png'}: too large"
    assert results[2].error.startswith(str(images / "2.png"))
    assert "memory" in results[2].error
    assert files_under(tmp_path / "out") == {"0.png"}


def test_outputs_too_large_are_refused_before_they_are_made(images, tmp_path):
    @FunctionUpscaler
    def never(image, size):
        raise AssertionError("asked for an image that is too large")

    jobs, _ = plan_jobs([images / "0.png"], tmp_path / "out.png")
    (result,) = run_jobs(jobs, UpscaleRequest(TargetSize(scale=1e9)), never)
    assert result.error.startswith(f"{images / '0.png'}: ")
    assert "400" in result.error
    # WebP ends at 16383 pixels a side.
    jobs, _ = plan_jobs([images / "0.png"], tmp_path / "out.webp")
    (result,) = run_jobs(jobs, UpscaleRequest(TargetSize(size=(10, 20000))), never)
    assert "out.webp" in result.error and "16383" in result.error
    assert not list(tmp_path.glob("*.webp"))


def test_a_write_that_fails_leaves_nothing_behind(images, tmp_path):
    out = tmp_path / "out"
    (out / "0.png").mkdir(parents=True)
    jobs, _ = plan_jobs([images], out)
    results = list(run_jobs(jobs, UpscaleRequest(TargetSize(scale=2)), constant))
    assert [result.error is None for result in results] == [False, True, True]
    assert str(out / "0.png") in results[0].error
    assert files_under(out) == {"0.png", "1.png", "2.png"}


def test_what_killed_batches_left_is_removed(images, tmp_path):
    out = tmp_path / "out"
    (out / "inner").mkdir(parents=True)
    for folder in (out, out / "inner", images):
        (folder / ".tfsr-0123456789abcdef.tmp").touch()
    jobs = [Job(images / name, out / name) for name in ("0.png", "inner/1.png")]
    tiny.save(images / "inner" / "1.png", tiny.image())
    assert all(
        not job.error for job in run_jobs(jobs, UpscaleRequest(TargetSize(scale=1)), constant)
    )
    write_report(out / "report.json", [])
    assert files_under(out) == {"0.png", "inner", "inner/1.png", "report.json"}
    # It is nobody's business what lies where nothing is written.
    assert (images / ".tfsr-0123456789abcdef.tmp").exists()


def test_relative_paths_work(images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    jobs, failed = plan_jobs([Path("images/0.png")], Path("out.png"))
    assert failed == []
    assert [
        result.error for result in run_jobs(jobs, UpscaleRequest(TargetSize(scale=1)), constant)
    ] == [None]
    assert os.path.exists(tmp_path / "out.png")


@pytest.mark.parametrize("name", ["large.jpgg", "large.gif"])
def test_a_file_of_another_format_is_no_folder(name, tmp_path):
    source = tiny.save(tmp_path / "in.png", tiny.image())
    with pytest.raises(ImageError, match=name):
        plan_jobs([source], tmp_path / name)
    assert not (tmp_path / name).exists()


def test_decoding_drawing_and_encoding_overlap(images, tmp_path):
    """While one image is rendered, later ones are read and earlier ones written."""
    out = tmp_path / "out"
    seen = []

    @FunctionUpscaler
    def slow(image, size):
        # Every other step waits for something that only the threads can bring about.
        if not seen:
            wait_until(lambda: opened_after_the_first(reads))
        elif len(seen) == 2:
            wait_until(lambda: (out / "0.png").exists())
        seen.append(size)
        return constant(image, size)

    reads = []
    jobs, _ = plan_jobs([images], out)
    request = Watched(TargetSize(scale=2), reads)
    assert [result.error for result in run_jobs(jobs, request, slow)] == [None] * 3


class Watched(UpscaleRequest):
    """A request that remembers what was looked at."""

    def __init__(self, target, reads):
        super().__init__(target)
        object.__setattr__(self, "reads", reads)

    def count(self, header):
        self.reads.append(header)
        return super().count(header)


def opened_after_the_first(reads):
    return len(reads) > 1


def wait_until(modulation):
    deadline = time.monotonic() + 30
    while not modulation():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_an_iterator_that_is_closed_ends_its_threads(images, tmp_path):
    jobs, _ = plan_jobs([images], tmp_path / "out")
    before = threading.active_count()
    results = run_jobs(jobs * 50, UpscaleRequest(TargetSize(scale=2)), constant)
    next(results)
    results.close()
    deadline = time.monotonic() + 30
    while threading.active_count() > before:  # A codec is left at its work, here for a moment.
        assert time.monotonic() < deadline
        time.sleep(0.001)
    assert all(path.suffix == ".png" for path in (tmp_path / "out").iterdir())


def test_what_is_no_error_of_ours_is_not_hidden(images, tmp_path):
    @FunctionUpscaler
    def broken(image, size):
        raise ZeroDivisionError

    jobs, _ = plan_jobs([images], tmp_path / "out")
    with pytest.raises(ZeroDivisionError):
        list(run_jobs(jobs, UpscaleRequest(TargetSize(scale=2)), broken))


def test_pixels_are_acquired_when_others_are_released():
    budget = PixelBudget(10)
    budget.acquire(25)  # Larger than all of it: alone.
    acquired = threading.Event()
    thread = threading.Thread(target=lambda: (budget.acquire(4), acquired.set()))
    thread.start()
    assert not acquired.wait(0.05)
    budget.release(25)
    assert acquired.wait(30)
    thread.join()
    budget.close()
    with pytest.raises(BudgetClosed):
        budget.acquire(1)


@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("existing", ["refuse", "skip", "overwrite"])
def test_what_appears_while_a_batch_runs_is_replaced_only_if_asked(existing, frames, tmp_path):
    out = tmp_path / "out"

    def others_write(image, size):
        if not (out / "b.png").exists():
            tiny.save(out / "a.png", np.zeros((8, 8, 3), np.uint8))
            (out / "b.png").write_bytes(b"mine")
        return constant(image, size)

    for name in ("a.png", "b.png", "c.png"):
        stack = [Image.fromarray(tiny.image(4, 4, seed)) for seed in range(2)]
        (tmp_path / "in").mkdir(exist_ok=True)
        stack[0].save(tmp_path / "in" / name, save_all=frames, append_images=stack[1:])
    jobs, _ = plan_jobs([tmp_path / "in"], out, existing=existing)
    request = UpscaleRequest(TargetSize(scale=2), frames=frames)
    results = list(run_jobs(jobs, request, FunctionUpscaler(others_write)))
    # A complete image of the right size may be of another run that shares the work.
    as_skipped = "failed" if frames else "skipped"
    expected = {
        "refuse": ["failed", "failed", "done"],
        "skip": [as_skipped, "failed", "done"],
        "overwrite": ["done"] * 3,
    }[existing]
    assert [result.status for result in results] == expected
    assert ((out / "b.png").read_bytes() == b"mine") == (existing != "overwrite")
    assert (read(out / "a.png").max() == 0) == (existing != "overwrite")
    assert read(out / "c.png").shape == (8, 8, 3)
    assert files_under(out) == {"a.png", "b.png", "c.png"}


def test_two_batches_at_once_do_not_replace_each_others_files(images, tmp_path):
    request = UpscaleRequest(TargetSize(scale=2))
    jobs, _ = plan_jobs([images], tmp_path / "out", existing="refuse")
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: list(run_jobs(jobs, request, constant)), range(2)))
    assert sum(result.status == "done" for results in both for result in results) == 3


def test_outputs_that_meet_in_a_linked_folder_are_reported(tmp_path):
    for name in ("x", "y"):
        tiny.save(tmp_path / "in" / name / "1.png", tiny.image())
        (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "out" / "x").mkdir()
    (tmp_path / "out" / "y").symlink_to("x")
    jobs, (failed,) = plan_jobs([tmp_path / "in"], tmp_path / "out", recursive=True)
    assert [job.source for job in jobs] == [tmp_path / "in" / "x" / "1.png"]
    assert failed.source == tmp_path / "in" / "y" / "1.png" and "is taken by" in failed.error


def test_a_name_with_a_slash_at_its_end_is_a_folder(images, tmp_path):
    (job,), _ = plan_jobs([images / "0.png"], f"{tmp_path}/run 1.5/")
    assert job.target == tmp_path / "run 1.5" / "0.png"
    (job,), _ = plan_jobs([images / "0.png"], f"{tmp_path}/a.png/")
    assert job.target == tmp_path / "a.png" / "0.png"


def test_a_number_is_no_suffix(images, tmp_path):
    for name in ("scan.2023", "scan.2024"):
        (images / name).write_bytes((images / "0.png").read_bytes())
    jobs, failed = plan_jobs(
        [images / "scan.2023", images / "scan.2024"], tmp_path / "out", suffix=".png"
    )
    assert [job.target.name for job in jobs] == ["scan.2023.png", "scan.2024.png"]
    assert failed == []
    (job,), _ = plan_jobs([images / "0.png"], tmp_path / "run 1.5")
    assert job.target == tmp_path / "run 1.5" / "0.png"


def test_patterns_in_folders_whose_names_look_like_patterns(tmp_path):
    folder = tiny.folder(tmp_path / "2020 [raw]" / "a*b")
    jobs, failed = plan_jobs([folder / "[01].png"], tmp_path / "out")
    assert [job.source.name for job in jobs] == ["0.png", "1.png"]
    assert failed == []


@pytest.mark.parametrize("pattern", ["**/*.png", "**"])
def test_the_folders_of_a_pattern_are_kept(pattern, tmp_path):
    for name in ("a", "b/c"):
        tiny.folder(tmp_path / "ds" / name, count=1)
    jobs, failed = plan_jobs([tmp_path / "ds" / pattern], tmp_path / "out")
    targets = {str(job.target.relative_to(tmp_path / "out")) for job in jobs}
    assert targets == {"a/0.png", "b/c/0.png"}
    assert [result for result in failed if "no image in it" not in str(result.error)] == []


def test_other_suffixes_of_jpeg_are_read_and_written(tmp_path):
    for suffix in (".jfif", ".JPE"):
        tiny.save(tmp_path / "in" / "a.jpg", tiny.image()).rename(tmp_path / "in" / f"a{suffix}")
    jobs, _ = plan_jobs([tmp_path / "in"], tmp_path / "out")
    results = list(run_jobs(jobs, UpscaleRequest(TargetSize(scale=2)), constant))
    assert [result.status for result in results] == ["done"] * 2
    for result in results:
        with Image.open(result.target) as file:
            assert (file.format, file.size) == ("JPEG", (96, 96))


def test_images_that_are_not_read_are_told(images, tmp_path):
    for name in ("a.heic", "b.HEIC", "c.gif", "d.txt"):
        (images / name).write_bytes(b"")
    skipped = []
    jobs, failed = plan_jobs([images], tmp_path / "out", on_skipped=skipped.append)
    assert len(jobs) == 3 and failed == []
    assert [path.name for path in skipped] == ["a.heic", "b.HEIC", "c.gif"]


@pytest.mark.parametrize("sources, output", [(["-"], "out"), (["0.png"], "-")])
def test_streams_are_refused(sources, output, images, monkeypatch):
    monkeypatch.chdir(images)
    with pytest.raises(ImageError, match="-: standard input and output are not supported"):
        plan_jobs([Path(source) for source in sources], output)
    assert files_under(images) == {"0.png", "1.png", "2.png"}
