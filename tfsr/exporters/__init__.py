"""Models out of Python: TFLite files and SavedModels, compared with their models before kept."""

from tfsr.exporters.report import Report
from tfsr.exporters.saved_model import saved_model
from tfsr.exporters.tflite import tflite

__all__ = ["Report", "saved_model", "tflite"]
