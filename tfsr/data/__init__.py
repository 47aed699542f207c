"""Training data: a folder of pictures to batches of (LR, query points, cells) and colours."""

from tfsr.data.config import SamplingConfig
from tfsr.data.sampling import Sampler

__all__ = ["Sampler", "SamplingConfig"]
