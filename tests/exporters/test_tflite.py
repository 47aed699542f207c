import io
import json
import math
import os
import zipfile
from collections import Counter

import numpy as np
import pytest
import tiny
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from cases import quick

from tfsr.decoders import DECODERS
from tfsr.errors import ExportError, ImageError, InvalidArgument
from tfsr.exporters import tflite, tflite_export
from tfsr.exporters.export_report import compare_arrays
from tfsr.images import to_float
from tfsr.inference import ModelUpscaler
from tfsr.inference.tflite_upscaler import (
    TFLiteUpscaler,
    metadata_of_file,
    runners,
    with_metadata,
)
from tfsr.inference.upscaler import Upscaler
from tfsr.models import Bicubic, ImplicitSR
from tfsr.presets import DEFAULT, from_preset

PLAIN = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
LR = (12, 10)
SIZES = [(24, 20), (36, 30), (31, 37)]  # x2, x3, and no whole scale.
SMALL = {
    "liif": {"hidden": [8, 8]},
    "lte": {"waves": 4, "hidden": [8]},
    "lm-liif": {"hidden": [8, 8], "latent_hidden": [8], "code": 4},
    "lm-lte": {"hidden": [8, 8], "latent_hidden": [8], "waves": 4, "render_waves": 2},
    "diinn": {"width": 8},
    "diinn-ensemble": {"width": 8},
    "arasfsr": tiny.ARASFSR,
    "arasfsr-linear": tiny.MODEL["decoder"],
    "ipe-liif": {"hidden": [8, 8]},
    "metasr": {"hidden": 8},
    "ipe-metasr": {"hidden": 8},
    "lte+": {"waves": 4, "hidden": [8]},
    "thera": {"waves": 4},
    "ope": {"terms": 3},
    "gb-lsr": {"terms": 4},
}


def small(decoder):
    return ImplicitSR(tiny.MODEL["encoder"], {**SMALL.get(decoder, {}), "name": decoder})


@pytest.fixture(scope="module")
def model():
    return ImplicitSR.from_config(tiny.MODEL)


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    """A float32 file of three sizes, and its report; an export was killed there before."""
    path = tmp_path_factory.mktemp("exported") / "model.tflite"
    (path.parent / ".tfsr-0123456789abcdef.tmp").touch()
    return path, tflite(model, path, LR, SIZES, metadata={"licence": "made by the test"})


@pytest.fixture
def faces(tmp_path):
    return sorted(tiny.folder(tmp_path / "faces", count=4).iterdir())


def operators(path):
    """Names of the operators of a file, as it was written: no delegate has taken any."""
    interpreter = Interpreter(str(path), experimental_op_resolver_type=PLAIN)
    return [operator["op_name"] for operator in interpreter._get_ops_details()]


@pytest.mark.parametrize("kind", [OpResolverType.AUTO, PLAIN], ids=["auto", "plain"])
def test_several_images_at_once_are_right_too(model, exported, kind):
    interpreter = Interpreter(str(exported[0]), experimental_op_resolver_type=kind)
    [index] = [entry["index"] for entry in interpreter.get_input_details()]
    images = np.stack([to_float(tiny.image(*LR, seed)) for seed in range(3)])
    interpreter.resize_tensor_input(index, images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(index, images)
    interpreter.invoke()
    [output] = [interpreter.get_tensor(x["index"]) for x in interpreter.get_output_details()]
    expected = np.clip(model.upscale(images, output.shape[1:3]), 0, 1)
    assert output.shape[1:3] in SIZES
    np.testing.assert_allclose(output, expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 16, 14), (1, 10, 12), (1, 6, 20), (1, 24, 5)])
def test_an_input_of_another_size_is_refused(exported, shape):
    for kind in (OpResolverType.AUTO, PLAIN):
        interpreter = Interpreter(str(exported[0]), experimental_op_resolver_type=kind)
        interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], (*shape, 3))
        with pytest.raises(RuntimeError):
            interpreter.allocate_tensors()
            interpreter.invoke()


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({}, True),  # The maps of coordinates do not fit,
        ({"global_coordinates": False}, True),  # nor do those of the edges.
        ({"global_coordinates": False, "local_ensemble": False, "skip": "nearest"}, False),
    ],
)
def test_a_convolution_of_another_size_is_refused_or_right(changes, refused, tmp_path):
    linear = ImplicitSR(tiny.MODEL["encoder"], {**tiny.MODEL["decoder"], **changes})
    tflite(linear, tmp_path / "x2.tflite", LR, [(2 * LR[0], 2 * LR[1])])
    interpreter = Interpreter(str(tmp_path / "x2.tflite"), experimental_op_resolver_type=PLAIN)
    images = np.stack([to_float(tiny.image(16, 14, seed)) for seed in range(2)])
    index = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(index, images.shape)
    if refused:
        with pytest.raises(RuntimeError):
            interpreter.allocate_tensors()
        return
    interpreter.allocate_tensors()
    interpreter.set_tensor(index, images)
    interpreter.invoke()
    output = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    expected = np.clip(linear.upscale(images, (32, 28)), 0, 1)
    np.testing.assert_allclose(output, expected, atol=1e-5)


def test_a_file_outputs_as_its_model_in_every_size(model, exported):
    path, report = exported
    image = tiny.image(*LR)
    functions = runners(path.read_bytes(), 1, path)
    assert set(functions) == {"20x24", "30x36", "37x31"}
    for size in SIZES:
        output = functions[f"{size[1]}x{size[0]}"](image=to_float(image)[None])["output"]
        expected = np.clip(model.upscale(to_float(image)[None], size), 0, 1)
        assert (output.shape, output.dtype) == ((1, *size, 3), np.float32)
        np.testing.assert_allclose(output, expected, atol=1e-5)
    assert report.bytes == path.stat().st_size
    assert report.largest_difference < 1e-5 and report.psnr_vs_model > 100


def test_nothing_is_left_beside_the_file(exported):
    assert list(exported[0].parent.iterdir()) == [exported[0]]


@pytest.mark.parametrize("decoder", quick(["arasfsr-linear", "liif"], DECODERS.names()))
def test_every_decoder_is_exported_at_integer_scales_without_a_gather(decoder, tmp_path):
    path = tmp_path / "model.tflite"
    report = tflite(small(decoder), path, (6, 7), [(12, 14)])
    assert report.largest_difference < 1e-4
    assert not {name for name in operators(path) if "GATHER" in name or "Flex" in name}


# Every GPU delegate takes these.
LINEAR_OPERATORS = {
    "CONV_2D",
    "ADD",
    "SUB",
    "MUL",
    "DEPTH_TO_SPACE",
    "MINIMUM",
    "MAXIMUM",
    "RELU",
}
TOKEN_OPERATORS = ("CONCATENATION", "LEAKY_RELU", "SPLIT")


@pytest.mark.parametrize(
    ("arguments", "more", "quantize"),
    [
        ({"frequency": False}, (), "none"),
        ({"frequency": False, "basis": "fourier"}, (), "none"),
        ({"frequency": False, "local_ensemble": False, "skip": "nearest"}, (), "none"),
        ({"frequency": False, "global_coordinates": False, "skip": "none"}, (), "none"),
        ({"frequency": True}, TOKEN_OPERATORS, "none"),
        # Quantisation only rewrites the weights of a file, here of the one with all operators.
        ({"frequency": True}, TOKEN_OPERATORS, "float16"),
    ],
    ids=str,
)
def test_a_linear_decoder_is_exported_in_operators_that_gpus_take(
    arguments, more, quantize, tmp_path
):
    small_decoder = {"hidden": [8, 8], "functions": 3, "tokens": 3, "frequency_features": 4}
    decoder = {"name": "arasfsr-linear", **small_decoder, **arguments}
    model = ImplicitSR(tiny.MODEL["encoder"], decoder)
    path = tmp_path / "model.tflite"
    # Large enough that constants are not folded for being small alone.
    report = tflite(model, path, (48, 40), [(144, 120)], quantize=quantize)
    found = Counter(operators(path))
    # A file of halves turns its weights back into floats.
    halves = {"DEQUANTIZE"} if quantize == "float16" else set()
    assert set(found) <= LINEAR_OPERATORS.union(more, halves)
    assert found["DEPTH_TO_SPACE"] == 1
    assert found["SPLIT"] <= 1 and found["CONCATENATION"] <= 1
    if quantize == "none":
        assert report.largest_difference < 1e-5


def test_different_integer_scales_transpose_four_axes(tmp_path):
    decoder = {"name": "arasfsr-linear", "hidden": [8, 8], "frequency": False}
    path = tmp_path / "model.tflite"
    model = ImplicitSR(tiny.MODEL["encoder"], decoder)
    assert tflite(model, path, (6, 7), [(24, 14)]).largest_difference < 1e-5
    assert set(operators(path)) <= LINEAR_OPERATORS | {"RESHAPE", "TRANSPOSE"}
    interpreter = Interpreter(str(path))
    assert max(len(tensor["shape"]) for tensor in interpreter.get_tensor_details()) == 4


@pytest.mark.parametrize(
    ("decoder", "convolutions"),
    [
        # The latent network's, the tail's and the skip's.
        ({"name": "arasfsr-linear", "hidden": [8, 8], "frequency": False}, 2 + 1 + 1),
        ({"name": "metasr", "hidden": 8}, 1),
        # The weights of its bias are a constant.
        ({"name": "gb-lsr", "terms": 3}, 1),
        ({"name": "gb-lsr", "terms": 3, "skip": "bilinear"}, 2),
        # With 3x3 kernels, ensemble and projection stay apart.
        ({"name": "ope", "terms": 3}, 2),
        ({"name": "ope", "terms": 3, "local_ensemble": False}, 1),
        # Its field, whose phases are no linear layer's.
        ({"name": "thera", "waves": 4}, 1 + 1 + 1),
    ],
    ids=str,
)
def test_a_linear_decoder_is_exported_as_one_convolution(decoder, convolutions, tmp_path):
    path = tmp_path / "model.tflite"
    report = tflite(ImplicitSR(tiny.MODEL["encoder"], decoder), path, (6, 7), [(12, 14)])
    assert report.largest_difference < 1e-5
    # The encoder's: head, two of its block, and the one after.
    assert operators(path).count("CONV_2D") == 4 + convolutions


@pytest.mark.parametrize(
    ("encoder", "convolutions"), quick([("ecb", 4)], [("span", 1 + 3 * 2 + 2), ("ecb", 4)])
)
def test_re_parameterised_encoders_are_exported_folded(encoder, convolutions, tmp_path):
    path = tmp_path / "model.tflite"
    encoder = {"name": encoder, "features": 8, "blocks": 2}
    model = ImplicitSR(encoder, {"name": "metasr", "hidden": 8})
    report = tflite(model, path, (6, 7), [(12, 14)])
    assert report.largest_difference < 1e-4
    # Those of the encoder, and the decoder's own, as in the test above.
    assert operators(path).count("CONV_2D") == convolutions + 1
    with zipfile.ZipFile(path) as archive:
        description = json.loads(archive.read("tfsr.json"))
    assert description["model"]["encoder"]["folded"] is True


@pytest.mark.parametrize("lr", [(8, 4), pytest.param((6, 7), marks=pytest.mark.slow)])
def test_images_are_padded_to_the_encoders_multiple(lr, block_means, tmp_path):
    model = ImplicitSR(block_means, {"name": "liif", "hidden": [8, 8]})
    report = tflite(model, tmp_path / "model.tflite", lr, [(12, 14)])
    assert report.largest_difference < 1e-5


def test_other_scales_gather_along_axes_only(model, tmp_path):
    path = tmp_path / "model.tflite"
    tflite(model, path, (6, 7), [(11, 16)])
    assert "GATHER" in operators(path)
    assert "GATHER_ND" not in operators(path)


@pytest.mark.slow
@pytest.mark.parametrize("decoder", ["lm-liif", "lm-lte"])
@pytest.mark.parametrize("size", [(11, 16), (8, 15)])
def test_decoders_that_see_the_cell_are_exported_at_other_scales(decoder, size, tmp_path):
    report = tflite(small(decoder), tmp_path / "model.tflite", (6, 7), [size])
    assert report.largest_difference < 1e-4


def test_small_memory_renders_in_bands_and_the_same_image(model, exported, tmp_path):
    path = tmp_path / "model.tflite"
    tflite(model, path, LR, SIZES[:1], max_memory=50_000)
    assert len(path.read_bytes()) != len(exported[0].read_bytes())
    image = tiny.image(*LR)
    found = TFLiteUpscaler(path)(image, SIZES[0])
    np.testing.assert_array_equal(found, TFLiteUpscaler(exported[0])(image, SIZES[0]))


def test_nothing_is_folded_per_pixel(tmp_path):
    model = from_preset(DEFAULT)
    report = tflite(model, tmp_path / "model.tflite", (64, 64), [(256, 256)])
    assert report.bytes < 1.3 * 4 * model.count_params()


@pytest.mark.parametrize(("quantize", "decibels"), [("float16", 55), ("dynamic", 45), ("int8", 45)])
def test_quantised_files_agree_with_the_model(quantize, decibels, faces, tmp_path):
    # Kernels of less than 1024 weights are not quantised by "dynamic".
    model = ImplicitSR({**tiny.MODEL["encoder"], "features": 16}, tiny.MODEL["decoder"])
    path = tmp_path / "model.tflite"
    report = tflite(model, path, (24, 24), [(48, 48)], quantize=quantize, calibration=faces)
    assert decibels < report.psnr_vs_model < 130
    image = tiny.image(24, 24)
    found = TFLiteUpscaler(path)(image, (48, 48)).astype(int)
    assert np.abs(found - ModelUpscaler(model)(image, (48, 48))).mean() < 2


def test_bytes_in_and_bytes_out(model, tmp_path):
    path = tmp_path / "model.tflite"
    tflite(model, path, LR, SIZES[:1], io="uint8")
    image = tiny.image(*LR)
    output = runners(path.read_bytes(), 1, path)["20x24"](image=image[None])["output"][0]
    assert output.dtype == np.uint8
    expected = ModelUpscaler(model)(image, SIZES[0])
    assert np.abs(output.astype(int) - expected).max() <= 1
    np.testing.assert_array_equal(TFLiteUpscaler(path)(image, SIZES[0]), output)


def test_the_description_travels_in_the_file(model, exported):
    path, report = exported
    with zipfile.ZipFile(path) as archive:
        description = json.loads(archive.read("tfsr.json"))
    assert description["lr_size"] == list(LR)
    assert description["sizes"] == [list(size) for size in SIZES]
    assert (description["io"], description["range"], description["quantize"]) == (
        "float32",
        [0, 1],
        "none",
    )
    assert description["licence"] == "made by the test"
    assert ImplicitSR.from_config(description["model"]).count_params() == model.count_params()
    assert description["psnr_vs_model"] == pytest.approx(report.psnr_vs_model, abs=0.01)


def test_a_file_that_exists_is_replaced_when_asked(tmp_path):
    path, arguments = tmp_path / "model.tflite", ((6, 7), [(12, 14)])
    path.write_bytes(b"mine")
    with pytest.raises(ExportError, match="exists; overwrite=True"):
        tflite(small("metasr"), path, *arguments)
    assert path.read_bytes() == b"mine"
    tflite(small("metasr"), path, *arguments, overwrite=True)
    assert metadata_of_file(path)["lr_size"] == [6, 7]
    assert os.listdir(tmp_path) == ["model.tflite"]


def test_a_file_that_appears_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "model.tflite"
    compare = tflite_export._compare

    def appear(*arguments):
        path.write_bytes(b"mine")
        return compare(*arguments)

    monkeypatch.setattr(tflite_export, "_compare", appear)
    with pytest.raises(ExportError, match="exists since this began"):
        tflite(small("metasr"), path, (6, 7), [(12, 14)])
    assert path.read_bytes() == b"mine" and os.listdir(tmp_path) == ["model.tflite"]


def test_a_file_upscales_8_bit_images_of_its_own_size_only(model, exported):
    upscaler = TFLiteUpscaler(exported[0])
    image = tiny.image(*LR)
    found = upscaler(image, SIZES[2]).astype(int)
    assert np.abs(found - ModelUpscaler(model)(image, SIZES[2])).max() <= 1
    with pytest.raises(InvalidArgument, match="takes 10x12 and returns .*; received 12x10"):
        upscaler(tiny.image(10, 12), SIZES[2])
    with pytest.raises(InvalidArgument, match="30x36, 37x31; received 10x12 and 40x40"):
        upscaler(image, (40, 40))


def check_refused(tmp_path, error, message, model, *arguments, name="model.tflite", **options):
    with pytest.raises(error, match=message) as caught:
        tflite(model, tmp_path / name, *arguments, **options)
    assert "\n" not in str(caught.value)
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".tflite", ".tmp")]


@pytest.mark.parametrize(
    ("error", "message", "arguments", "options"),
    [
        (InvalidArgument, "lr_size must be 1x1 to 100", ((0, 4), [(8, 8)]), {}),
        (InvalidArgument, "sizes must be 1x1 to 100", ((4, 4), [(8, 0)]), {}),
        (InvalidArgument, "lr_size .* 60000x60000", ((60000, 60000), [(8, 8)]), {}),
        (InvalidArgument, "sizes .* 60000x60000", ((4, 4), [(60000, 60000)]), {}),
        (InvalidArgument, "sizes must be one or more", ((4, 4), []), {}),
        (
            InvalidArgument,
            "sizes must not be smaller than the input's 4x6: .* received 8x5",
            ((6, 4), [(12, 8), (5, 8)]),
            {},
        ),
        (InvalidArgument, "each once", ((4, 4), [(8, 8), (8, 8)]), {}),
        (InvalidArgument, "Did you mean 'int8'", ((4, 4), [(8, 8)]), {"quantize": "int-8"}),
        (InvalidArgument, "io must be one of float32, uint8", ((4, 4), [(8, 8)]), {"io": "int8"}),
        (InvalidArgument, "int8 needs calibration", ((4, 4), [(8, 8)]), {"quantize": "int8"}),
        (ExportError, "suffix must be .tflite", ((4, 4), [(8, 8)]), {"name": "model.lite"}),
        (ExportError, "cannot be written", ((4, 4), [(8, 8)]), {"name": "none/model.tflite"}),
        (
            ImageError,
            "No such file",
            ((4, 4), [(8, 8)]),
            {"quantize": "int8", "calibration": ["none.png"]},
        ),
    ],
)
def test_wrong_requests_are_refused_before_work(
    error, message, arguments, options, model, tmp_path
):
    check_refused(tmp_path, error, message, model, *arguments, **options)


def test_what_is_no_implicit_model_is_refused(tmp_path):
    check_refused(tmp_path, ExportError, "received a Bicubic", Bicubic(), (4, 4), [(8, 8)])


def test_a_file_that_disagrees_is_not_written(model, tmp_path, monkeypatch):
    right = tflite_export.unroll

    def wrong(*arguments):
        draw = right(*arguments)
        return lambda image: draw(image) + 1e-3

    monkeypatch.setattr(tflite_export, "unroll", wrong)
    check_refused(tmp_path, ExportError, "not written: differs", model, (4, 4), [(8, 8)])


def test_an_interrupted_export_leaves_nothing(model, tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(tflite_export, "_compare", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tflite(model, tmp_path / "model.tflite", (4, 4), [(8, 8)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no model", b"\0" * 500])
def test_what_is_no_file_of_ours_is_refused(content, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(ExportError, match="model.tflite") as caught:
        TFLiteUpscaler(path)
    assert "\n" not in str(caught.value)


@pytest.fixture
def damaged(exported, tmp_path):
    """Write a file with bytes of the exported one replaced; returns its path."""

    def write(place, replaced):
        content = bytearray(exported[0].read_bytes())
        content[place : place + len(replaced)] = replaced
        path = tmp_path / "damaged.tflite"
        path.write_bytes(content)
        return path

    return write


def check_not_opened(path, message):
    with pytest.raises(ExportError, match=message) as caught:
        TFLiteUpscaler(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("place", [0.001, 0.2, 0.5, 0.8])
def test_a_damaged_model_never_reaches_the_runtime(place, exported, damaged):
    with zipfile.ZipFile(exported[0]) as archive:
        length = archive.getinfo("tfsr.json").header_offset
    check_not_opened(damaged(int(place * length), b"\xff\xff\xff\xff"), "is damaged")


def test_a_damaged_description_is_reported(exported, damaged):
    content = exported[0].read_bytes()
    description = content.index(b"tfsr.json") + len(b"tfsr.json")
    check_not_opened(damaged(description + 20, b"\0\0"), "tfsr.json that can be read")
    # The archive's table of contents: zipfile raises more than BadZipFile over it.
    table = content.rindex(b"PK\1\2")
    for offset, value in ((6, b"\xff"), (8, b"\1"), (10, b"\x63"), (24, b"\0\0\0\x7f")):
        check_not_opened(damaged(table + offset, value), "tfsr.json that can be read")


def test_a_model_without_its_checksum_is_refused(exported, tmp_path):
    path = tmp_path / "unsigned.tflite"
    with zipfile.ZipFile(exported[0]) as archive:
        entry = archive.getinfo("tfsr.json")
        description = json.loads(archive.read(entry))
    del description["model_sha256"]
    path.write_bytes(exported[0].read_bytes()[: entry.header_offset])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("tfsr.json", json.dumps(description))
    check_not_opened(path, "tfsr.json is damaged")


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.tflite")
    check_not_opened(tmp_path / "pipe.tflite", "not a regular file")
    check_not_opened(tmp_path / "none.tflite", "No such file")


def test_agreement_counts_what_is_no_number_as_none():
    image = np.full((2, 2, 3), 0.5)
    assert compare_arrays([image], [image]) == (0.0, math.inf)
    assert compare_arrays([image + 0.1], [image])[1] == pytest.approx(20)
    assert compare_arrays([np.full_like(image, np.nan)], [image]) == (math.inf, -math.inf)


def low_contrast(path, seed):
    return tiny.save(path, 60 + tiny.image(24, 24, seed) // 4)


def test_int8_holds_levels_that_no_calibration_image_has(model, tmp_path):
    paths = [low_contrast(tmp_path / "faces" / f"{i}.png", i) for i in range(5)]
    path = tmp_path / "model.tflite"
    report = tflite(model, path, LR, SIZES[:1], quantize="int8", calibration=paths)
    upscaler, exact = TFLiteUpscaler(path), ModelUpscaler(model)
    for colour in [(0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 0, 255), (128, 128, 128)]:
        image = np.full((*LR, 3), colour, np.uint8)
        found = upscaler(image, SIZES[0]).astype(int)
        # Calibrated without black and white, red is 6.5 levels off.
        assert np.abs(found - exact(image, SIZES[0])).mean() < 4, colour
    assert report.psnr_vs_model > 45


@pytest.mark.slow
def test_the_order_of_calibration_images_does_not_matter(model, faces, tmp_path):
    contents = []
    for paths in (faces, [*faces[::-1], faces[0]]):
        path = tmp_path / f"{len(contents)}" / "a.tflite"
        path.parent.mkdir()
        tflite(model, path, LR, SIZES[:1], quantize="int8", calibration=paths)
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 16, 17, 40])
def test_images_that_calibrate_are_not_compared_with(count, tmp_path):
    from tfsr.exporters.tflite_export import _images

    paths = [
        tiny.save(tmp_path / f"{i}.png", np.full((4, 4, 3), i, np.uint8)) for i in range(count)
    ]
    calibrating, compared = (
        [image[0, 0, 0] for image in images] for images in _images(paths, (4, 4), "int8")
    )
    assert 1 <= len(calibrating) <= 16
    assert 1 <= len(compared) <= 4
    assert not set(calibrating) & set(compared)


def resigned(path, exported, **changes):
    """A copy of a file with another description; None removes an entry."""
    with zipfile.ZipFile(exported[0]) as archive:
        entry = archive.getinfo("tfsr.json")
        description = {**json.loads(archive.read(entry)), **changes}
    model = exported[0].read_bytes()[: entry.header_offset]
    path.write_bytes(with_metadata(model, description))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lr_size": "12x10"}, "is damaged"),
        ({"lr_size": [12]}, "is damaged"),
        ({"lr_size": [12, 10.0]}, "is damaged"),
        ({"lr_size": [0, 10]}, "is damaged"),
        ({"sizes": {"24": 20}}, "is damaged"),
        ({"sizes": [[2**40, 2**40]]}, "is damaged"),
        ({"io": ["uint8"]}, "is damaged"),
        ({"io": "uint8"}, "is not as"),
        ({"lr_size": [10, 12]}, "is not as"),
        ({"sizes": [[24, 20]]}, "is not as"),
        ({"sizes": [*map(list, SIZES), [48, 40]]}, "has no signature '40x48'"),
    ],
)
def test_a_description_of_another_model_is_refused(changes, message, exported, tmp_path):
    check_not_opened(resigned(tmp_path / "model.tflite", exported, **changes), message)


def test_a_description_longer_than_it_says_is_not_unpacked(exported, tmp_path):
    path = tmp_path / "model.tflite"
    with zipfile.ZipFile(exported[0]) as archive:
        length = archive.getinfo("tfsr.json").header_offset
    content = io.BytesIO(exported[0].read_bytes()[:length])
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tfsr.json", bytes(2**26))
    # The size in the archive's table of contents, and before the entry.
    lying = content.getvalue().replace((2**26).to_bytes(4, "little"), (900).to_bytes(4, "little"))
    path.write_bytes(lying)
    check_not_opened(path, "tfsr.json that can be read")


def test_an_output_of_another_shape_is_no_image():
    class Flat(Upscaler):
        kind = "flat"

        def patches(self, image, size):
            yield slice(None), slice(None), np.zeros((1, 1, 3), np.float32)

    with pytest.raises(ExportError, match=r"returned \(1, 1, 3\)"):
        Flat()(tiny.image(4, 4), (8, 8))
