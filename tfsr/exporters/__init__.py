"""Models out of Python: TFLite files and SavedModels, compared with their models before kept."""

from tfsr.exporters.report import Report
from tfsr.exporters.tflite import tflite

__all__ = ["Report", "tflite"]
