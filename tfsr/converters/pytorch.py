"""A published checkpoint file to a model."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfsr.converters.checkpoint import read_checkpoint
from tfsr.converters.flax_pickle import is_bare_pickle, read_flax_pickle
from tfsr.converters.published import load_published, unused_names
from tfsr.converters.thera import load_thera, thera_config
from tfsr.errors import CheckpointError, TfsrError, did_you_mean
from tfsr.models import ImplicitSR

Weights = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Published:
    """What a checkpoint holds.

    Attributes:
        config: of the model, as `ImplicitSR.from_config` takes it.
        weights: names to arrays, in the checkpoint's own layouts.
        unused: what the checkpoint has and the model knowingly does without.
        load: fills a model of that configuration with such weights.
    """

    config: dict[str, Any]
    weights: Weights
    unused: list[str]
    load: Callable[[ImplicitSR, Weights], None] = load_published

    def model(self) -> ImplicitSR:
        """The model, with its weights.

        Raises:
            CheckpointError: if a weight is missing, left over or of another shape.
        """
        model = ImplicitSR.from_config(self.config)
        self.load(model, self.weights)
        return model


def from_pytorch(path: str | os.PathLike[str]) -> ImplicitSR:
    """The model of a published checkpoint, with its weights. PyTorch is not needed.

    Reads the .pth files of LIIF, Meta-SR, LTE, LTE+, LM-LIIF, LM-LTE and ARASFSR (its ablations and
    its own DIINN among them), and the Lightning .ckpt of DIINN, with an EDSR or RDN encoder. Which
    one it is, and its sizes, are read from the checkpoint.

    Raises:
        CheckpointError: if the file cannot be read, holds anything but plain data, belongs to
            another project, or a weight is missing, left over or of another shape.
    """
    published = read_published(path)
    try:
        return published.model()
    except TfsrError as error:
        raise CheckpointError(f"{os.fspath(path)}: {error}") from error


def read_published(path: str | os.PathLike[str]) -> Published:
    """Configuration and weights of a published checkpoint; arguments as `from_pytorch`.

    Reads Thera's pickles too.
    """
    if is_bare_pickle(path):
        return _thera(path)
    content = read_checkpoint(path)
    try:
        if "state_dict" in content:
            return _lightning(content)
        return _liif_family(content)
    except CheckpointError as error:
        raise CheckpointError(f"{os.fspath(path)}: {error}") from error
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise CheckpointError(
            f"{os.fspath(path)}: is no checkpoint of LIIF, Meta-SR, LTE, LMF, DIINN or ARASFSR: "
            f"its contents are not laid out as theirs ({type(error).__name__}: {error})"
        ) from error


def _thera(path: str | os.PathLike[str]) -> Published:
    """{'model': parameters of Flax, 'backbone', 'size'}, as Thera's code saves."""
    checkpoint = read_flax_pickle(path)
    try:
        return Published(thera_config(checkpoint), checkpoint.weights, [], load_thera)
    except CheckpointError as error:
        raise CheckpointError(f"{os.fspath(path)}: {error}") from error


def _liif_family(content: Mapping[str, Any]) -> Published:
    """{'model': {'name', 'args', 'sd'}, 'optimizer', 'epoch'}, as LIIF's code saves."""
    model = content["model"]
    weights = _arrays(model["sd"])
    name, arguments = model["name"], model["args"]
    if name not in _DECODERS:
        raise CheckpointError(
            f"holds a {name!r}; known: {', '.join(_DECODERS)}." + did_you_mean(name, _DECODERS)
        )
    encoder = _encoder(weights, arguments["encoder_spec"])
    decoder = _DECODERS[name](weights, arguments)
    beside = sorted(set(content) - {"model"})
    return Published(
        {"encoder": encoder, "decoder": decoder}, weights, unused_names(weights) + beside
    )


def _lightning(content: Mapping[str, Any]) -> Published:
    """{'state_dict', 'hyper_parameters', ...}, as DIINN's code saves."""
    state = _arrays(content["state_dict"])
    settings = content["hyper_parameters"]
    if settings.get("arch") != "diinn":
        raise CheckpointError(
            f"is a Lightning checkpoint of {settings.get('arch')!r}, not of DIINN"
        )
    if settings.get("init_q") or settings.get("mode") not in (1, 2, 3):
        raise CheckpointError(
            f"DIINN with mode {settings.get('mode')} and init_q {settings.get('init_q')}; "
            "modes 1 to 3 without init_q are what the papers' tables have"
        )
    weights = {name.removeprefix("net."): value for name, value in state.items()}
    layers = _count(weights, r"decoder\.K\.(\d+)\.0\.weight")
    width = weights["decoder.K.0.0.weight"].shape[0]
    decoder = {"name": "diinn", "width": width, "layers": layers, "mode": settings["mode"]}
    beside = sorted(set(content) - {"state_dict", "hyper_parameters"})
    return Published(
        {"encoder": _encoder(weights, None), "decoder": decoder},
        weights,
        unused_names(weights) + beside,
    )


def _encoder(weights: Weights, spec: Mapping[str, Any] | None) -> dict[str, Any]:
    """The encoder's configuration: sizes from the weights, what they do not show from the spec."""
    name = spec["name"] if spec is not None else None
    if name not in (None, "edsr", "edsr-baseline", "rdn"):
        raise CheckpointError(f"has the encoder {name!r}; known: edsr, edsr-baseline, rdn")
    if "encoder.SFENet1.weight" in weights:
        first = weights["encoder.RDBs.0.convs.0.conv.0.weight"]
        return {
            "name": "rdn",
            "features": int(first.shape[1]),
            "blocks": _count(weights, r"encoder\.RDBs\.(\d+)\.LFF\.weight"),
            "layers": _count(weights, r"encoder\.RDBs\.0\.convs\.(\d+)\.conv\.0\.weight"),
            "growth": int(first.shape[0]),
        }
    if "encoder.head.0.weight" not in weights:
        raise CheckpointError("has neither an EDSR nor an RDN encoder")
    scale = (spec or {}).get("args", {}).get("res_scale", 0.1 if name == "edsr" else 1.0)
    return {
        "name": "edsr",
        "features": int(weights["encoder.head.0.weight"].shape[0]),
        "blocks": _count(weights, r"encoder\.body\.(\d+)\.body\.0\.weight"),
        "residual_scale": float(scale),
    }


def _liif(weights: Weights, arguments: Mapping[str, Any]) -> dict[str, Any]:
    flags = ("local_ensemble", "feat_unfold", "cell_decode")
    return {
        "name": "liif",
        "hidden": _widths(weights, "imnet.layers"),
        **{flag: bool(arguments[flag]) for flag in flags if flag in arguments},
    }


def _metasr(weights: Weights, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": "metasr", "hidden": int(weights["imnet.layers.0.weight"].shape[0])}


def _lte(weights: Weights, arguments: Mapping[str, Any]) -> dict[str, Any]:
    layers = "layers" if "layers.0.weight" in weights else "imnet.layers"
    waves = int(weights["phase.weight"].shape[0])
    return {"name": "lte", "waves": waves, "hidden": _widths(weights, layers)}


def _lm_liif(weights: Weights, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """LM-LIIF: the latent network's outputs are two values a render channel, and the code."""
    _check_modulation(arguments)
    flags = ("local_ensemble", "feat_unfold", "cell_decode")
    hidden = _widths(weights, "imnet.layers")
    return {
        "name": "lm-liif",
        "hidden": hidden,
        "latent_hidden": _widths(weights, "hypernet.layers"),
        "code": _outputs(weights, "hypernet.layers") - 2 * sum(hidden),
        **{flag: bool(arguments[flag]) for flag in flags if flag in arguments},
    }


def _lm_lte(weights: Weights, arguments: Mapping[str, Any]) -> dict[str, Any]:
    _check_modulation(arguments)
    if not arguments.get("cell_decode", True):
        raise CheckpointError("LM-LTE with cell_decode False; the published ones have it")
    return {
        "name": "lm-lte",
        "hidden": _widths(weights, "imnet.layers"),
        "latent_hidden": _widths(weights, "hypernet.layers"),
        "waves": int(weights["phase.weight"].shape[0]),
        "render_waves": int(weights["imphase.weight"].shape[0]),
        "local_ensemble": bool(arguments.get("local_ensemble", True)),
    }


def _check_modulation(arguments: Mapping[str, Any]) -> None:
    """Refuse the ablations of LMF's modulation, which change what the numbers mean."""
    flags = {"mod_input": arguments.get("mod_input", True)}
    for flag in ("mod_scale", "mod_shift"):
        flags[flag] = arguments["imnet_spec"]["args"].get(flag, True)
    without = [flag for flag, value in flags.items() if not value]
    if without:
        raise CheckpointError(
            f"LMF without {' and '.join(without)}; only the full modulation (mod_input, mod_scale "
            "and mod_shift) can be converted"
        )


def _arasfsr(weights: Weights, arguments: Mapping[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = {
        "name": "arasfsr",
        "frequency": "netCTM.encoder.conv1.weight" in weights,
    }
    if config["frequency"]:
        config["frequency_features"] = int(weights["netCTM.encoder.conv1.weight"].shape[0])
        config["tokens"] = int(weights["netCTM.decoder.conv3.weight"].shape[0])
        config["frequency_blocks"] = _count(
            weights, r"netCTM\.encoder\.resblock\.(\d+)\.body\.0\.weight"
        )
    if "imnet.C.0.0.weight" in weights:
        layers = _count(weights, r"imnet\.I\.(\d+)\.0\.weight")
        config["hidden"] = [int(weights[f"imnet.I.{i}.0.weight"].shape[0]) for i in range(layers)]
        # Row and column, each the coordinate and two waves an octave.
        config["bandwidth"] = (int(weights["imnet.C.0.0.weight"].shape[1]) // 2 - 1) // 2
    else:
        config["global_coordinates"] = False
        config["hidden"] = _widths(weights, "imnet.layers")
    return config


def _arasfsr_without_skip(weights: Weights, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {**_arasfsr(weights, arguments), "skip": False}


def _diinn_ensemble(weights: Weights, arguments: Mapping[str, Any]) -> dict[str, Any]:
    first = weights["imnet.K.0.0.weight"]
    layers = _count(weights, r"imnet\.K\.(\d+)\.0\.weight")
    return {
        "name": "diinn-ensemble",
        "width": int(first.shape[0]),
        "layers": layers,
        "mode": 3,
    }


_DECODERS: dict[str, Callable[[Weights, Mapping[str, Any]], dict[str, Any]]] = {
    "liif": _liif,
    "metasr": _metasr,
    "lte": _lte,
    "lte-fast": _lte,
    "lmliif": _lm_liif,
    "lmlte": _lm_lte,
    "asfsr": _arasfsr,
    "asfsr_wo_res": _arasfsr_without_skip,
    "asfsr_wo_freq": _arasfsr,
    "asfsr_wo_glo": _arasfsr,
    "diinn": _diinn_ensemble,
}
"""The names under which the authors' code registers its models."""


def _arrays(state: Mapping[str, Any]) -> dict[str, np.ndarray]:
    for name, value in state.items():
        if not isinstance(value, np.ndarray):
            raise CheckpointError(f"{name!r} is no tensor but a {type(value).__name__}")
    return dict(state)


def _count(weights: Weights, pattern: str) -> int:
    """How many indices the names of this pattern have."""
    return len({match[1] for match in (re.fullmatch(pattern, name) for name in weights) if match})


def _widths(weights: Weights, prefix: str) -> list[int]:
    """Output widths of a sequence of layers but the last; PyTorch numbers the ReLUs between too."""
    count = _count(weights, re.escape(prefix) + r"\.(\d+)\.weight")
    return [int(weights[f"{prefix}.{2 * i}.weight"].shape[0]) for i in range(count - 1)]


def _outputs(weights: Weights, prefix: str) -> int:
    """Output width of the last of a sequence of layers; numbered as in `_widths`."""
    count = _count(weights, re.escape(prefix) + r"\.(\d+)\.weight")
    return int(weights[f"{prefix}.{2 * (count - 1)}.weight"].shape[0])
