"""Thera's published weights: Flax paths and layouts, and where each goes here.

Flax keeps kernels as Keras does, (height, width, in, out): nothing is transposed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfsr.converters.flax_pickle import FlaxCheckpoint
from tfsr.converters.weight_source import Assignments, WeightSource
from tfsr.decoders import Thera
from tfsr.encoders import EDSR
from tfsr.errors import CheckpointError
from tfsr.models import ImplicitSR

# The mean colour of DIV2K, and what `jax.nn.standardize` divides by: it adds to the variance.
_MEAN = (0.4488, 0.4371, 0.4040)
_STD = math.sqrt(0.25 + 1e-5)


def thera_config(checkpoint: FlaxCheckpoint) -> dict[str, Any]:
    """The model's configuration, as `ImplicitSR.from_config` takes it.

    Raises:
        CheckpointError: if the checkpoint is not of Thera-Air on EDSR-baseline.
    """
    settings, weights = checkpoint.settings, checkpoint.weights
    names = ["params/encoder/head/layers_0/kernel", "params/components", "params/out_conv/kernel"]
    missing = [name for name in names if name not in weights]
    if missing:
        raise CheckpointError(f"is no checkpoint of Thera-Air: it has no weight {missing[0]!r}")
    found = (settings.get("backbone"), settings.get("size"))
    if found != ("edsr-baseline", "air"):
        raise CheckpointError(
            f"is Thera of size {found[1]!r} with the backbone {found[0]!r}; known: size 'air' with "
            "the backbone 'edsr-baseline'"
        )
    pattern = re.compile(r"params/encoder/body/layers_(\d+)/body/layers_0/kernel")
    return {
        "encoder": {
            "name": "edsr",
            "features": int(weights[names[0]].shape[-1]),
            "blocks": sum(bool(pattern.fullmatch(name)) for name in weights),
            "residual_scale": 1.0,
            "mean": list(_MEAN),
            "std": _STD,
        },
        # The published code adds the mean to an output that has the input in it already.
        "decoder": {
            "name": "thera",
            "waves": int(weights[names[1]].shape[-1]),
            "mean": list(_MEAN),
        },
    }


def load_thera(model: ImplicitSR, weights: Mapping[str, np.ndarray]) -> None:
    """Fill a model with weights published for Flax.

    Args:
        model: of the architecture that the weights belong to.
        weights: path to array, such as "params/out_conv/kernel", in Flax's layouts.

    Raises:
        CheckpointError: if a weight is missing, left over, or of another shape; it is named. The
            model is then unchanged.
    """
    source = WeightSource(weights)
    for part, known in ((model.encoder, EDSR), (model.decoder, Thera)):
        if type(part) is not known:
            raise CheckpointError(f"no weights of Thera are known for {type(part).__name__}")
    assignments = list(edsr_assignments(model.encoder, source))
    assignments += _field(model.decoder, source)
    source.finish()
    for variable, value in assignments:
        variable.assign(value)


def edsr_assignments(encoder: EDSR, source: WeightSource) -> Assignments:
    """The encoder's variables, each with its value."""
    path = "params/encoder"
    yield from layer_assignments(encoder.head, source, f"{path}/head/layers_0")
    for i, block in enumerate(encoder.body):
        yield from layer_assignments(block.conv1, source, f"{path}/body/layers_{i}/body/layers_0")
        yield from layer_assignments(block.conv2, source, f"{path}/body/layers_{i}/body/layers_2")
    yield from layer_assignments(encoder.tail, source, f"{path}/body/layers_{encoder.blocks}")


def layer_assignments(layer: Any, source: WeightSource, path: str) -> Assignments:
    """Kernel and bias of a layer, as they are."""
    for name, variable in (("kernel", layer.kernel), ("bias", layer.bias)):
        yield variable, source.take(f"{path}/{name}", tuple(variable.shape))


def _field(decoder: Thera, source: WeightSource) -> Assignments:
    # Amplitudes by wave and colour, then phases: as here.
    yield from layer_assignments(decoder.field, source, "params/out_conv")
    basis = decoder.basis_layer
    yield basis.frequencies, source.take("params/components", tuple(basis.frequencies.shape))
    yield basis.diffusivity, source.take("params/k", ())
