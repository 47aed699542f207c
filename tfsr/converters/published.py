"""The published weights' names and layouts, and where each goes here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from tfsr.decoders import ARASFSR, LIIF
from tfsr.encoders import EDSR, RDN
from tfsr.errors import CheckpointError
from tfsr.layers import AxisDense, LocalFrequencyEstimation, ModulatedMLP
from tfsr.models import ImplicitSR

# Built by the published code and never run: EDSR's colour shifts, and the second copy of the
# decoder that ARASFSR's checkpoints carry.
_UNUSED = ("encoder.sub_mean.", "encoder.add_mean.", "sub", "div")


def load_published(model: ImplicitSR, weights: Mapping[str, Any]) -> None:
    """Fill a model with weights published for PyTorch.

    Args:
        model: of the architecture that the weights belong to.
        weights: name to array, PyTorch layouts: Linear (out, in), Conv (out, in, height, width).

    Raises:
        CheckpointError: if a weight is missing, left over, or of another shape; it is named. The
            model is then unchanged.
    """
    source = _Source(weights)
    assignments = list(_encoder(model.encoder, source))
    assignments += _decoder(model.decoder, source)
    source.finish()
    for variable, value in assignments:
        variable.assign(value)


class _Source:
    """The weights, each taken once."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        self._weights = {
            name: np.asarray(value)
            for name, value in weights.items()
            if not name.startswith(_UNUSED)
        }

    def take(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        if name not in self._weights:
            raise CheckpointError(f"the checkpoint has no weight {name!r}, which the model needs")
        value = self._weights.pop(name)
        if value.shape != shape:
            raise CheckpointError(
                f"weight {name!r} has shape {value.shape}; the model needs {shape}"
            )
        return value

    def finish(self) -> None:
        if self._weights:
            names = ", ".join(sorted(self._weights)[:3])
            raise CheckpointError(
                f"the checkpoint has {len(self._weights)} weights that the model has no place for: "
                f"{names}"
            )


Assignments = Iterator[tuple[Any, np.ndarray]]


def _convolution(layer, source: _Source, name: str) -> Assignments:
    height, width, inputs, outputs = layer.kernel.shape
    kernel = source.take(f"{name}.weight", (outputs, inputs, height, width))
    yield layer.kernel, kernel.transpose(2, 3, 1, 0)
    yield layer.bias, source.take(f"{name}.bias", (outputs,))


def _linear(layer, source: _Source, name: str) -> Assignments:
    inputs, outputs = layer.kernel.shape
    yield layer.kernel, source.take(f"{name}.weight", (outputs, inputs)).T
    yield layer.bias, source.take(f"{name}.bias", (outputs,))


def _encoder(encoder, source: _Source) -> Assignments:
    return _mapped(encoder, {EDSR: _edsr, RDN: _rdn})(encoder, source)


def _mapped(
    part, mappings: Mapping[type, Callable[..., Assignments]]
) -> Callable[..., Assignments]:
    if type(part) not in mappings:
        raise CheckpointError(f"no published weights are known for {type(part).__name__}")
    return mappings[type(part)]


def _edsr(encoder: EDSR, source: _Source) -> Assignments:
    yield from _convolution(encoder.head, source, "encoder.head.0")
    for i, block in enumerate(encoder.body):
        yield from _residual_block(block, source, f"encoder.body.{i}")
    yield from _convolution(encoder.tail, source, f"encoder.body.{encoder.blocks}")


def _residual_block(block, source: _Source, name: str) -> Assignments:
    yield from _convolution(block.conv1, source, f"{name}.body.0")
    yield from _convolution(block.conv2, source, f"{name}.body.2")


def _rdn(encoder: RDN, source: _Source) -> Assignments:
    yield from _convolution(encoder.shallow1, source, "encoder.SFENet1")
    yield from _convolution(encoder.shallow2, source, "encoder.SFENet2")
    for i, block in enumerate(encoder.dense_blocks):
        for j, layer in enumerate(block.convolutions):
            yield from _convolution(layer, source, f"encoder.RDBs.{i}.convs.{j}.conv.0")
        yield from _convolution(block.fusion, source, f"encoder.RDBs.{i}.LFF")
    yield from _convolution(encoder.fusion1, source, "encoder.GFF.0")
    yield from _convolution(encoder.fusion2, source, "encoder.GFF.1")


def _decoder(decoder, source: _Source) -> Assignments:
    return _mapped(decoder, {LIIF: _liif, ARASFSR: _arasfsr})(decoder, source)


def _liif(decoder: LIIF, source: _Source) -> Assignments:
    yield from _first_layer(decoder.projection, decoder.position, source, "imnet.layers.0")
    yield from _mlp(decoder.mlp, source)


def _mlp(mlp, source: _Source) -> Assignments:
    # PyTorch numbers the ReLUs between the layers too.
    for i, layer in enumerate([*mlp.dense, mlp.output_layer], start=1):
        yield from _linear(layer, source, f"imnet.layers.{2 * i}")


def _arasfsr(decoder: ARASFSR, source: _Source) -> Assignments:
    if decoder.frequency:
        yield from _frequency_estimation(decoder.frequency_estimation, source)
    if not decoder.global_coordinates:
        yield from _first_layer(decoder.projection, decoder.position, source, "imnet.layers.0")
        yield from _mlp(decoder.mlp, source)
        return
    yield from _first_layer(decoder.projection, decoder.position, source, "imnet.I.0.0")
    yield from _coordinate(decoder.coordinate, source, "imnet.C.0.0")
    mlp: ModulatedMLP = decoder.mlp
    for i, (content, wave) in enumerate(zip(mlp.content, mlp.coordinate, strict=True), start=1):
        yield from _linear(content, source, f"imnet.I.{i}.0")
        yield from _linear(wave, source, f"imnet.C.{i}.0")
    yield from _linear(mlp.output_layer, source, "imnet.output_linear")


def _first_layer(projection, position: AxisDense, source: _Source, name: str) -> Assignments:
    """A dense layer on [unfolded features, then (row, column) pairs of position].

    Unfolded features come channel by channel, each with its 3x3 taps: seen as (out, channel, tap
    row, tap column) they are a convolution's kernel.
    """
    height, width, channels, outputs = projection.kernel.shape
    pairs = position.row_kernel.shape[0]
    taps = channels * height * width
    weight = source.take(f"{name}.weight", (outputs, taps + 2 * pairs))
    kernel = weight[:, :taps].reshape(outputs, channels, height, width)
    yield projection.kernel, kernel.transpose(2, 3, 1, 0)
    yield position.row_kernel, weight[:, taps::2].T
    yield position.column_kernel, weight[:, taps + 1 :: 2].T
    yield projection.bias, source.take(f"{name}.bias", (outputs,))


def _coordinate(layer: AxisDense, source: _Source, name: str) -> Assignments:
    """A dense layer on the encoded (row, column): x, then sines and cosines of each octave.

    Row and column alternate throughout, so each axis's own encoding is every second value.
    """
    channels, outputs = layer.row_kernel.shape
    weight = source.take(f"{name}.weight", (outputs, 2 * channels))
    yield layer.row_kernel, weight[:, 0::2].T
    yield layer.column_kernel, weight[:, 1::2].T
    yield layer.bias, source.take(f"{name}.bias", (outputs,))


def _frequency_estimation(layer: LocalFrequencyEstimation, source: _Source) -> Assignments:
    for half, side in ((layer.encoder, "encoder"), (layer.decoder, "decoder")):
        name = f"netCTM.{side}"
        for i in (1, 2, 3):
            yield from _convolution(getattr(half, f"conv{i}"), source, f"{name}.conv{i}")
        for i, block in enumerate(half.residual_blocks):
            yield from _residual_block(block, source, f"{name}.resblock.{i}")
