"""The published weights' names and layouts, and where each goes here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tfsr.converters.weight_source import Assignments, WeightSource
from tfsr.decoders import ARASFSR, DIINN, LIIF, LMLIIF, LMLTE, LTE, MetaSR
from tfsr.encoders import EDSR, RDN
from tfsr.errors import CheckpointError
from tfsr.layers import LocalFrequencyEstimation, ModulatedMLP, SeparableDense
from tfsr.models import ImplicitSR

# Built by the published code and never run: EDSR's colour shifts; and DIINN's normalisation, which
# is that of every model here.
_UNUSED = re.compile(r"encoder\.(sub|add)_mean\.(weight|bias)|sub|div")


def load_published(model: ImplicitSR, weights: Mapping[str, Any]) -> None:
    """Fill a model with weights published for PyTorch.

    Args:
        model: of the architecture that the weights belong to.
        weights: name to array, PyTorch layouts: Linear (out, in), Conv (out, in, height, width).

    Raises:
        CheckpointError: if a weight is missing, left over, or of another shape; it is named. The
            model is then unchanged.
    """
    source = WeightSource(weights, _UNUSED)
    assignments = list(_encoder(model.encoder, source))
    assignments += _decoder(model.decoder, source)
    source.finish()
    for variable, value in assignments:
        variable.assign(value)


def unused_names(weights: Mapping[str, Any]) -> list[str]:
    """The weights that `load_published` knowingly leaves out."""
    return [name for name in weights if _UNUSED.fullmatch(name)]


def _convolution(layer, source: WeightSource, name: str) -> Assignments:
    height, width, inputs, outputs = layer.kernel.shape
    kernel = source.take(f"{name}.weight", (outputs, inputs, height, width))
    yield layer.kernel, kernel.transpose(2, 3, 1, 0)
    yield layer.bias, source.take(f"{name}.bias", (outputs,))


def _linear(layer, source: WeightSource, name: str) -> Assignments:
    inputs, outputs = layer.kernel.shape
    yield layer.kernel, source.take(f"{name}.weight", (outputs, inputs)).T
    yield layer.bias, source.take(f"{name}.bias", (outputs,))


def _encoder(encoder, source: WeightSource) -> Assignments:
    return _mapped(encoder, {EDSR: _edsr, RDN: _rdn})(encoder, source)


def _mapped(
    part, mappings: Mapping[type, Callable[..., Assignments]]
) -> Callable[..., Assignments]:
    if type(part) not in mappings:
        raise CheckpointError(f"no published weights are known for {type(part).__name__}")
    return mappings[type(part)]


def _edsr(encoder: EDSR, source: WeightSource) -> Assignments:
    yield from _convolution(encoder.head, source, "encoder.head.0")
    for i, block in enumerate(encoder.body):
        yield from _residual_block(block, source, f"encoder.body.{i}")
    yield from _convolution(encoder.tail, source, f"encoder.body.{encoder.blocks}")


def _residual_block(block, source: WeightSource, name: str) -> Assignments:
    yield from _convolution(block.conv1, source, f"{name}.body.0")
    yield from _convolution(block.conv2, source, f"{name}.body.2")


def _rdn(encoder: RDN, source: WeightSource) -> Assignments:
    yield from _convolution(encoder.shallow1, source, "encoder.SFENet1")
    yield from _convolution(encoder.shallow2, source, "encoder.SFENet2")
    for i, block in enumerate(encoder.dense_blocks):
        for j, layer in enumerate(block.convolutions):
            yield from _convolution(layer, source, f"encoder.RDBs.{i}.convs.{j}.conv.0")
        yield from _convolution(block.fusion, source, f"encoder.RDBs.{i}.LFF")
    yield from _convolution(encoder.fusion1, source, "encoder.GFF.0")
    yield from _convolution(encoder.fusion2, source, "encoder.GFF.1")


def _decoder(decoder, source: WeightSource) -> Assignments:
    mappings = {
        LIIF: _liif,
        MetaSR: _metasr,
        LTE: _lte,
        LMLIIF: _lm_liif,
        LMLTE: _lm_lte,
        DIINN: _diinn,
        ARASFSR: _arasfsr,
    }
    return _mapped(decoder, mappings)(decoder, source)


def _liif(decoder: LIIF, source: WeightSource) -> Assignments:
    if decoder.encoding != "none" or decoder.skip:
        raise CheckpointError("no weights of LIIF with encodings or skips were published")
    yield from _first_layer(decoder.projections[0], decoder.positions[0], source, "imnet.layers.0")
    yield from _mlp(decoder.mlp, source)


def _metasr(decoder: MetaSR, source: WeightSource) -> Assignments:
    if decoder.encoding != "none":
        raise CheckpointError("no weights of Meta-SR with encodings were published")
    hidden = decoder.hidden
    weight = source.take("imnet.layers.0.weight", (hidden, 3))
    yield decoder.basis_layer.position.row_kernel, weight[:, 0:1].T
    yield decoder.basis_layer.position.column_kernel, weight[:, 1:2].T
    yield decoder.basis_layer.scale.kernel, weight[:, 2:3].T
    yield decoder.basis_layer.position.bias, source.take("imnet.layers.0.bias", (hidden,))
    # The predicted filter lists its numbers as (channel, tap row, tap column, colour).
    height, width, channels, _ = decoder.projection.kernel.shape
    taps = channels * height * width * 3
    last = source.take("imnet.layers.2.weight", (taps, hidden))
    bias = source.take("imnet.layers.2.bias", (taps,))
    kernel = np.concatenate([last, bias[:, None]], axis=1)
    kernel = kernel.reshape(channels, height, width, 3, hidden + 1).transpose(1, 2, 0, 3, 4)
    yield decoder.projection.kernel, kernel.reshape(height, width, channels, -1)


def _lte(decoder: LTE, source: WeightSource) -> Assignments:
    yield from _convolution(decoder.amplitude, source, "coef")
    # LTE pairs (row, column) frequencies; LTE+, whose layers have no module of their own, has all
    # of the rows' first, as here.
    plus = source.has("layers.0.weight")
    order = np.arange(2 * decoder.waves) if plus else _halves(2 * decoder.waves)
    for variable, value in _convolution(decoder.frequency, source, "freq"):
        yield variable, value[..., order]
    phase = source.take("phase.weight", (decoder.waves, 2))
    yield decoder.phase.row_kernel, phase[:, 0:1].T
    yield decoder.phase.column_kernel, phase[:, 1:2].T
    layers = [decoder.first, *decoder.mlp.dense, decoder.mlp.output_layer]
    for i, layer in enumerate(layers):
        if plus:
            yield from _pointwise(layer, source, f"layers.{2 * i}")
        else:
            yield from _linear(layer, source, f"imnet.layers.{2 * i}")


def _lm_liif(decoder: LMLIIF, source: WeightSource) -> Assignments:
    cell = decoder.cell if decoder.cell_decode else None
    yield from _first_layer(decoder.projection, cell, source, "hypernet.layers.0")
    yield from _mlp(decoder.latent_mlp, source, "hypernet.layers")
    outputs, code = decoder.hidden[0], decoder.code
    pairs = decoder.position.row_kernel.shape[0]
    weight = source.take("imnet.layers.0.weight", (outputs, code + 2 * pairs))
    yield decoder.code_layer.kernel, weight[:, :code].T
    yield decoder.position.row_kernel, weight[:, code::2].T
    yield decoder.position.column_kernel, weight[:, code + 1 :: 2].T
    yield decoder.code_layer.bias, source.take("imnet.layers.0.bias", (outputs,))
    yield from _mlp(decoder.mlp, source)


def _lm_lte(decoder: LMLTE, source: WeightSource) -> Assignments:
    yield from _convolution(decoder.amplitude, source, "coef")
    # (row, column) frequencies are paired, as LTE's are; here all of the rows' come first.
    order = _halves(2 * decoder.waves)
    for variable, value in _convolution(decoder.frequency, source, "freq"):
        yield variable, value[..., order]
    for layer, name in ((decoder.phase, "phase"), (decoder.render_phase, "imphase")):
        phase = source.take(f"{name}.weight", (layer.units, 2))
        yield layer.row_kernel, phase[:, 0:1].T
        yield layer.column_kernel, phase[:, 1:2].T
    yield from _linear(decoder.latent_first, source, "hypernet.layers.0")
    # The latent network's last outputs are the render network's frequencies, paired too.
    *latent, (kernel, weight), (bias, values) = _mlp(decoder.latent_mlp, source, "hypernet.layers")
    yield from latent
    before = np.arange(len(values) - 2 * decoder.render_waves)
    order = np.concatenate([before, len(before) + _halves(2 * decoder.render_waves)])
    yield kernel, weight[:, order]
    yield bias, values[order]
    yield from _linear(decoder.first, source, "imnet.layers.0")
    yield from _mlp(decoder.mlp, source)


def _halves(count: int) -> np.ndarray:
    """Even indices below `count`, then odd ones."""
    return np.concatenate([np.arange(0, count, 2), np.arange(1, count, 2)])


def _diinn(decoder: DIINN, source: WeightSource) -> Assignments:
    """Both branches; the ensemble variant keeps its layers elsewhere and as dense ones."""
    dense = decoder.local_ensemble
    name = "imnet" if dense else "decoder"
    for i in range(decoder.layers):
        inputs = decoder.width if i else 0
        projection = decoder.projections[i] if i < len(decoder.projections) else None
        taps = int(np.prod(projection.kernel.shape[:3])) if projection is not None else 0
        trailing = () if dense else (1, 1)
        weight = source.take(f"{name}.K.{i}.0.weight", (decoder.width, inputs + taps, *trailing))
        bias = source.take(f"{name}.K.{i}.0.bias", (decoder.width,))
        weight = weight.reshape(decoder.width, inputs + taps)
        if i:
            yield decoder.content[i - 1].kernel, weight[:, :inputs].T
        if projection is None:
            yield decoder.content[i - 1].bias, bias
        else:
            height, width, channels, outputs = projection.kernel.shape
            kernel = weight[:, inputs:].reshape(outputs, channels, height, width)
            yield projection.kernel, kernel.transpose(2, 3, 1, 0)
            yield projection.bias, bias
    pairs = 2 if dense else 1
    shape = (decoder.width, 4) if dense else (decoder.width, 3, 1, 1)
    weight = source.take(f"{name}.Q.0.0.weight", shape).reshape(decoder.width, -1)
    yield decoder.position.row_kernel, weight[:, 0 : 2 * pairs : 2].T
    yield decoder.position.column_kernel, weight[:, 1 : 2 * pairs : 2].T
    if not dense:
        yield decoder.ratio.kernel, weight[:, 2:].T
    yield decoder.position.bias, source.take(f"{name}.Q.0.0.bias", (decoder.width,))
    layer_of = _linear if dense else _pointwise
    for i, layer in enumerate(decoder.modulation_layers, start=1):
        yield from layer_of(layer, source, f"{name}.Q.{i}.0")
    last = "imnet.output_linear" if dense else "decoder.last_layer"
    yield from layer_of(decoder.output_layer, source, last)


def _pointwise(layer, source: WeightSource, name: str) -> Assignments:
    """A dense layer that was published as a 1x1 convolution."""
    inputs, outputs = layer.kernel.shape
    yield layer.kernel, source.take(f"{name}.weight", (outputs, inputs, 1, 1))[:, :, 0, 0].T
    yield layer.bias, source.take(f"{name}.bias", (outputs,))


def _mlp(mlp, source: WeightSource, name: str = "imnet.layers") -> Assignments:
    # PyTorch numbers the ReLUs between the layers too.
    for i, layer in enumerate([*mlp.dense, mlp.output_layer], start=1):
        yield from _linear(layer, source, f"{name}.{2 * i}")


def _arasfsr(decoder: ARASFSR, source: WeightSource) -> Assignments:
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


def _first_layer(
    projection, position: SeparableDense | None, source: WeightSource, name: str
) -> Assignments:
    """A dense layer on [unfolded features, then (row, column) pairs of position, if any].

    Unfolded features come channel by channel, each with its 3x3 taps: seen as (out, channel, tap
    row, tap column) they are a convolution's kernel.
    """
    height, width, channels, outputs = projection.kernel.shape
    pairs = position.row_kernel.shape[0] if position is not None else 0
    taps = channels * height * width
    weight = source.take(f"{name}.weight", (outputs, taps + 2 * pairs))
    kernel = weight[:, :taps].reshape(outputs, channels, height, width)
    yield projection.kernel, kernel.transpose(2, 3, 1, 0)
    if position is not None:
        yield position.row_kernel, weight[:, taps::2].T
        yield position.column_kernel, weight[:, taps + 1 :: 2].T
    yield projection.bias, source.take(f"{name}.bias", (outputs,))


def _coordinate(layer: SeparableDense, source: WeightSource, name: str) -> Assignments:
    """A dense layer on the encoded (row, column): x, then sines and cosines of each octave.

    Row and column alternate throughout, so each axis's own encoding is every second value.
    """
    channels, outputs = layer.row_kernel.shape
    weight = source.take(f"{name}.weight", (outputs, 2 * channels))
    yield layer.row_kernel, weight[:, 0::2].T
    yield layer.column_kernel, weight[:, 1::2].T
    yield layer.bias, source.take(f"{name}.bias", (outputs,))


def _frequency_estimation(layer: LocalFrequencyEstimation, source: WeightSource) -> Assignments:
    for half, side in ((layer.encoder, "encoder"), (layer.decoder, "decoder")):
        name = f"netCTM.{side}"
        for i in (1, 2, 3):
            yield from _convolution(getattr(half, f"conv{i}"), source, f"{name}.conv{i}")
        for i, block in enumerate(half.residual_blocks):
            yield from _residual_block(block, source, f"{name}.resblock.{i}")
