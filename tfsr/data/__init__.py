"""Training data: folders of images to batches of (LR, query points, cells) and colours."""

from tfsr.data.config import SamplingConfig
from tfsr.data.sampling import Sampler
from tfsr.data.sources import Source

__all__ = ["Sampler", "SamplingConfig", "Source"]
