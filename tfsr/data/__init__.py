"""Training data: folders of images to batches of (LR, query points, cells) and colours."""

from typing import TYPE_CHECKING

from tfsr.data.sampler import Sampler
from tfsr.data.sampling_config import SamplingConfig
from tfsr.data.sources import Source
from tfsr.hints import of_module

__all__ = ["Sampler", "SamplingConfig", "Source"]

if not TYPE_CHECKING:  # To type checkers, every name would exist.
    __getattr__ = of_module(__name__)
