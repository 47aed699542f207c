"""Small layers, one idea a file, on keras.ops alone."""

from tfsr.layers.axis_dense import AxisDense
from tfsr.layers.frequency_estimation import LocalFrequencyEstimation
from tfsr.layers.integrated_positional_encoding import IntegratedPositionalEncoding
from tfsr.layers.latent_modulated_mlp import LatentModulatedMLP, split_modulation
from tfsr.layers.linear import Convolution, Linear
from tfsr.layers.mlp import MLP, ModulatedMLP, hidden_widths
from tfsr.layers.modulated_linear import ModulatedLinear
from tfsr.layers.offset_encoding import OffsetEncoding
from tfsr.layers.positional_encoding import PositionalEncoding
from tfsr.layers.residual_block import ResidualBlock
from tfsr.layers.skip_mlp import SkipMLP

__all__ = [
    "MLP",
    "AxisDense",
    "Convolution",
    "IntegratedPositionalEncoding",
    "LatentModulatedMLP",
    "Linear",
    "LocalFrequencyEstimation",
    "ModulatedLinear",
    "ModulatedMLP",
    "OffsetEncoding",
    "PositionalEncoding",
    "ResidualBlock",
    "SkipMLP",
    "hidden_widths",
    "split_modulation",
]
