"""Small layers, written on keras.ops alone."""

from tfsr.layers.axis_modulation import AxisModulation
from tfsr.layers.basis import Basis
from tfsr.layers.basis import by_colour as by_colour
from tfsr.layers.basis import for_each_colour as for_each_colour
from tfsr.layers.basis import weighted_sum as weighted_sum
from tfsr.layers.configured_layer import ConfiguredLayer as ConfiguredLayer
from tfsr.layers.fourier_basis import FourierBasis
from tfsr.layers.frequency_estimation import LocalFrequencyEstimation
from tfsr.layers.heat_basis import HeatBasis
from tfsr.layers.learned_basis import LearnedBasis
from tfsr.layers.linear_layers import Convolution, Linear, ModulatedLinear, SeparableDense
from tfsr.layers.mlp import MLP, LatentModulatedMLP, ModulatedMLP, SkipMLP
from tfsr.layers.mlp import hidden_widths as hidden_widths
from tfsr.layers.mlp import split_modulation as split_modulation
from tfsr.layers.positional_encoding import OffsetEncoding, PositionalEncoding
from tfsr.layers.reparameterized import (
    EdgeOrientedConvolution,
    ExpandedConvolution,
    ReparameterizedConvolution,
)
from tfsr.layers.residual_block import ResidualBlock

__all__ = [
    "MLP",
    "AxisModulation",
    "Basis",
    "Convolution",
    "EdgeOrientedConvolution",
    "ExpandedConvolution",
    "FourierBasis",
    "HeatBasis",
    "LatentModulatedMLP",
    "LearnedBasis",
    "Linear",
    "LocalFrequencyEstimation",
    "ModulatedLinear",
    "ModulatedMLP",
    "OffsetEncoding",
    "PositionalEncoding",
    "ReparameterizedConvolution",
    "ResidualBlock",
    "SeparableDense",
    "SkipMLP",
]
