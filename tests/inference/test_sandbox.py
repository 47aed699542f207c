"""Exported files in a process of their own."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tiny
from processes import children_of, gone

from tfsr.errors import ExportError, InvalidArgument
from tfsr.exporters import saved_model, tflite
from tfsr.inference import (
    SandboxedUpscaler,
    SavedModelUpscaler,
    TFLiteUpscaler,
    load_upscaler,
    saved_model_upscaler,
)
from tfsr.models import ImplicitSR

IMAGE = tiny.image(6, 7)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A .tflite file and a SavedModel."""
    folder = tmp_path_factory.mktemp("exported")
    model = ImplicitSR.from_config(tiny.MODEL)
    tflite(model, folder / "a.tflite", (6, 7), [(12, 14)])
    saved_model(model, folder / "served")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kind"), [("a.tflite", TFLiteUpscaler), ("served", SavedModelUpscaler)]
)
def test_the_output_is_the_same(name, kind, exported):
    inside, outside = load_upscaler(exported / name, sandbox=True), kind(exported / name)
    assert isinstance(inside, SandboxedUpscaler)
    assert (inside.kind, inside.rounds) == (outside.kind, outside.rounds)
    if kind is TFLiteUpscaler:
        with pytest.raises(InvalidArgument, match="takes 7x6 and returns 14x12"):
            inside(IMAGE, (13, 14))
    for image in (IMAGE, IMAGE / np.float32(255), tiny.image(6, 7, 1)):
        found, expected = inside(image, (12, 14)), outside(image, (12, 14))
        assert found.dtype == expected.dtype
        # Other numbers of threads add up in another order.
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_what_is_refused_outside_is_refused_inside(tmp_path):
    (tmp_path / "no.tflite").write_bytes(b"text")
    with pytest.raises(ExportError, match="no.tflite: holds no tfsr.json"):
        SandboxedUpscaler(tmp_path / "no.tflite")
    for spec in ("bicubic", "faces", ImplicitSR.from_config(tiny.MODEL)):
        with pytest.raises(InvalidArgument, match="sandbox is for .tflite files and SavedModels"):
            load_upscaler(spec, sandbox=True)


@pytest.mark.slow
def test_a_process_that_dies_is_one_line(exported):
    upscaler = SandboxedUpscaler(exported / "a.tflite")
    (child,) = set(children_of(os.getpid())) & {upscaler._process.pid}
    os.kill(child, signal.SIGSEGV)
    with pytest.raises(ExportError, match=r"its process ended \(signal 11\)") as caught:
        upscaler(IMAGE, (12, 14))
    assert "\n" not in str(caught.value)
    del upscaler, caught
    assert gone([child])


def _malicious(folder, *, reads="", writes=""):
    """A SavedModel with the right description and signatures, which touches files when it runs."""

    class Module(tf.Module):
        @tf.function
        def upscale(self, image, size):
            if writes:
                tf.io.write_file(writes, "stolen")
            if reads:
                tf.debugging.assert_greater(tf.strings.length(tf.io.read_file(reads)), 0)
            large = tf.image.resize(tf.cast(image, tf.float32), size)
            return {"output": tf.cast(large, image.dtype)}

    module = Module()
    shape, size = (None, None, None, 3), tf.TensorSpec((2,), tf.int32, name="size")
    signatures = {
        name: module.upscale.get_concrete_function(tf.TensorSpec(shape, dtype, name="image"), size)
        for dtype, name in saved_model_upscaler._SIGNATURES.items()
    }
    tf.saved_model.save(module, folder, signatures=signatures)
    description = Path(folder, saved_model_upscaler.METADATA)
    description.parent.mkdir()
    description.write_text('{"format": "saved_model"}')
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("does", ["reads", "writes"])
def test_a_saved_model_neither_reads_nor_writes_files(does, tmp_path):
    target = tmp_path / "file"
    if does == "reads":
        target.write_text("secret")
    malicious = _malicious(str(tmp_path / "served"), **{does: str(target)})
    assert SavedModelUpscaler(malicious)(IMAGE, (12, 14)).shape == (12, 14, 3)
    if does == "writes":
        target.unlink()
    with pytest.raises((ExportError, InvalidArgument)):
        SandboxedUpscaler(malicious)(IMAGE, (12, 14))
    assert does == "reads" or not target.exists()
