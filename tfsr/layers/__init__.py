"""Small layers, one idea a file, on keras.ops alone."""

from tfsr.layers.axis_modulation import AxisModulation
from tfsr.layers.basis import Basis, by_colour, for_each_colour, weighted_sum
from tfsr.layers.fourier_basis import FourierBasis
from tfsr.layers.frequency_estimation import LocalFrequencyEstimation
from tfsr.layers.heat_basis import HeatBasis
from tfsr.layers.integrated_positional_encoding import IntegratedPositionalEncoding
from tfsr.layers.latent_modulated_mlp import LatentModulatedMLP, split_modulation
from tfsr.layers.learned_basis import LearnedBasis
from tfsr.layers.linear_layers import Convolution, Linear
from tfsr.layers.mlp import MLP, ModulatedMLP, hidden_widths
from tfsr.layers.modulated_linear import ModulatedLinear
from tfsr.layers.offset_encoding import OffsetEncoding
from tfsr.layers.positional_encoding import PositionalEncoding
from tfsr.layers.reparameterized import (
    EdgeOrientedConvolution,
    ExpandedConvolution,
    ReparameterizedConvolution,
)
from tfsr.layers.residual_block import ResidualBlock
from tfsr.layers.separable_dense import SeparableDense
from tfsr.layers.skip_mlp import SkipMLP

__all__ = [
    "MLP",
    "SeparableDense",
    "AxisModulation",
    "Basis",
    "Convolution",
    "EdgeOrientedConvolution",
    "ExpandedConvolution",
    "FourierBasis",
    "HeatBasis",
    "IntegratedPositionalEncoding",
    "LearnedBasis",
    "LatentModulatedMLP",
    "Linear",
    "LocalFrequencyEstimation",
    "ModulatedLinear",
    "ModulatedMLP",
    "OffsetEncoding",
    "PositionalEncoding",
    "ReparameterizedConvolution",
    "ResidualBlock",
    "SkipMLP",
    "by_colour",
    "for_each_colour",
    "hidden_widths",
    "weighted_sum",
    "split_modulation",
]
