"""Small layers, one idea a file, on keras.ops alone."""

from tfsr.layers.axis_dense import AxisDense
from tfsr.layers.frequency_estimation import LocalFrequencyEstimation
from tfsr.layers.linear import Convolution, Linear
from tfsr.layers.mlp import MLP, ModulatedMLP, hidden_widths
from tfsr.layers.positional_encoding import PositionalEncoding
from tfsr.layers.residual_block import ResidualBlock

__all__ = [
    "MLP",
    "AxisDense",
    "Convolution",
    "Linear",
    "LocalFrequencyEstimation",
    "ModulatedMLP",
    "PositionalEncoding",
    "ResidualBlock",
    "hidden_widths",
]
