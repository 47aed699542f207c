"""Published checkpoint files: which model they hold, and its sizes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfsr.converters.checkpoint import read_checkpoint
from tfsr.converters.flax_pickle import is_bare_pickle, read_flax_pickle
from tfsr.converters.thera_weights import load_thera, thera_config
from tfsr.converters.torch_weights import load_published, unused_names
from tfsr.converters.weight_loader import stored_numbers
from tfsr.errors import CheckpointError, TfsrError, check_choice
from tfsr.layers.budget import limited
from tfsr.models import ImplicitSR

Weights = Mapping[str, np.ndarray]
Config = dict[str, Any]


@dataclass(frozen=True)
class Published:
    """The content of a published checkpoint.

    Attributes:
        config: of the model, as `ImplicitSR.from_config` takes it.
        weights: names to arrays, in the checkpoint's own layouts.
        unused: entries that the model does not need.
        load: fills a model of that configuration with such weights.

    Example:
        >>> published = tfsr.converters.read_published("liif.pth")
        >>> published.config["decoder"]["name"]
        'liif'
    """

    config: Config
    weights: Weights
    unused: list[str]
    load: Callable[[ImplicitSR, Weights], None] = load_published

    def model(self) -> ImplicitSR:
        """Build the model with its weights.

        Raises:
            CheckpointError: a weight is missing, left over, of another shape or not finite.
            InvalidArgument: the names describe a larger model than there are weights.
        """
        # The configuration is of counts in names and shapes. A layer has weights, or parts that
        # have; the margin is for what is stored once and used twice.
        with limited(
            layers=len(self.weights) + 64, weights=2 * stored_numbers(self.weights) + 2**16
        ):
            model = ImplicitSR.from_config(self.config)
        self.load(model, self.weights)
        return model


def from_pytorch(path: str | os.PathLike[str]) -> ImplicitSR:
    """Build the model of a published checkpoint, without PyTorch.

    Reads the .pth files of LIIF, Meta-SR, LTE, LTE+, LM-LIIF, LM-LTE and ARASFSR (with its
    ablations and its DIINN), the Lightning .ckpt of DIINN, with an EDSR or RDN encoder, and Thera's
    pickles. The system and its sizes are detected.

    Raises:
        CheckpointError: the file cannot be read, holds anything but plain data, belongs to another
            project, or a weight is missing, left over or of another shape.

    Example:
        >>> model = tfsr.converters.from_pytorch("liif.pth")
        >>> model.count_params()
        248339
    """
    published = read_published(path)
    with _naming(path):
        return published.model()


def read_published(path: str | os.PathLike[str]) -> Published:
    """Read the configuration and the weights of a published checkpoint; see `from_pytorch`.

    Example:
        >>> published = tfsr.converters.read_published("liif.pth")
        >>> published.weights["imnet.layers.0.weight"].shape
        (256, 148)
    """
    if is_bare_pickle(path):
        checkpoint = read_flax_pickle(path)
        with _naming(path):
            return Published(thera_config(checkpoint), checkpoint.weights, [], load_thera)
    content = read_checkpoint(path)
    with _naming(path):
        return _lightning(content) if "state_dict" in content else _liif_family(content)


@contextmanager
def _naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Make every error a CheckpointError that begins with the path."""
    try:
        yield
    except TfsrError as error:
        raise CheckpointError(f"{os.fspath(path)}: {error}") from error
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise CheckpointError(
            f"{os.fspath(path)}: is not a checkpoint of LIIF, Meta-SR, LTE, LMF, DIINN or ARASFSR: "
            f"its contents have another layout ({type(error).__name__}: {error})"
        ) from error


def _liif_family(content: Mapping[str, Any]) -> Published:
    """{'model': {'name', 'args', 'sd'}, 'optimizer', 'epoch'}, as saved by LIIF's code."""
    model = content["model"]
    weights = _arrays(model["sd"])
    name, arguments = model["name"], model["args"]
    check_choice("its model", name, _DECODERS, CheckpointError)
    encoder = _encoder(weights, arguments["encoder_spec"])
    config = {"encoder": encoder, "decoder": _DECODERS[name](weights, arguments)}
    return Published(config, weights, unused_names(weights) + sorted(set(content) - {"model"}))


def _lightning(content: Mapping[str, Any]) -> Published:
    """{'state_dict', 'hyper_parameters', ...}, as saved by DIINN's code."""
    state = _arrays(content["state_dict"])
    settings = content["hyper_parameters"]
    if settings.get("arch") != "diinn":
        raise CheckpointError(f"is a Lightning checkpoint of {settings.get('arch')!r}, not DIINN")
    mode, init_q = settings.get("mode"), settings.get("init_q")
    if init_q or mode not in (1, 2, 3):
        raise CheckpointError(
            f"is DIINN with mode {mode} and init_q {init_q}; only modes 1 to 3 without init_q, as "
            "in the papers' tables, can be converted"
        )
    weights = {name.removeprefix("net."): value for name, value in state.items()}
    config = {
        "encoder": _encoder(weights, None),
        "decoder": {"name": "diinn", "mode": mode, **_diinn_sizes(weights, "decoder")},
    }
    beside = sorted(set(content) - {"state_dict", "hyper_parameters"})
    return Published(config, weights, unused_names(weights) + beside)


def _encoder(weights: Weights, spec: Mapping[str, Any] | None) -> Config:
    """The encoder's configuration: sizes from the weights, the residual scale from the spec."""
    name = spec["name"] if spec is not None else "edsr-baseline"
    check_choice("its encoder", name, ("edsr", "edsr-baseline", "rdn"), CheckpointError)
    if "encoder.SFENet1.weight" in weights:
        growth, features = weights["encoder.RDBs.0.convs.0.conv.0.weight"].shape[:2]
        return {
            "name": "rdn",
            "features": features,
            "blocks": _count(weights, r"encoder\.RDBs\.(\d+)\.LFF\.weight"),
            "layers": _count(weights, r"encoder\.RDBs\.0\.convs\.(\d+)\.conv\.0\.weight"),
            "growth": growth,
        }
    if "encoder.head.0.weight" not in weights:
        raise CheckpointError("has neither an EDSR nor an RDN encoder")
    scale = (spec or {}).get("args", {}).get("res_scale", 0.1 if name == "edsr" else 1.0)
    return {
        "name": "edsr",
        "features": len(weights["encoder.head.0.weight"]),
        "blocks": _count(weights, r"encoder\.body\.(\d+)\.body\.0\.weight"),
        "residual_scale": float(scale),
    }


def _liif(weights: Weights, arguments: Mapping[str, Any]) -> Config:
    flags = ("local_ensemble", "feat_unfold", "cell_decode")
    return {
        "name": "liif",
        "hidden": _widths(weights, "imnet.layers")[:-1],
        **{flag: bool(arguments[flag]) for flag in flags if flag in arguments},
    }


def _metasr(weights: Weights, arguments: Mapping[str, Any]) -> Config:
    return {"name": "metasr", "hidden": len(weights["imnet.layers.0.weight"])}


def _lte(weights: Weights, arguments: Mapping[str, Any]) -> Config:
    layers = "layers" if "layers.0.weight" in weights else "imnet.layers"
    waves = len(weights["phase.weight"])
    return {"name": "lte", "waves": waves, "hidden": _widths(weights, layers)[:-1]}


def _lm_liif(weights: Weights, arguments: Mapping[str, Any]) -> Config:
    """LM-LIIF: the latent network outputs the code, and two values per render channel."""
    _check_modulation(arguments)
    config = _liif(weights, arguments)
    *latent_hidden, outputs = _widths(weights, "hypernet.layers")
    code = outputs - 2 * sum(config["hidden"])
    return {**config, "name": "lm-liif", "latent_hidden": latent_hidden, "code": code}


def _lm_lte(weights: Weights, arguments: Mapping[str, Any]) -> Config:
    _check_modulation(arguments)
    if not arguments.get("cell_decode", True):
        raise CheckpointError("is LM-LTE with cell_decode False; the published ones have it")
    return {
        "name": "lm-lte",
        "hidden": _widths(weights, "imnet.layers")[:-1],
        "latent_hidden": _widths(weights, "hypernet.layers")[:-1],
        "waves": len(weights["phase.weight"]),
        "render_waves": len(weights["imphase.weight"]),
        "local_ensemble": bool(arguments.get("local_ensemble", True)),
    }


def _check_modulation(arguments: Mapping[str, Any]) -> None:
    """Refuse the ablations of LMF's modulation, which change what the numbers mean."""
    flags = {**arguments["imnet_spec"]["args"], "mod_input": arguments.get("mod_input", True)}
    names = ("mod_input", "mod_scale", "mod_shift")
    without = [name for name in names if not flags.get(name, True)]
    if without:
        raise CheckpointError(
            f"is LMF without {' and '.join(without)}; only the full modulation (mod_input, "
            "mod_scale and mod_shift) can be converted"
        )


def _arasfsr(weights: Weights, arguments: Mapping[str, Any]) -> Config:
    config: Config = {"name": "arasfsr", "frequency": "netCTM.encoder.conv1.weight" in weights}
    if config["frequency"]:
        blocks = r"netCTM\.encoder\.resblock\.(\d+)\.body\.0\.weight"
        config["frequency_features"] = len(weights["netCTM.encoder.conv1.weight"])
        config["tokens"] = len(weights["netCTM.decoder.conv3.weight"])
        config["frequency_blocks"] = _count(weights, blocks)
    if "imnet.C.0.0.weight" not in weights:
        hidden = _widths(weights, "imnet.layers")[:-1]
        return {**config, "global_coordinates": False, "hidden": hidden}
    layers = _count(weights, r"imnet\.I\.(\d+)\.0\.weight")
    config["hidden"] = [len(weights[f"imnet.I.{i}.0.weight"]) for i in range(layers)]
    # Row and column, each the coordinate and two waves per octave.
    config["bandwidth"] = (weights["imnet.C.0.0.weight"].shape[1] // 2 - 1) // 2
    return config


def _arasfsr_without_skip(weights: Weights, arguments: Mapping[str, Any]) -> Config:
    return {**_arasfsr(weights, arguments), "skip": False}


def _diinn_ensemble(weights: Weights, arguments: Mapping[str, Any]) -> Config:
    return {"name": "diinn-ensemble", "mode": 3, **_diinn_sizes(weights, "imnet")}


def _diinn_sizes(weights: Weights, prefix: str) -> Config:
    layers = _count(weights, re.escape(prefix) + r"\.K\.(\d+)\.0\.weight")
    return {"width": len(weights[f"{prefix}.K.0.0.weight"]), "layers": layers}


_DECODERS: dict[str, Callable[[Weights, Mapping[str, Any]], Config]] = {
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
            raise CheckpointError(f"{name!r} is not a tensor but a {type(value).__name__}")
    return dict(state)


def _count(weights: Weights, pattern: str) -> int:
    """Return how many indices the names of a pattern have."""
    return len({match[1] for match in (re.fullmatch(pattern, name) for name in weights) if match})


def _widths(weights: Weights, prefix: str) -> list[int]:
    """Return the output widths of a sequence of layers, between which PyTorch numbers the ReLUs."""
    count = _count(weights, re.escape(prefix) + r"\.(\d+)\.weight")
    return [len(weights[f"{prefix}.{2 * i}.weight"]) for i in range(count)]
