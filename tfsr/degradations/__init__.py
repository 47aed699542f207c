"""Degradations: what cameras, messengers and file formats do to an image.

A `Pipeline` makes the LR image of an original, from a generator that is passed to it. It needs
NumPy, Pillow and SciPy only, so that processes that prepare samples start without TensorFlow.
"""

from tfsr.degradations.chain import PIPELINES, Pipeline, get_pipeline
from tfsr.degradations.operations import DEGRADATIONS, Operation

__all__ = ["DEGRADATIONS", "PIPELINES", "Operation", "Pipeline", "get_pipeline"]
