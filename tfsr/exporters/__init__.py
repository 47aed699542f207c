"""Models out of Python: TFLite and ONNX files and SavedModels, each compared before it is kept."""

from typing import TYPE_CHECKING

from tfsr.exporters.export_report import ExportReport
from tfsr.exporters.onnx_export import onnx
from tfsr.exporters.saved_model_export import saved_model
from tfsr.exporters.tflite_export import tflite
from tfsr.hints import of_module

__all__ = ["ExportReport", "onnx", "saved_model", "tflite"]

if not TYPE_CHECKING:  # To type checkers, every name would exist.
    __getattr__ = of_module(__name__)
