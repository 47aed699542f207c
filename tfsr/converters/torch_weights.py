"""Names and layouts of the weights published for PyTorch, and the layers that they belong to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from tfsr.converters.weight_loader import WeightLoader
from tfsr.decoders import ARASFSR, DIINN, LIIF, LMLIIF, LMLTE, LTE, MetaSR
from tfsr.encoders import EDSR, RDN
from tfsr.errors import CheckpointError
from tfsr.layers import SeparableDense
from tfsr.models import ImplicitSR

# Built by the published code and never run: EDSR's colour shifts; and DIINN's normalisation, which
# is that of every model here.
_UNUSED = re.compile(r"encoder\.(sub|add)_mean\.(weight|bias)|sub|div")


def load_published(model: ImplicitSR, weights: Mapping[str, Any]) -> None:
    """Fill a model with weights published for PyTorch.

    Args:
        model: of the architecture that the weights belong to.
        weights: name to array, in PyTorch's layouts: Linear (out, in), Conv (out, in, height,
            width).

    Raises:
        CheckpointError: a weight is missing, left over, or of another shape. The model is then
            unchanged.

    Example:
        >>> published = tfsr.converters.read_published("liif.pth")
        >>> model = tfsr.ImplicitSR.from_config(published.config)
        >>> tfsr.converters.load_published(model, published.weights)
    """
    WeightLoader(weights, _UNUSED).load(model, _READERS)


def unused_names(weights: Mapping[str, Any]) -> list[str]:
    """Return the weights that `load_published` ignores."""
    return [name for name in weights if _UNUSED.fullmatch(name)]


def _layer(
    layer, loader: WeightLoader, name: str, order: Any = slice(None), pointwise: bool = False
) -> None:
    """A convolution or a dense layer, which may be published as a 1x1 convolution.

    `order` lists the published outputs in the order of ours.
    """
    *taps, inputs, outputs = layer.kernel.shape
    if taps:
        kernel = loader.take(f"{name}.weight", (outputs, inputs, *taps)).transpose(2, 3, 1, 0)
    else:
        shape = (outputs, inputs, 1, 1) if pointwise else (outputs, inputs)
        kernel = loader.take(f"{name}.weight", shape).reshape(outputs, inputs).T
    loader.assign(layer.kernel, kernel[..., order])
    loader.assign(layer.bias, loader.take(f"{name}.bias", (outputs,))[order])


def _mlp(
    mlp, loader: WeightLoader, name: str = "imnet.layers", order: Any = slice(None), **kind: bool
) -> None:
    """The layers of a perceptron but the first; `order` is of the last layer's outputs."""
    # PyTorch numbers the ReLUs between the layers too.
    for i, layer in enumerate(mlp.dense, start=1):
        _layer(layer, loader, f"{name}.{2 * i}", **kind)
    _layer(mlp.output_layer, loader, f"{name}.{2 * len(mlp.dense) + 2}", order, **kind)


def _axes(layer: SeparableDense, loader: WeightLoader, weight: np.ndarray) -> None:
    """A weight whose inputs alternate between row and column."""
    loader.assign(layer.row_kernel, weight[:, 0::2].T)
    loader.assign(layer.column_kernel, weight[:, 1::2].T)


def _first_layer(
    projection, position: SeparableDense | None, loader: WeightLoader, name: str
) -> None:
    """A dense layer on [unfolded features, then (row, column) pairs of position, if any].

    Unfolded features come channel by channel, each with its 3x3 taps: as (out, channel, tap row,
    tap column) they are a convolution's kernel.
    """
    height, width, channels, outputs = projection.kernel.shape
    pairs = position.row_kernel.shape[0] if position is not None else 0
    taps = channels * height * width
    weight = loader.take(f"{name}.weight", (outputs, taps + 2 * pairs))
    kernel = weight[:, :taps].reshape(outputs, channels, height, width)
    loader.assign(projection.kernel, kernel.transpose(2, 3, 1, 0))
    if position is not None:
        _axes(position, loader, weight[:, taps:])
    loader.assign(projection.bias, loader.take(f"{name}.bias", (outputs,)))


def _halves(count: int) -> np.ndarray:
    """Even indices below `count`, then odd ones: (row, column) pairs to all rows, all columns."""
    return np.concatenate([np.arange(0, count, 2), np.arange(1, count, 2)])


def _edsr(encoder: EDSR, loader: WeightLoader) -> None:
    _layer(encoder.head, loader, "encoder.head.0")
    for i, block in enumerate(encoder.body):
        _residual_block(block, loader, f"encoder.body.{i}")
    _layer(encoder.tail, loader, f"encoder.body.{encoder.blocks}")


def _residual_block(block, loader: WeightLoader, name: str) -> None:
    _layer(block.conv1, loader, f"{name}.body.0")
    _layer(block.conv2, loader, f"{name}.body.2")


def _rdn(encoder: RDN, loader: WeightLoader) -> None:
    _layer(encoder.shallow1, loader, "encoder.SFENet1")
    _layer(encoder.shallow2, loader, "encoder.SFENet2")
    for i, block in enumerate(encoder.dense_blocks):
        for j, layer in enumerate(block.convolutions):
            _layer(layer, loader, f"encoder.RDBs.{i}.convs.{j}.conv.0")
        _layer(block.fusion, loader, f"encoder.RDBs.{i}.LFF")
    _layer(encoder.fusion1, loader, "encoder.GFF.0")
    _layer(encoder.fusion2, loader, "encoder.GFF.1")


def _liif(decoder: LIIF, loader: WeightLoader) -> None:
    if decoder.encoding != "none" or decoder.skip:
        raise CheckpointError("no weights of LIIF with encodings or skips were published")
    _first_layer(decoder.projections[0], decoder.positions[0], loader, "imnet.layers.0")
    _mlp(decoder.mlp, loader)


def _metasr(decoder: MetaSR, loader: WeightLoader) -> None:
    if decoder.encoding != "none":
        raise CheckpointError("no weights of Meta-SR with encodings were published")
    hidden, basis = decoder.hidden, decoder.basis_layer
    weight = loader.take("imnet.layers.0.weight", (hidden, 3))
    _axes(basis.position, loader, weight[:, :2])
    loader.assign(basis.scale.kernel, weight[:, 2:].T)
    loader.assign(basis.position.bias, loader.take("imnet.layers.0.bias", (hidden,)))
    # The predicted filter lists its numbers as (channel, tap row, tap column, colour).
    height, width, channels, _ = decoder.projection.kernel.shape
    taps = channels * height * width * 3
    last = loader.take("imnet.layers.2.weight", (taps, hidden))
    bias = loader.take("imnet.layers.2.bias", (taps,))
    kernel = np.concatenate([last, bias[:, None]], axis=1)
    kernel = kernel.reshape(channels, height, width, 3, hidden + 1).transpose(1, 2, 0, 3, 4)
    loader.assign(decoder.projection.kernel, kernel.reshape(height, width, channels, -1))


def _lte(decoder: LTE, loader: WeightLoader) -> None:
    # LTE pairs (row, column) frequencies; LTE+, whose layers have no module of their own, has all
    # of the rows' first, as here.
    plus = "layers.0.weight" in loader
    name = "layers" if plus else "imnet.layers"
    _layer(decoder.amplitude, loader, "coef")
    order = slice(None) if plus else _halves(2 * decoder.waves)
    _layer(decoder.frequency, loader, "freq", order)
    _axes(decoder.phase, loader, loader.take("phase.weight", (decoder.waves, 2)))
    _layer(decoder.first, loader, f"{name}.0", pointwise=plus)
    _mlp(decoder.mlp, loader, name, pointwise=plus)


def _lm_liif(decoder: LMLIIF, loader: WeightLoader) -> None:
    cell = decoder.cell if decoder.cell_decode else None
    _first_layer(decoder.projection, cell, loader, "hypernet.layers.0")
    _mlp(decoder.latent_mlp, loader, "hypernet.layers")
    outputs, code = decoder.hidden[0], decoder.code
    pairs = decoder.position.row_kernel.shape[0]
    weight = loader.take("imnet.layers.0.weight", (outputs, code + 2 * pairs))
    loader.assign(decoder.code_layer.kernel, weight[:, :code].T)
    _axes(decoder.position, loader, weight[:, code:])
    loader.assign(decoder.code_layer.bias, loader.take("imnet.layers.0.bias", (outputs,)))
    _mlp(decoder.mlp, loader)


def _lm_lte(decoder: LMLTE, loader: WeightLoader) -> None:
    _layer(decoder.amplitude, loader, "coef")
    _layer(decoder.frequency, loader, "freq", _halves(2 * decoder.waves))
    for layer, name in ((decoder.phase, "phase"), (decoder.render_phase, "imphase")):
        _axes(layer, loader, loader.take(f"{name}.weight", (layer.units, 2)))
    _layer(decoder.latent_first, loader, "hypernet.layers.0")
    # The latent network's last outputs are the render network's frequencies.
    count = 2 * decoder.render_waves
    before = decoder.latent_mlp.output_layer.kernel.shape[-1] - count
    order = np.concatenate([np.arange(before), before + _halves(count)])
    _mlp(decoder.latent_mlp, loader, "hypernet.layers", order)
    _layer(decoder.first, loader, "imnet.layers.0")
    _mlp(decoder.mlp, loader)


def _diinn(decoder: DIINN, loader: WeightLoader) -> None:
    """Both branches; the ensemble variant has dense layers, under other names."""
    dense = decoder.local_ensemble
    name = "imnet" if dense else "decoder"
    for i in range(decoder.layers):
        _diinn_content(decoder, loader, i, f"{name}.K.{i}.0", () if dense else (1, 1))
    pairs = 2 if dense else 1
    shape = (decoder.width, 4) if dense else (decoder.width, 3, 1, 1)
    weight = loader.take(f"{name}.Q.0.0.weight", shape).reshape(decoder.width, -1)
    _axes(decoder.position, loader, weight[:, : 2 * pairs])
    if not dense:
        loader.assign(decoder.ratio.kernel, weight[:, 2:].T)
    loader.assign(decoder.position.bias, loader.take(f"{name}.Q.0.0.bias", (decoder.width,)))
    for i, layer in enumerate(decoder.modulation_layers, start=1):
        _layer(layer, loader, f"{name}.Q.{i}.0", pointwise=not dense)
    last = "imnet.output_linear" if dense else "decoder.last_layer"
    _layer(decoder.output_layer, loader, last, pointwise=not dense)


def _diinn_content(
    decoder: DIINN, loader: WeightLoader, i: int, name: str, trailing: tuple[int, ...]
) -> None:
    """A content layer: on the previous one's outputs, if any, and on unfolded features, if any."""
    inputs = decoder.width if i else 0
    projection = decoder.projections[i] if i < len(decoder.projections) else None
    taps = int(np.prod(projection.kernel.shape[:3])) if projection is not None else 0
    weight = loader.take(f"{name}.weight", (decoder.width, inputs + taps, *trailing))
    weight = weight.reshape(decoder.width, inputs + taps)
    biased = decoder.content[i - 1] if projection is None else projection
    loader.assign(biased.bias, loader.take(f"{name}.bias", (decoder.width,)))
    if i:
        loader.assign(decoder.content[i - 1].kernel, weight[:, :inputs].T)
    if projection is not None:
        height, width, channels, outputs = projection.kernel.shape
        kernel = weight[:, inputs:].reshape(outputs, channels, height, width)
        loader.assign(projection.kernel, kernel.transpose(2, 3, 1, 0))


def _arasfsr(decoder: ARASFSR, loader: WeightLoader) -> None:
    if decoder.frequency:
        _frequency_estimation(decoder.frequency_estimation, loader)
    if not decoder.global_coordinates:
        _first_layer(decoder.projection, decoder.position, loader, "imnet.layers.0")
        _mlp(decoder.mlp, loader)
        return
    _first_layer(decoder.projection, decoder.position, loader, "imnet.I.0.0")
    # Of each octave sines and cosines, in which row and column alternate throughout.
    channels, outputs = decoder.coordinate.row_kernel.shape
    weight = loader.take("imnet.C.0.0.weight", (outputs, 2 * channels))
    _axes(decoder.coordinate, loader, weight)
    loader.assign(decoder.coordinate.bias, loader.take("imnet.C.0.0.bias", (outputs,)))
    mlp = decoder.mlp
    for i, (content, wave) in enumerate(zip(mlp.content, mlp.coordinate, strict=True), start=1):
        _layer(content, loader, f"imnet.I.{i}.0")
        _layer(wave, loader, f"imnet.C.{i}.0")
    _layer(mlp.output_layer, loader, "imnet.output_linear")


def _frequency_estimation(layer, loader: WeightLoader) -> None:
    for half, side in ((layer.encoder, "encoder"), (layer.decoder, "decoder")):
        for i in (1, 2, 3):
            _layer(getattr(half, f"conv{i}"), loader, f"netCTM.{side}.conv{i}")
        for i, block in enumerate(half.residual_blocks):
            _residual_block(block, loader, f"netCTM.{side}.resblock.{i}")


_READERS = {
    EDSR: _edsr,
    RDN: _rdn,
    LIIF: _liif,
    MetaSR: _metasr,
    LTE: _lte,
    LMLIIF: _lm_liif,
    LMLTE: _lm_lte,
    DIINN: _diinn,
    ARASFSR: _arasfsr,
}
