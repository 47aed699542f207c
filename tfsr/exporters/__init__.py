"""Models out of Python: TFLite and ONNX files and SavedModels, each compared before it is kept."""

from tfsr.exporters.export_report import ExportReport
from tfsr.exporters.onnx_export import onnx
from tfsr.exporters.saved_model_export import saved_model
from tfsr.exporters.tflite_export import tflite

__all__ = ["ExportReport", "onnx", "saved_model", "tflite"]
