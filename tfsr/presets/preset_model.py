"""From a preset to its model."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from numbers import Real
from typing import TYPE_CHECKING, Any

from tfsr.errors import InvalidArgument, PresetError
from tfsr.hints import checked_arguments
from tfsr.presets.store import CONFIG, METADATA, WEIGHTS, check_files, find, read_json
from tfsr.presets.twins import clean_twin

if TYPE_CHECKING:
    # Models import Keras, which takes seconds.
    from tfsr.models import AnyModel

# Decoders' arguments that have no effect after training.
_TRAINING_ONLY = {"noise", "seed"}


@checked_arguments()
def from_preset(
    preset: str | os.PathLike[str],
    strength: float | None = None,
    dtype: Any = None,
    load_weights: bool = True,
    trainable: bool = True,
    name: str | None = None,
) -> AnyModel:
    """Load the model of a preset.

    Args:
        preset: a name (see `names`), a preset's directory, that of a training run, whose best
            weights are loaded, or a handle, "hf://USER/NAME[@REVISION]" or
            "kaggle://USER/MODEL/FRAMEWORK/VARIATION[/VERSION]": the hub's own library fetches and
            caches the preset's files (`pip install 'tfsr[hub]'`).
        strength: float. In [0, 1], for a preset with a clean twin: see `interpolate`. Defaults to
            None: the preset as it is.
        dtype: str or `keras.DTypePolicy`, such as "mixed_bfloat16". Defaults to float32.
        load_weights: bool. Whether the model has the preset's weights, or random ones. Defaults to
            True.
        trainable: bool. Whether weights are trained by `fit`. Defaults to True.
        name: str. The model's name. Defaults to that of its class.

    Raises:
        PresetError: if there is no such preset, a file is missing,
            has another sha256 than the metadata says, or is not of the form that `save_preset`
            writes, or a weight is not finite; with a strength, if the preset has no clean
            twin, or one of another architecture.
        InvalidArgument: if the strength is not in [0, 1], or is given without weights.

    Example:
        >>> model = tfsr.from_preset("arasfsr-mobile-faces-v1")
        >>> model.count_params() > 100_000
        True
    """
    if strength is None:
        model = _load(preset)
    else:
        check_strength(strength)
        if not load_weights:
            raise InvalidArgument("is of weights, which load_weights=False leaves out", "strength")
        model = interpolate(clean_twin(preset), preset, strength)
    if not (dtype is None and name is None and load_weights):
        given = {key: value for key, value in (("dtype", dtype), ("name", name)) if value}
        copy = type(model).from_config({**model.get_config(), **given})
        if load_weights:
            copy.set_weights(model.get_weights())
        model = copy
    if not trainable:
        model.trainable = False
    return model


def interpolate(
    clean: str | os.PathLike[str], robust: str | os.PathLike[str], strength: float
) -> AnyModel:
    """Interpolate the weights of two presets, one of them fine-tuned from the other.

    Every weight is (1 - strength) * clean + strength * robust, computed in float32.
    Re-parameterised convolutions are folded first, so a training run can be interpolated with a
    saved preset. The filters of networks that were trained apart do not correspond; this is not
    checked.

    Args:
        clean: preset of strength 0: a name, its directory, or that of a training run.
        robust: preset of strength 1, of the same architecture.
        strength: float. In [0, 1]. 0 gives exactly the weights of `clean`, 1 those of `robust`.

    Returns:
        A new folded model with float32 weights. Equal arguments give equal bytes.

    Raises:
        PresetError: if one of the two cannot be loaded, or their architectures differ.
        InvalidArgument: if the strength is not in [0, 1].

    Reference:
        Wang, Yu, Dong, Tang and Loy, "Deep Network Interpolation for Continuous Imagery Effect
        Transition", CVPR 2019, section 3.

    Example:
        >>> encoder = {"name": "edsr", "features": 8, "blocks": 1}
        >>> for name in ("clean", "robust"):
        ...     model = tfsr.ImplicitSR(encoder, {"name": "liif", "hidden": [8]})
        ...     tfsr.presets.save_preset(model, name, {})
        >>> model = tfsr.presets.interpolate("clean", "robust", 0.5)
    """
    from tfsr.models import folded

    check_strength(strength)
    first, second = folded(_load(clean)), folded(_load(robust))
    check_same_architecture(clean, first, robust, second)
    # At the ends the sum would turn -0.0 into 0.0.
    if strength in (0, 1):
        return second if strength else first
    share = float(strength)  # A NumPy float64 would make the products float64.
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    first.set_weights([(1 - share) * a + share * b for a, b in pairs])
    return first


def check_strength(strength: Any, name: str = "strength") -> None:
    """Raise InvalidArgument, with the argument's name, unless a strength is in [0, 1]."""
    number = isinstance(strength, Real) and not isinstance(strength, bool)
    if not (number and 0 <= strength <= 1):  # NaN is not.
        raise InvalidArgument(f"must be a number from 0 to 1; received {strength!r}", name)


def check_same_architecture(
    clean: str | os.PathLike[str],
    clean_model: AnyModel,
    robust: str | os.PathLike[str],
    robust_model: AnyModel,
) -> None:
    """Raise unless the weights of two folded models can be interpolated.

    Raises:
        PresetError: if their architectures differ, with both names and the first difference.
    """
    first, second = (dict(_flat(model.get_config())) for model in (clean_model, robust_model))
    for key in {**first, **second}:
        values = first.get(key), second.get(key)
        if values[0] != values[1]:
            raise PresetError(
                f"{os.fspath(clean)} and {os.fspath(robust)} cannot be interpolated: their "
                f"architectures differ ({key}: {values[0]} and {values[1]})"
            )


def _flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The architecture's arguments by dotted keys, without Keras's own and those of training."""
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif (prefix and key not in _TRAINING_ONLY) or key == "scale":
            yield prefix + key, value


def _load(preset: str | os.PathLike[str]) -> AnyModel:
    from tfsr.layers.budget import limited
    from tfsr.models import from_config
    from tfsr.presets.weights_file import MemoryFile, read_weights

    directory = find(preset)
    for file in check_files(preset):
        if not file.matches:
            raise PresetError(
                f"{file.path}: is not the file that {METADATA} describes (sha256); "
                "copy the preset again"
            )
    config, weights = read_json(directory / CONFIG), directory / WEIGHTS
    arrays = read_weights(weights)
    total = sum(array.size for array in arrays.values())
    with _naming(f"{directory / CONFIG}: describes no model of {WEIGHTS}"):
        _check_numbers(config, total)
        # A layer has weights, or parts that have.
        with limited(layers=len(arrays) + 64, weights=total):
            model = from_config(config)
    with _naming(f"{weights}: does not fit {CONFIG}"):
        # What was read, written anew: HDF5 gets nothing that another program wrote.
        model.load_weights(MemoryFile(WEIGHTS, arrays))
    if sum(value.size for value in model.get_weights()) != total:
        raise PresetError(f"{weights}: has more weights than the model of {CONFIG}")
    return model


def _check_numbers(config: Any, most: int) -> None:
    """Check that no number, but a seed, is larger than the weights there are."""
    if isinstance(config, Mapping):
        config = [value for key, value in config.items() if key != "seed"]
    if isinstance(config, list):
        for value in config:
            _check_numbers(value, most)
    elif isinstance(config, int | float) and not abs(config) <= most:  # NaN is not.
        raise InvalidArgument(f"{config} is larger than its {most} weights")


@contextmanager
def _naming(problem: str) -> Iterator[None]:
    # With files that were changed, and their checksums too, Keras and HDF5 raise anything.
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise PresetError(f"{problem}: {reason}") from error
