"""Small layers, one idea a file, on keras.ops alone."""

from tfsr.layers.axis_dense import AxisDense
from tfsr.layers.frequency_estimation import LocalFrequencyEstimation
from tfsr.layers.integrated_positional_encoding import IntegratedPositionalEncoding
from tfsr.layers.linear import Convolution, Linear
from tfsr.layers.mlp import MLP, ModulatedMLP, hidden_widths
from tfsr.layers.offset_encoding import OffsetEncoding
from tfsr.layers.positional_encoding import PositionalEncoding
from tfsr.layers.reparameterized import (
    EdgeOrientedConvolution,
    ExpandedConvolution,
    ReparameterizedConvolution,
)
from tfsr.layers.residual_block import ResidualBlock
from tfsr.layers.skip_mlp import SkipMLP

__all__ = [
    "MLP",
    "AxisDense",
    "Convolution",
    "EdgeOrientedConvolution",
    "ExpandedConvolution",
    "IntegratedPositionalEncoding",
    "Linear",
    "LocalFrequencyEstimation",
    "ModulatedMLP",
    "OffsetEncoding",
    "PositionalEncoding",
    "ReparameterizedConvolution",
    "ResidualBlock",
    "SkipMLP",
    "hidden_widths",
]
