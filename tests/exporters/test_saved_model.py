import io
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
import tensorflow as tf
import tiny
from cases import quick
from google.protobuf.empty_pb2 import Empty
from google.protobuf.unknown_fields import UnknownFieldSet
from PIL import Image
from tensorflow.core.framework.tensor_pb2 import TensorProto

from tfsr.errors import ExportError, InvalidArgument
from tfsr.exporters import saved_model_export, verification
from tfsr.exporters.endpoints import Endpoints, ServingLimits
from tfsr.exporters.warmup import ServingRequest
from tfsr.images import read, to_float, to_uint8
from tfsr.inference import ModelUpscaler
from tfsr.inference.saved_model_upscaler import METADATA, SavedModelUpscaler, version_directory
from tfsr.models import ImplicitSR, SubPixelSR

# The module itself; its function may hide it under the same name.

DECODERS = {
    "liif": {"hidden": [8, 8]},
    "ipe-liif": {"hidden": [8, 8]},
    "metasr": {"hidden": 8},
    "lte": {"waves": 4, "hidden": [8]},
    "lm-liif": {"hidden": [8, 8], "latent_hidden": [8], "code": 4},
    "lm-lte": {"hidden": [8, 8], "latent_hidden": [8], "waves": 4, "render_waves": 2},
    "diinn": {"width": 8},
    "diinn-ensemble": {"width": 8},
    "arasfsr": tiny.ARASFSR,
    "thera": {"waves": 4},
    "ope": {"terms": 3},
    "gb-lsr": {"terms": 4},
    "arasfsr-linear": {"hidden": [8, 8], "functions": 4, "frequency_features": 4},
}
every_decoder = pytest.mark.parametrize("decoder", quick(["arasfsr-linear"], DECODERS))

LIMITS = ServingLimits(input_pixels=3000, output_pixels=40_000)


@cache
def small(decoder):
    return ImplicitSR(tiny.MODEL["encoder"], {"name": decoder, **DECODERS[decoder]})


@cache
def functions(decoder="arasfsr-linear"):
    """What is exported of a model, not yet saved."""
    return Endpoints(small(decoder), LIMITS).functions()


def int32(*numbers):
    return np.array(numbers, np.int32)


def batch(*images):
    return np.stack([to_float(image) for image in images])


def rendered(model, images, size, window=None):
    """What the Keras model renders, clipped."""
    plan = model.plan(images.shape[1:3], size, window)
    return np.clip(np.asarray(model.render(model.encode(images), plan)), 0, 1)


def check_equal(found, expected):
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0)


# What is rendered.


@every_decoder
def test_any_size_is_the_models(decoder):
    images = batch(tiny.image(15, 21, 1), tiny.image(15, 21, 2))
    for size in [(30, 42), (45, 63), (37, 100), (15, 22), (15, 21)]:
        output = functions(decoder)["upscale_float"](images, int32(*size))
        check_equal(output["output"].numpy(), rendered(small(decoder), images, size))


@pytest.mark.parametrize(
    "decoder",
    quick(["metasr", "diinn"], ["arasfsr", "metasr", "diinn", "lm-lte", "arasfsr-linear"]),
)
def test_latents_are_rendered_in_windows(decoder):
    images = batch(tiny.image(15, 21))
    latent = functions(decoder)["encode"](images)["latent"]
    for size, window in [((60, 84), (7, 11, 40, 60)), ((211, 173), (210, 0, 1, 173))]:
        output = functions(decoder)["render"](latent, int32(*size), int32(*window))
        check_equal(output["output"].numpy(), rendered(small(decoder), images, size, window))


def test_images_of_many_pieces_and_of_one():
    images = batch(tiny.image(15, 21))
    for size in [(200, 199), (16, 2_400), (1_900, 21), (15, 2_600), (15, 21)]:
        output = functions()["upscale_float"](images, int32(*size))
        check_equal(output["output"].numpy(), rendered(small("arasfsr-linear"), images, size))


def test_eight_bits_in_and_out():
    images = np.stack([tiny.image(15, 21, seed) for seed in range(2)])
    output = functions()["serving_default"](images, int32(37, 50))["output"].numpy()
    expected = rendered(small("arasfsr-linear"), batch(*images), (37, 50))
    assert output.dtype == np.uint8
    np.testing.assert_array_equal(output, np.stack([to_uint8(x) for x in expected]))


def test_images_are_padded_to_the_encoders_multiple(block_means):
    model = ImplicitSR(block_means, {"name": "liif", **DECODERS["liif"]})
    upscale = Endpoints(model, LIMITS).functions()["upscale_float"]
    for lr_size in [(15, 21), (8, 12), (1, 2)]:
        images = batch(tiny.image(*lr_size))
        output = upscale(images, int32(37, 50))["output"].numpy()
        check_equal(output, rendered(model, images, (37, 50)))


@pytest.mark.slow
def test_a_re_parameterised_encoder_is_exported_folded(tmp_path):
    encoder = {"name": "span", "features": 8, "blocks": 1, "input_scale": 10.0}
    model = ImplicitSR(encoder, {"name": "metasr", **DECODERS["metasr"]})
    report = saved_model_export.saved_model(model, tmp_path / "exported")
    assert report.largest_difference < 1e-5
    description = json.loads((report.path / METADATA).read_text())
    assert description["model"]["encoder"] == {**encoder, "folded": True}


# Files in and out.


def encoded(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def decoded(content):
    return np.array(Image.open(io.BytesIO(content)))


FORMS = [
    *[("RGB", "PNG"), ("L", "PNG"), ("RGBA", "PNG"), ("LA", "PNG"), ("P", "PNG")],
    *[("RGB", "JPEG"), ("L", "JPEG"), ("CMYK", "JPEG")],
]


def test_a_file_is_rendered_as_its_pixels_are(tmp_path):
    for mode, form in FORMS:
        content = encoded(Image.fromarray(tiny.image(15, 21)).convert(mode), form)
        output = functions()["upscale_bytes"](content, int32(37, 50))["output_bytes"].numpy()
        path = tmp_path / "output"
        path.write_bytes(content)
        expected = functions()["serving_default"](read(path)[None], int32(37, 50))["output"]
        assert output.startswith(b"\x89PNG")
        np.testing.assert_array_equal(decoded(output), expected[0], err_msg=f"{mode} {form}")


def test_several_files_of_several_sizes():
    images = [tiny.image(15, 21), tiny.image(20, 12)]
    files = [encoded(Image.fromarray(p), "PNG") for p in images]
    outputs = functions()["upscale_bytes"](files, int32(37, 50))["output_bytes"]
    assert outputs.shape == (2,)
    for image, output in zip(images, outputs.numpy(), strict=True):
        expected = functions()["serving_default"](image[None], int32(37, 50))["output"]
        np.testing.assert_array_equal(decoded(output), expected[0])


PNG = encoded(Image.fromarray(tiny.image(15, 21)), "PNG")
JPEG = encoded(Image.fromarray(tiny.image(15, 21)), "JPEG")


def png_of_size(width, height):
    """A PNG whose header says so: its pixels are those of a small one."""
    return PNG[:16] + struct.pack(">II", width, height) + PNG[24:]


def jpeg_of_size(width, height):
    start = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:start] + struct.pack(">HH", height, width) + JPEG[start + 4 :]


REFUSED_FILES = [
    (png_of_size(60, 60), "more than 3000 pixels to upscale"),
    (jpeg_of_size(65_000, 65_000), "more than 3000 pixels to upscale"),
    (png_of_size(2**32 - 1, 2**32 - 1), "size of an image must be .* 1 to 16777216"),
    (png_of_size(0, 5), "size of an image must be .* 1 to 16777216"),
    (encoded(Image.fromarray(tiny.image(9, 9)), "GIF"), "must be a JPEG or a PNG"),
    (encoded(Image.fromarray(tiny.image(9, 9)), "WEBP"), "must be a JPEG or a PNG"),
    (b"", "must be a JPEG or a PNG"),
    (PNG[:20], "must be a JPEG or a PNG"),
    (
        encoded(Image.fromarray(np.zeros((4, 5), np.uint16)), "PNG"),
        "8 bits a channel; it has. .16",
    ),
    (PNG[:100], "Invalid PNG"),
    (JPEG[: len(JPEG) // 2], "Invalid JPEG"),
    (encoded(Image.fromarray(tiny.image(38, 21)), "PNG"), "size must not be smaller"),
    (b"\xff\xd8\xff no image", "Invalid JPEG"),
]


def test_a_file_that_is_no_image_for_it_is_refused():
    for content, message in REFUSED_FILES:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            functions()["upscale_bytes"](content, int32(37, 50))


def test_the_pixels_of_several_files_add_up():
    many = [PNG] * 10  # 315 pixels each.
    with pytest.raises(tf.errors.InvalidArgumentError, match="more than 3000 pixels to upscale"):
        functions()["upscale_bytes"](many, int32(5, 5))


# What is refused.


REFUSED_SIZES = [
    ((1, 4, 5, 3), (0, 5), "size must be .height, width., each from 1 to 16777216; received. .0 5"),
    ((1, 4, 5, 3), (2**24 + 1, 1), "size must be"),
    ((1, 4, 5, 3), (2**31 - 1, 2**31 - 1), "size must be"),
    ((1, 4, 5, 3), (200, 201), "more than 40000 pixels in the output:. .200 201"),
    ((2, 4, 5, 3), (200, 101), "more than 40000 pixels in the output"),
    ((1, 50, 61, 3), (5, 5), "more than 3000 pixels to upscale"),
    ((2, 50, 31, 3), (5, 5), "more than 3000 pixels to upscale"),
    ((1, 0, 5, 3), (5, 5), "must not be empty"),
    ((1, 8, 5, 3), (7, 50), "size must not be smaller than the input: .*received. .7 50"),
    ((0, 4, 5, 3), (5, 5), "must not be empty"),
]


@pytest.mark.parametrize(
    ("signature", "dtype"), [("serving_default", np.uint8), ("upscale_float", np.float32)]
)
def test_an_impossible_or_too_large_request_is_refused(signature, dtype):
    for shape, size, message in REFUSED_SIZES:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            functions()[signature](np.zeros(shape, dtype), int32(*size))


def test_a_window_outside_the_output_is_refused():
    latent = functions()["encode"](batch(tiny.image(15, 21)))["latent"]
    far = 2**31 - 1
    for window in [(-1, 0, 5, 5), (0, 0, 0, 5), (0, 0, 61, 5), (0, 80, 5, 5), (far, 0, far, 1)]:
        with pytest.raises(tf.errors.InvalidArgumentError, match="must lie inside the output"):
            functions()["render"](latent, int32(60, 84), int32(*window))


def test_a_window_counts_its_own_pixels_alone():
    latent = functions()["encode"](batch(tiny.image(15, 21)))["latent"]
    image = functions()["render"](latent, int32(10**6, 10**6), int32(5, 6, 20, 30))["output"]
    assert image.shape == (1, 20, 30, 3)


# What is written.


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The directory of all versions, and the report of one that was written, run and compared."""
    directory = tmp_path_factory.mktemp("served") / "deep" / "tiny"
    model = small("arasfsr-linear")
    kept = {"licence": "made by the test"}
    return directory, saved_model_export.saved_model(
        model, directory, version=7, warmup=True, metadata=kept
    )


@pytest.fixture
def unchecked(monkeypatch):
    """Exports that are not run in a process of their own."""
    monkeypatch.setattr(saved_model_export, "compare_saved_model", lambda *arguments: (0.0, np.inf))


@pytest.mark.slow
def test_a_report_says_where_how_large_and_how_near(exported):
    directory, report = exported
    assert report.path == directory / "7"
    files = [path for path in report.path.rglob("*") if path.is_file()]
    assert report.bytes == sum(path.stat().st_size for path in files)
    assert report.largest_difference <= 1e-5
    assert report.psnr_vs_model > 100


def test_nothing_is_left_beside_the_version(exported):
    directory, _ = exported
    assert [path.name for path in directory.iterdir()] == ["7"]


def test_metadata_travels(exported):
    found = json.loads((exported[1].path / METADATA).read_text())
    assert found["licence"] == "made by the test"
    assert found["model"]["decoder"]["name"] == "arasfsr-linear"
    assert len(found["weights_sha256"]) == 64
    # What 4 GiB encode.
    assert found["max_input_pixels"] == 2**32 // found["bytes_per_input_pixel"]
    assert found["max_output_pixels"] == 100_000_000
    assert ImplicitSR.from_config(found["model"]).count_params()


@pytest.mark.slow
def test_it_runs_where_tfsr_cannot_be_imported(exported):
    program = (
        "import sys, numpy as np\n"
        "sys.modules.update(tfsr=None, keras=None)\n"
        "import tensorflow as tf\n"
        "signatures = tf.saved_model.load(sys.argv[1]).signatures\n"
        "image = tf.zeros((2, 5, 6, 3), tf.uint8)\n"
        "print(signatures['serving_default'](image=image, size=[11, 13])['output'].shape)\n"
        "print(*sorted(signatures))\n"
    )
    command = [sys.executable, "-I", "-c", program, exported[1].path]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    names = "encode render serving_default upscale_bytes upscale_float"
    assert run.stdout.splitlines() == ["(2, 11, 13, 3)", names]


def fields(message):
    """The numbers and contents of a message's fields, whatever it is."""
    return [
        (field.field_number, field.data) for field in UnknownFieldSet(Empty.FromString(message))
    ]


def test_warm_up_requests_are_calls_of_every_signature(exported):
    path = exported[1].path / "assets.extra" / "tf_serving_warmup_requests"
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(path))]
    assert 1 <= len(records) <= 1000
    signatures = set()
    for record in records:
        ((_, predict_log),) = fields(record)
        ((_, request),) = fields(predict_log)
        (_, spec), *inputs = fields(request)
        signatures.add(dict(fields(spec))[3].decode())
        entries = [dict(fields(entry)) for _, entry in inputs]
        tensors = {e[1].decode(): tf.make_ndarray(TensorProto.FromString(e[2])) for e in entries}
        assert {"image", "image_bytes", "latent"} & set(tensors)
    assert signatures == set(functions())


@pytest.mark.slow
def test_limits_are_set_at_export(unchecked, tmp_path):
    limits = {"max_input_pixels": 2048, "max_output_pixels": 16_384}
    saved_model_export.saved_model(small("liif"), tmp_path, **limits)
    upscale = SavedModelUpscaler(tmp_path)
    assert upscale(tiny.image(64, 32), (128, 128)).shape == (128, 128, 3)
    with pytest.raises(InvalidArgument, match="more than 2048 pixels to upscale: 1 64 33 3$"):
        upscale(tiny.image(64, 33), (70, 70))
    with pytest.raises(InvalidArgument, match="more than 16384 pixels in the output: 128 129$"):
        upscale(tiny.image(10, 10), (128, 129))


def test_limits_below_the_checks_own_images_are_refused(tmp_path):
    for limits in ({"max_input_pixels": 2047}, {"max_output_pixels": 16_383}):
        with pytest.raises(InvalidArgument, match="at least"):
            saved_model_export.saved_model(small("liif"), tmp_path, **limits)
    assert not list(tmp_path.iterdir())


# What is not written.


def test_a_version_is_never_written_over(exported):
    directory, report = exported
    before = (report.path / "saved_model.pb").read_bytes()
    with pytest.raises(ExportError, match=f"{directory}/7: already exists"):
        saved_model_export.saved_model(small("liif"), directory, version=7)
    assert (report.path / "saved_model.pb").read_bytes() == before


@pytest.fixture
def written(monkeypatch):
    """Exports are written in a moment: only what is done with them is of interest."""
    monkeypatch.setattr(saved_model_export, "_save", lambda model, directory, limits: None)
    monkeypatch.setattr(saved_model_export, "make_examples", lambda model: EXAMPLES)


REQUEST = ServingRequest("serving_default", {"image": tiny.image(4, 4)[None], "size": int32(4, 4)})
EXAMPLES = [(REQUEST, np.zeros((1, 4, 4, 3), np.float32))]


def fails(tmp_path, error, message):
    directory = tmp_path / "deep" / "model"
    with pytest.raises(error, match=message):
        saved_model_export.saved_model(small("liif"), directory)
    assert not list(tmp_path.iterdir())


def test_an_export_that_does_not_run_leaves_nothing(written, monkeypatch, tmp_path):
    program = tmp_path.parent / "broken.py"
    program.write_text("raise SystemExit('no such operation')")
    monkeypatch.setattr(verification.isolated, "__file__", str(program))
    fails(tmp_path, ExportError, r"not written: .* \(exit code 1\): no such operation")


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (np.full((1, 4, 4, 3), 2, np.uint8), "serving_default differs from the model by 2 levels"),
        (np.full((1, 4, 4, 3), 2e-5, np.float32), "differs from the model by 2e-05, more than"),
        (np.full((1, 4, 4, 3), np.nan, np.float32), "differs from the model by inf"),
    ],
)
def test_an_export_that_renders_something_else_leaves_nothing(
    output, message, written, monkeypatch, tmp_path
):
    monkeypatch.setattr(verification, "_run_isolated", lambda *arguments: [("output", output)])
    fails(tmp_path, ExportError, f"deep/model/1: not written: {message}")


def test_an_interrupted_export_leaves_nothing(written, monkeypatch, tmp_path):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(verification, "_run_isolated", interrupted)
    fails(tmp_path, KeyboardInterrupt, None)


def test_a_full_disk_is_reported_in_the_systems_words(written, monkeypatch, tmp_path):
    def write(model, directory, limits):
        tf.train.Checkpoint(variable=tf.Variable(tf.zeros(100_000))).write(str(directory / "part"))

    monkeypatch.setattr(saved_model_export, "_save", write)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, old[1]))
    try:
        fails(tmp_path, ExportError, "deep/model/1: cannot be written: File too large$")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def test_what_a_killed_export_left_is_removed(unchecked, monkeypatch, tmp_path):
    def write(model, directory, limits):
        (directory / METADATA).parent.mkdir()

    monkeypatch.setattr(saved_model_export, "_save", write)
    (tmp_path / ".tfsr-0123456789abcdef.tmp" / "variables").mkdir(parents=True)
    saved_model_export.saved_model(small("liif"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


def test_a_directory_that_cannot_be_made(written, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ExportError, match="file/model/1: cannot be written: Not a directory"):
        saved_model_export.saved_model(small("liif"), tmp_path / "file" / "model")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"version": 0}, "version must be an integer, at least 1; received 0"),
        ({"version": "latest"}, "version must be an integer"),
        ({"max_input_pixels": -1}, "max_input_pixels must be"),
        ({"max_output_pixels": 1.5}, "max_output_pixels must be"),
    ],
)
def test_options_that_make_no_sense(options, message, tmp_path):
    with pytest.raises(InvalidArgument, match=message):
        saved_model_export.saved_model(small("liif"), tmp_path, **options)


def test_a_model_of_one_scale_is_refused(tmp_path):
    model = SubPixelSR(tiny.MODEL["encoder"], 2)
    with pytest.raises(ExportError, match="takes an ImplicitSR; received a SubPixelSR"):
        saved_model_export.saved_model(model, tmp_path)


# What runs it.


@pytest.fixture(scope="module")
def upscale(exported):
    return SavedModelUpscaler(exported[0])


def test_it_upscales_as_the_model_does(upscale):
    model = ModelUpscaler(small("arasfsr-linear"))
    for size in [(96, 80), (77, 45), (20, 24)]:
        image = tiny.image(24, 20)
        output = upscale(image, size)
        assert output.dtype == np.uint8 and output.shape == (*size, 3)
        assert np.abs(output.astype(int) - model(image, size)).max() <= 1
    assert upscale.metadata["licence"] == "made by the test"


def test_the_highest_version_is_taken(exported, tmp_path):
    for version in ("9", "10", "newest"):
        shutil.copytree(exported[1].path, tmp_path / version)
    (tmp_path / "11").mkdir()
    assert version_directory(tmp_path) == tmp_path / "10"
    assert version_directory(tmp_path / "9") == tmp_path / "9"


def test_what_is_no_such_saved_model_is_named(exported, tmp_path):
    with pytest.raises(ExportError, match=f"{tmp_path}: holds no SavedModel"):
        SavedModelUpscaler(tmp_path)
    copy = tmp_path / "1"
    shutil.copytree(exported[1].path, copy)
    (copy / "saved_model.pb").write_bytes(b"damaged")
    with pytest.raises(ExportError, match=f"{copy}: cannot be loaded"):
        SavedModelUpscaler(tmp_path)
    (copy / METADATA).write_text("{}")
    with pytest.raises(ExportError, match="is damaged"):
        SavedModelUpscaler(tmp_path)
    (copy / METADATA).unlink()
    with pytest.raises(ExportError, match="it was not exported by tfsr"):
        SavedModelUpscaler(tmp_path)


def test_an_impossible_size_is_refused_in_one_line(upscale):
    for size in [(0, 5), (2**40, 1), (1, 2**31)]:
        with pytest.raises(InvalidArgument, match="size must be") as error:
            upscale(tiny.image(8, 8), size)
        assert "\n" not in str(error.value)


def test_what_has_no_end_is_not_read(exported, tmp_path):
    copy = tmp_path / "1"
    shutil.copytree(exported[1].path, copy)
    os.mkfifo(copy / "assets.extra" / "pipe")
    with pytest.raises(ExportError, match="pipe: is not a regular file"):
        SavedModelUpscaler(tmp_path)
    (copy / METADATA).unlink()
    (copy / METADATA).symlink_to("/dev/zero")
    with pytest.raises(ExportError, match="not a regular file"):
        SavedModelUpscaler(tmp_path)


def test_other_signatures_are_refused(tmp_path):
    class Other(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, None), tf.float32)])
        def call(self, x):
            return {"output": x}

    other = Other()
    signatures = {"serving_default": other.call, "upscale_float": other.call}
    tf.saved_model.save(other, str(tmp_path / "1"), signatures=signatures)
    (tmp_path / "1" / METADATA).parent.mkdir(exist_ok=True)
    (tmp_path / "1" / METADATA).write_text('{"format": "saved_model"}')
    with pytest.raises(ExportError, match="its signature takes"):
        SavedModelUpscaler(tmp_path)
