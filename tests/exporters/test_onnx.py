import json
import os
import subprocess
import sys

import numpy as np
import onnx as onnx_format
import onnxruntime
import pytest
import tiny
from cases import quick

from tfsr.decoders import DECODERS
from tfsr.errors import ExportError, InvalidArgument
from tfsr.exporters import onnx, onnx_export
from tfsr.images import to_float
from tfsr.inference import ModelUpscaler, ONNXUpscaler, load_upscaler
from tfsr.inference.onnx_upscaler import METADATA, metadata_of_file
from tfsr.models import Bicubic, ImplicitSR
from tfsr.presets import DEFAULT, from_preset, save_preset

LR = (12, 10)

SMALL = {
    "liif": {"hidden": [8, 8]},
    "lte": {"waves": 4, "hidden": [8]},
    "lm-liif": {"hidden": [8, 8], "latent_hidden": [8], "code": 4},
    "lm-lte": {"hidden": [8, 8], "latent_hidden": [8], "waves": 4, "render_waves": 2},
    "diinn": {"width": 8},
    "arasfsr": tiny.ARASFSR,
}


def small(decoder):
    return ImplicitSR(tiny.MODEL["encoder"], {"name": decoder, **SMALL.get(decoder, {})})


@pytest.fixture(scope="module")
def model():
    """A linear decoder, whose integer scales are one convolution."""
    return ImplicitSR.from_config(tiny.MODEL)


@pytest.fixture(scope="module")
def any_size(model, tmp_path_factory):
    """A file of any size; an export was killed in its folder before."""
    path = tmp_path_factory.mktemp("exported") / "any.onnx"
    (path.parent / ".tfsr-0123456789abcdef.tmp").touch()
    return path, onnx(model, path, metadata={"licence": "made by the test"})


@pytest.fixture(scope="module")
def of_scale(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "x3.onnx"
    onnx(model, path, scale=3)
    return path


def operators(path):
    return {node.op_type for node in onnx_format.load(path).graph.node}


def check_output(model, path, lr_size, size, count=1):
    """Run a file by onnxruntime, and compare its output with the model's."""
    session = onnxruntime.InferenceSession(path.read_bytes())
    images = np.stack([to_float(tiny.image(*lr_size, seed)) for seed in range(count)])
    feed = {"image": images}
    if len(session.get_inputs()) > 1:
        feed["size"] = np.array(size, np.int32)
    (output,) = session.run(None, feed)
    expected = np.clip(model.upscale(images, size), 0, 1)
    assert (output.shape, output.dtype) == (expected.shape, np.float32)
    np.testing.assert_allclose(output, expected, atol=1e-5)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    ("lr_size", "size"), [(LR, (24, 20)), ((5, 31), (77, 32)), ((1, 1), (9, 7)), (LR, LR)]
)
def test_one_file_upscales_any_size_to_any_size(lr_size, size, count, model, any_size):
    check_output(model, any_size[0], lr_size, size, count)


KINDS = {"any": {}, "x3": {"scale": 3}, "sizes": {"lr_size": LR, "size": (31, 37)}}


@pytest.fixture(scope="module")
def exported_elsewhere(model, tmp_path_factory):
    """The folder of a preset, and of its files from a process that hashes texts otherwise."""
    folder = tmp_path_factory.mktemp("elsewhere")
    save_preset(model, folder / "preset", {})
    program = (
        "import sys, tfsr; from pathlib import Path; folder = Path(sys.argv[1]); "
        "model = tfsr.from_preset(folder / 'preset')\n"
        f"for kind, options in {KINDS!r}.items(): "
        "tfsr.exporters.onnx(model, folder / f'{kind}.onnx', **options)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", program, str(folder)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_two_exports_are_the_same_bytes(kind, exported_elsewhere, tmp_path):
    """The names of this process are counted on."""
    model = from_preset(exported_elsewhere / "preset")
    onnx(model, tmp_path / "a.onnx", **KINDS[kind])
    assert (tmp_path / "a.onnx").read_bytes() == (exported_elsewhere / f"{kind}.onnx").read_bytes()


def test_more_than_one_patch(model, any_size):
    # No integer scale: there the model is one convolution, which rounds in another way.
    check_output(model, any_size[0], (40, 50), (201, 251), 2)


@pytest.mark.parametrize("lr_size", [LR, (5, 31), (1, 1)])
def test_one_scale_of_any_size_is_convolutions_and_a_shuffle(lr_size, model, of_scale):
    check_output(model, of_scale, lr_size, tuple(3 * side for side in lr_size), 2)
    assert "DepthToSpace" in operators(of_scale)
    assert not {"Loop", "Gather", "GatherND"} & operators(of_scale)


@pytest.mark.slow
def test_one_scale_that_is_no_integer(model, tmp_path):
    report = onnx(model, tmp_path / "a.onnx", scale=2.7)
    assert report.largest_difference < 1e-5
    upscaler = ONNXUpscaler(report.path)
    # Rounded as everywhere: 13.5 and 29.7.
    assert upscaler(tiny.image(5, 11), (14, 30)).shape == (14, 30, 3)
    with pytest.raises(InvalidArgument, match="upscales by 2.7 only; received 11x5 and 30x13"):
        upscaler(tiny.image(5, 11), (13, 30))


@pytest.mark.parametrize("decoder", quick(["arasfsr-linear"], DECODERS.names()))
def test_every_decoder_is_exported_at_fixed_sizes(decoder, tmp_path):
    size = 31, 37
    report = onnx(small(decoder), tmp_path / "a.onnx", lr_size=LR, size=size)
    assert report.largest_difference < 1e-5
    names = {"image": ["batch", 12, 10, 3], "output": ["batch", *size, 3]}
    session = onnxruntime.InferenceSession(report.path.read_bytes())
    assert {x.name: x.shape for x in (*session.get_inputs(), *session.get_outputs())} == names


@pytest.mark.slow
def test_a_perceptron_is_exported_for_any_size(tmp_path):
    assert onnx(small("diinn"), tmp_path / "a.onnx").largest_difference < 1e-5


@pytest.mark.slow
def test_a_shipped_preset(tmp_path):
    model = from_preset(DEFAULT)
    report = onnx(model, tmp_path / "x4.onnx", scale=4)
    assert report.bytes < 1.3 * 4 * model.count_params()
    check_output(model, report.path, (30, 20), (120, 80))


ALONE = """
import json, sys
sys.modules.update(dict.fromkeys(("tfsr", "keras", "tensorflow", "onnx", "tf2onnx")))
import numpy, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
image = numpy.load(sys.argv[2])
(output,) = session.run(None, {"image": image, "size": numpy.array([33, 50], numpy.int32)})
numpy.save(sys.argv[2], output)
print(json.loads(session.get_modelmeta().custom_metadata_map["tfsr.json"])["licence"])
"""


def test_a_file_needs_onnxruntime_alone_and_says_what_it_is(model, any_size, tmp_path):
    image = to_float(tiny.image(*LR))[None]
    np.save(tmp_path / "a.npy", image)
    command = [sys.executable, "-I", "-c", ALONE, any_size[0], tmp_path / "a.npy"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.stdout, run.returncode) == ("made by the test\n", 0), run.stderr
    expected = np.clip(model.upscale(image, (33, 50)), 0, 1)
    np.testing.assert_allclose(np.load(tmp_path / "a.npy"), expected, atol=1e-5)


def test_a_file_is_valid_onnx_and_described(model, any_size):
    path, report = any_size
    assert os.listdir(path.parent) == [path.name]
    assert report.bytes == path.stat().st_size
    proto = onnx_format.load(path)
    onnx_format.checker.check_model(proto, full_check=True)
    assert proto.producer_name == "tfsr"
    assert {opset.domain: opset.version for opset in proto.opset_import}[""] == 18
    assert not {node.domain for node in proto.graph.node} - {"", "ai.onnx"}
    found = metadata_of_file(path)
    assert (found["lr_size"], found["size"], found["scale"]) == (None, None, None)
    assert ImplicitSR.from_config(found["model"]).count_params() == model.count_params()
    session = onnxruntime.InferenceSession(path.read_bytes())
    assert {x.name: (x.type, x.shape) for x in session.get_inputs()} == {
        "image": ("tensor(float)", ["batch", "height", "width", 3]),
        "size": ("tensor(int32)", [2]),
    }
    [output] = session.get_outputs()
    assert output.shape == ["batch", "output_height", "output_width", 3]


# As an upscaler.


def test_a_file_upscales_as_its_model_does(model, any_size, of_scale):
    expected = ModelUpscaler(model)
    for path, size in [(any_size[0], (31, 37)), (any_size[0], (6, 20)), (of_scale, (36, 30))]:
        upscaler = load_upscaler(path, threads=1)
        assert (upscaler.kind, upscaler.bit_depth) == ("ONNX file", 16)
        for image in (tiny.image(*LR), tiny.image(*LR).astype(np.uint16) * 257):
            output = upscaler(image, size)
            assert output.dtype == image.dtype
            difference = np.abs(output.astype(int) - expected(image, size))
            assert difference.max() <= np.iinfo(image.dtype).max // 255


def test_other_sizes_are_refused(model, of_scale, tmp_path):
    with pytest.raises(InvalidArgument, match="upscales by 3 only; received 10x12 and 20x24"):
        ONNXUpscaler(of_scale)(tiny.image(*LR), (24, 20))
    path = onnx(model, tmp_path / "a.onnx", lr_size=LR, scale=2).path
    upscaler = ONNXUpscaler(path)
    assert upscaler(tiny.image(*LR), (24, 20)).shape == (24, 20, 3)
    with pytest.raises(InvalidArgument, match="takes 10x12 and returns 20x24; received 12x10 and"):
        upscaler(tiny.image(10, 12), (24, 20))


def test_an_image_too_large_to_encode_is_refused(any_size):
    upscaler = ONNXUpscaler(any_size[0])
    side = int(upscaler.metadata["max_input_pixels"] ** 0.5) + 1
    assert upscaler.unsupported_reason((side - 1, side - 1), (side, side)) is None
    assert "encodes at most" in upscaler.unsupported_reason((side, side), (side, side))
    # It is reduced before.
    assert upscaler.unsupported_reason((side, side), (9, 9)) is None


# What is refused.


@pytest.mark.parametrize(
    ("error", "message", "options"),
    [
        (InvalidArgument, "scale must be a number, at least 1; received 0.5", {"scale": 0.5}),
        (InvalidArgument, "scale must be .* received nan", {"scale": float("nan")}),
        (InvalidArgument, "size is of a fixed lr_size", {"size": (8, 8)}),
        (InvalidArgument, "lr_size needs exactly one", {"lr_size": LR}),
        (InvalidArgument, "lr_size needs exactly", {"lr_size": LR, "size": LR, "scale": 2}),
        (InvalidArgument, "lr_size must be 1x1 to 100", {"lr_size": (0, 4), "scale": 2}),
        (InvalidArgument, "size must be 1x1 to 100", {"lr_size": (4, 4), "scale": 1e5}),
        (InvalidArgument, "size must not be smaller", {"lr_size": LR, "size": (24, 9)}),
        (ExportError, "suffix must be .onnx", {"name": "a.bin"}),
        (ExportError, "cannot be written there", {"name": "none/a.onnx"}),
        (ExportError, "received a Bicubic", {"model": Bicubic()}),
    ],
)
def test_what_cannot_be_exported_is_one_line(error, message, options, model, tmp_path):
    path = tmp_path / options.pop("name", "a.onnx")
    with pytest.raises(error, match=message) as caught:
        onnx(options.pop("model", model), path, **options)
    assert "\n" not in str(caught.value)
    assert not [*tmp_path.iterdir()]


def test_a_file_that_disagrees_is_not_written(model, tmp_path, monkeypatch):
    right = onnx_export.unroll

    def wrong(*arguments, **options):
        upscale = right(*arguments, **options)
        return lambda image: upscale(image) + 1e-3

    monkeypatch.setattr(onnx_export, "unroll", wrong)
    with pytest.raises(ExportError, match="not written: differs from the model by 0.001"):
        onnx(model, tmp_path / "a.onnx", lr_size=LR, scale=2)
    assert not [*tmp_path.iterdir()]


def test_without_the_extra_what_to_install_is_said(model, any_size, tmp_path, monkeypatch):
    for name in ("tf2onnx.convert", "onnxruntime", "onnx"):
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(ExportError, match=r"pip install 'tfsr\[onnx\]'"):
            if name == "tf2onnx.convert":
                onnx(model, tmp_path / "a.onnx", scale=2)
            else:
                ONNXUpscaler(any_size[0])


def test_damaged_files_are_one_line(of_scale, tmp_path):
    content = of_scale.read_bytes()
    plain = onnx_format.load_model_from_string(content)
    described = json.loads(plain.metadata_props[0].value)
    del plain.metadata_props[:]
    path = tmp_path / "a.onnx"
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 64]) + content[middle + 1 :]
    wrong = onnx_format.load_model_from_string(content)
    wrong.metadata_props[0].value = json.dumps({**described, "scale": "three"})
    cases = [b"", b"no model", bytes(500), content[:-9], flipped, wrong.SerializeToString()]
    for damaged in (*cases, plain.SerializeToString()):
        path.write_bytes(damaged)
        with pytest.raises(ExportError, match="a.onnx: ") as caught:
            ONNXUpscaler(path)
        assert "\n" not in str(caught.value) and METADATA in str(caught.value) + METADATA
    with pytest.raises(ExportError, match="none.onnx: cannot be read: No such file"):
        ONNXUpscaler(tmp_path / "none.onnx")
