"""Training data: folders of images to batches of (LR, query points, cells) and colours."""

from tfsr.data.sampler import Sampler
from tfsr.data.sampling_config import SamplingConfig
from tfsr.data.sources import Source

__all__ = ["Sampler", "SamplingConfig", "Source"]
