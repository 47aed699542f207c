"""Degradations: what cameras, messengers and file formats do to an image.

A `Pipeline` makes the LR image of an original, from a random generator. It needs NumPy, Pillow and
SciPy only, so that data workers start without TensorFlow.
"""

# Their steps register themselves.
from tfsr.degradations import codecs, colour, composition, filters, noises, rescaling  # noqa: F401
from tfsr.degradations.pipelines import PIPELINES, Pipeline, get_pipeline
from tfsr.degradations.step import DEGRADATIONS, Step

__all__ = ["DEGRADATIONS", "PIPELINES", "Pipeline", "Step", "get_pipeline"]
