"""What real cameras, scanners, messengers and formats do to an image, as seeded functions.

NumPy and Pillow only, so that the processes that cut training samples need no TensorFlow.
"""

from tfsr.degradations.operations import DEGRADATIONS, Operation
from tfsr.degradations.pipeline import Pipeline, get_pipeline
from tfsr.degradations.pipelines import PIPELINES

__all__ = ["DEGRADATIONS", "PIPELINES", "Operation", "Pipeline", "get_pipeline"]
