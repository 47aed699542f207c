"""TFLite files with products of 8 bits."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from tfsr.errors import ExportError
from tfsr.images.pixel_types import max_level
from tfsr.inference.tflite_upscaler import runners

# These stay float: sines of coordinates, whose arguments eight bits cannot hold, the image on its
# way in and out, and a perceptron's last layer. They are a small part of the work, and gain 1 dB.
_FLOAT = ".*(coordinate|encoding|position|strided_slice|normalized|output).*"

# The smallest range of a value. Of one that is always 0, as behind a ReLU that no image activates,
# the scale would be 0, and interpreters abort on it.
_MIN_RANGE = 1e-3


def quantize_int8(content: bytes, batches: list[np.ndarray]) -> bytes:
    """Quantise a TFLite model's products to 8 bits, calibrated on inputs in any order.

    A value's range is the widest of all inputs. Inputs of black and of white are added: their
    levels are the limits of all inputs, and what calibrates may have neither.

    Args:
        content: the model, in float32.
        batches: inputs (1, h, w, 3) of its type, at least one.

    Raises:
        ExportError: without ai-edge-quantizer.
    """
    try:
        from ai_edge_quantizer import calibrator, qtyping, quantizer, recipe_manager
        from ai_edge_quantizer.utils.qsv_utils import min_max_update
    except ImportError as error:
        raise ExportError("int8 needs ai-edge-quantizer: pip install 'tfsr[export]'") from error
    operations = qtyping.TFLOperationName
    recipe = recipe_manager.RecipeManager()
    for name in ("FULLY_CONNECTED", "CONV_2D", "ADD", "MUL", "CONCATENATION", "SLICE"):
        recipe.add_static_config(
            regex=".*",
            operation_name=operations[name],
            activation_num_bits=8,
            weight_num_bits=8,
        )
    recipe.add_quantization_config(
        regex=_FLOAT,
        operation_name=operations.ALL_SUPPORTED,
        algorithm_key="no_quantize",
    )
    work = quantizer.Quantizer(content)
    work.load_quantization_recipe(recipe.get_quantization_recipe())
    limits = [np.full_like(batches[0], level) for level in (0, max_level(batches[0].dtype))]
    samples = [{"image": batch} for batch in (*batches, *limits)]
    # The quantiser's own calibration takes a moving average of the ranges, in which the first
    # inputs weigh the most.
    calibration = calibrator.Calibrator(
        content,
        num_threads=os.cpu_count() or 1,
        mode=calibrator.CalibrationMode.CALIBRATION_PROFILER_BASED,
        qsv_update_func=min_max_update,
    )
    calibration.calibrate(
        {name: samples for name in runners(content, 1, Path("calibration"))}, recipe
    )
    ranges = calibration.get_model_qsvs()
    for values in ranges.values():
        if {"min", "max"} <= set(values):
            values["max"] = np.maximum(values["max"], values["min"] + _MIN_RANGE)
    return bytes(work.quantize(ranges, enable_progress_report=False).quantized_model)
