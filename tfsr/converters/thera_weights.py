"""Thera's published weights: Flax paths and layouts, and the layers that they belong to.

Flax stores kernels as Keras does, (height, width, in, out): nothing is transposed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfsr.converters.flax_pickle import FlaxCheckpoint
from tfsr.converters.weight_loader import WeightLoader
from tfsr.decoders import Thera
from tfsr.encoders import EDSR
from tfsr.errors import CheckpointError
from tfsr.models import ImplicitSR

# The mean colour of DIV2K, and the divisor of `jax.nn.standardize`, which adds to the variance.
_MEAN = (0.4488, 0.4371, 0.4040)
_STD = math.sqrt(0.25 + 1e-5)

_HEAD, _COMPONENTS = "params/encoder/head/layers_0/kernel", "params/components"
_BLOCK = re.compile(r"params/encoder/body/layers_(\d+)/body/layers_0/kernel")


def thera_config(checkpoint: FlaxCheckpoint) -> dict[str, Any]:
    """Return the model's configuration, as `ImplicitSR.from_config` takes it.

    Raises:
        CheckpointError: the checkpoint is not of Thera-Air on EDSR-baseline.
    """
    settings, weights = checkpoint.settings, checkpoint.weights
    for name in (_HEAD, _COMPONENTS, "params/out_conv/kernel"):
        if name not in weights:
            raise CheckpointError(f"is not a checkpoint of Thera-Air: it has no weight {name!r}")
    found = (settings.get("backbone"), settings.get("size"))
    if found != ("edsr-baseline", "air"):
        raise CheckpointError(
            f"is Thera of size {found[1]!r} with the backbone {found[0]!r}; known: size 'air' with "
            "the backbone 'edsr-baseline'"
        )
    return {
        "encoder": {
            "name": "edsr",
            "features": weights[_HEAD].shape[-1],
            "blocks": sum(bool(_BLOCK.fullmatch(name)) for name in weights),
            "residual_scale": 1.0,
            "mean": list(_MEAN),
            "std": _STD,
        },
        # The published code adds the mean to an output that already contains the input.
        "decoder": {
            "name": "thera",
            "waves": weights[_COMPONENTS].shape[-1],
            "mean": list(_MEAN),
        },
    }


def load_thera(model: ImplicitSR, weights: Mapping[str, np.ndarray]) -> None:
    """Fill a model with weights published for Flax.

    Args:
        model: of the architecture that the weights belong to.
        weights: path to array, such as "params/out_conv/kernel", in Flax's layouts.

    Raises:
        CheckpointError: a weight is missing, left over, or of another shape. The model is then
            unchanged.
    """
    WeightLoader(weights).load(model, {EDSR: _edsr, Thera: _thera})


def _edsr(encoder: EDSR, loader: WeightLoader) -> None:
    path = "params/encoder"
    _layer(encoder.head, loader, f"{path}/head/layers_0")
    for i, block in enumerate(encoder.body):
        _layer(block.conv1, loader, f"{path}/body/layers_{i}/body/layers_0")
        _layer(block.conv2, loader, f"{path}/body/layers_{i}/body/layers_2")
    _layer(encoder.tail, loader, f"{path}/body/layers_{encoder.blocks}")


def _thera(decoder: Thera, loader: WeightLoader) -> None:
    # Amplitudes by wave and colour, then phases: as here.
    _layer(decoder.field, loader, "params/out_conv")
    basis = decoder.basis_layer
    for variable, name in ((basis.frequencies, "components"), (basis.diffusivity, "k")):
        loader.assign(variable, loader.take(f"params/{name}", tuple(variable.shape)))


def _layer(layer: Any, loader: WeightLoader, path: str) -> None:
    for name, variable in (("kernel", layer.kernel), ("bias", layer.bias)):
        loader.assign(variable, loader.take(f"{path}/{name}", tuple(variable.shape)))
