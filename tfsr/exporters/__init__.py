"""Models out of Python: TFLite files and SavedModels, compared with their models before kept."""

from tfsr.exporters.export_report import ExportReport
from tfsr.exporters.saved_model_export import saved_model
from tfsr.exporters.tflite_export import tflite

__all__ = ["ExportReport", "saved_model", "tflite"]
