"""Files by URL: in memory, on the disk and in a bucket of a loopback S3 server."""

import io

import fsspec
import pytest
import tiny
from PIL import Image

from tfsr.cluster import UrlFiles
from tfsr.errors import ClusterError, ImageError
from tfsr.images import read
from tfsr.images.files import OutputExists
from tfsr.inference.batch import Batch, skip_done
from tfsr.inference.jobs import Job, JobResult, plan_jobs
from tfsr.inference.request import UpscaleRequest
from tfsr.inference.target_size import TargetSize

X2 = UpscaleRequest(TargetSize(scale=2))


def put(url, content=None, seed=0):
    """Write a small PNG, or some bytes, to a URL."""
    if content is None:
        file = io.BytesIO()
        Image.fromarray(tiny.image(10, 12, seed)).save(file, "png")
        content = file.getvalue()
    system, name = fsspec.core.url_to_fs(url)
    system.makedirs(name.rpartition("/")[0], exist_ok=True)
    system.pipe_file(name, content)
    return content


def content_of(url):
    system, name = fsspec.core.url_to_fs(url)
    return system.cat_file(name)


def plan(sources, output, **options):
    files = UrlFiles()
    return plan_jobs([files.locate(name) for name in sources], output, files=files, **options)


def run(jobs, upscaler):
    return list(Batch(X2, upscaler, UrlFiles()).run(jobs))


@pytest.fixture
def filled(store):
    for name in ("b.png", "a.png", "inner/c.png", "inner/.hidden.png", "d.heic", "notes.txt"):
        put(f"{store}/in/{name}")
    return store


def names(jobs, folder):
    """The targets below a folder, however it is spelled."""
    return [str(job.target).rpartition(folder + "/")[2] for job in jobs]


def test_a_folder_becomes_a_folder(filled):
    skipped = []
    jobs, failed = plan([f"{filled}/in"], f"{filled}/out", on_skipped=skipped.append)
    assert (names(jobs, "out"), failed) == (["a.png", "b.png"], [])
    assert [str(url).rpartition("/")[2] for url in skipped] == ["d.heic"]
    jobs, _ = plan([f"{filled}/in/"], f"{filled}/out/", recursive=True, suffix=".jpg")
    assert names(jobs, "out") == ["a.jpg", "b.jpg", "inner/c.jpg"]


def test_outputs_of_an_earlier_run_are_no_sources(filled):
    put(f"{filled}/in/out/a.png")
    jobs, _ = plan([f"{filled}/in"], f"{filled}/in/out", recursive=True)
    assert names(jobs, "/in/out") == ["a.png", "b.png", "inner/c.png"]
    _, failed = plan([f"{filled}/in"], f"{filled}/in")
    assert [("would overwrite a source" in result.error) for result in failed] == [True, True]


def test_patterns(filled):
    jobs, failed = plan([f"{filled}/in/*.png", f"{filled}/in/**/c.png"], f"{filled}/out")
    assert (names(jobs, "out"), failed) == (["a.png", "b.png", "inner/c.png"], [])
    jobs, (failed,) = plan([f"{filled}/in/z*.png"], f"{filled}/out")
    assert jobs == [] and "matches this pattern" in failed.error


def test_one_file_becomes_one_file(filled):
    (job,), failed = plan([f"{filled}/in/a.png"], f"{filled}/large.webp")
    assert (str(job.target).rpartition("/")[2], failed) == ("large.webp", [])
    with pytest.raises(ImageError, match="several images need a folder"):
        plan([f"{filled}/in"], f"{filled}/large.webp")


def test_what_is_not_there_is_one_line(filled):
    sources = [f"{filled}/none.png", f"{filled}/in/a.png"]
    jobs, (failed,) = plan(sources, f"{filled}/out")
    assert names(jobs, "out") == ["a.png"]
    assert "none.png: there is no such file or folder" in failed.error


def test_images_are_read_and_written(filled, double, tmp_path):
    put(f"{filled}/in/bad.png", b"no image")
    jobs, _ = plan([f"{filled}/in"], f"{filled}/out", existing="refuse")
    a, b, bad = sorted(run(jobs, double), key=lambda result: str(result.source))
    assert (a.error, b.error, a.lr_size, a.size) == (None, None, (10, 12), (20, 24))
    assert bad.error.startswith(str(bad.source)) and "not a PNG" in bad.error
    path = tmp_path / "a.png"
    path.write_bytes(content_of(f"{filled}/out/a.png"))
    assert (read(path)[::2, ::2] == tiny.image(10, 12)).all()
    system, folder = fsspec.core.url_to_fs(f"{filled}/out")
    assert len(system.find(folder)) == 2  # Nothing temporary.


def test_what_exists_is_replaced_only_if_it_may_be(filled, double):
    put(f"{filled}/out/a.png", b"mine")
    source, target = map(UrlFiles().locate, (f"{filled}/in/a.png", f"{filled}/out/a.png"))
    (result,) = run([Job(source, target, "refuse")], double)
    assert f"{target} exists" in result.error
    # Even if it appears at the last moment.
    files = UrlFiles()
    with pytest.raises(OutputExists), files.write_path(target, overwrite=False) as path:
        tiny.save(path, tiny.image())
        if not isinstance(target, str):
            from tfsr.images import write_image
            from tfsr.images.decoded_image import DecodedImage

            write_image(path, DecodedImage(tiny.image()), overwrite=False)
    if isinstance(target, str):
        assert content_of(f"{filled}/out/a.png") == b"mine"
    (result,) = run([Job(source, target, "overwrite")], double)
    assert result.error is None and content_of(f"{filled}/out/a.png")[:4] == b"\x89PNG"


def test_what_is_done_and_whole_is_skipped(filled, double):
    jobs, _ = plan([f"{filled}/in"], f"{filled}/out", existing="skip")
    assert skip_done(jobs, X2, UrlFiles()) == (jobs, [])
    run(jobs, double)
    to_do, done = skip_done(jobs, X2, UrlFiles())
    assert to_do == [] and [result.skipped for result in done] == [True, True]
    put(f"{filled}/out/a.png", content_of(f"{filled}/out/a.png")[:-20])
    (job,), (result,) = skip_done(jobs, X2, UrlFiles())
    assert (str(job.target)[-5:], job.existing) == ("a.png", "overwrite")
    assert isinstance(result, JobResult)


@pytest.mark.parametrize("store", ["memory", "s3"], indirect=True)
def test_a_file_that_is_too_large_is_not_copied(store):
    put(f"{store}/large.png", bytes(3 * 2**20))
    files = UrlFiles(max_bytes=2**20)
    with pytest.raises(ImageError, match="large.png: is larger than 1 MiB"):
        with files.read_path(f"{store}/large.png"):
            raise AssertionError("was copied")


def test_names_do_not_lead_out_of_the_output_folder(s3, tmp_path):
    put(f"{s3}/hostile/a/../../../b.png")
    put(f"{s3}/hostile/c.png")
    jobs, (failed,) = plan([f"{s3}/hostile"], str(tmp_path / "out"), recursive=True)
    assert [job.target for job in jobs] == [tmp_path / "out" / "c.png"]
    assert "would lead out of the output folder" in failed.error


def test_a_server_that_refuses_is_one_line(s3):
    files = UrlFiles()
    with pytest.raises(ImageError, match="^s3://no-such-bucket/a.png: "):
        with files.read_path("s3://no-such-bucket/a.png"):
            pass
    with pytest.raises(ImageError, match="^s3://no-such-bucket/a.png: cannot be written: "):
        with files.write_path("s3://no-such-bucket/a.png", overwrite=True) as path:
            path.write_bytes(b"a")


def test_unknown_schemes_name_the_nearest_known_one():
    with pytest.raises(ClusterError, match=r"nothing reads htp://.*Did you mean 'http'"):
        UrlFiles().locate("htp://bucket/a.png")
