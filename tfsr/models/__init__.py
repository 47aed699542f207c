"""Whole models, all with the same `upscale`."""

from typing import TYPE_CHECKING

from tfsr.hints import of_module
from tfsr.models.bicubic import Bicubic
from tfsr.models.configuration import AnyModel, from_config, with_precision
from tfsr.models.folding import folded
from tfsr.models.implicit_sr import ImplicitSR
from tfsr.models.sub_pixel import SubPixelSR

__all__ = [
    "AnyModel",
    "Bicubic",
    "ImplicitSR",
    "SubPixelSR",
    "folded",
    "from_config",
    "with_precision",
]

if not TYPE_CHECKING:  # To type checkers, every name would exist.
    __getattr__ = of_module(__name__)
