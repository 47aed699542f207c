"""Training data: a folder of pictures to batches of (LR, query points, cells) and colours."""

from tfsr.data.sampling import Sampler, SamplingConfig

__all__ = ["Sampler", "SamplingConfig"]
