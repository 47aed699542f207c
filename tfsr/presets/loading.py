"""From a preset to its model."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any

from tfsr.errors import InvalidArgument, PresetError
from tfsr.presets.store import CONFIG, METADATA, WEIGHTS, check_files, find, read_json
from tfsr.presets.twins import clean_twin

if TYPE_CHECKING:
    # Models import Keras, which nobody who only looks at presets should wait for.
    from tfsr.models import AnyModel

# Decoders' arguments that have no effect after training.
_TRAINING_ONLY = {"noise", "seed"}


def from_preset(preset: str | os.PathLike[str], strength: float | None = None) -> AnyModel:
    """The model of a preset: one that ships, by name, or any directory of the same form.

    Args:
        preset: a name, as `names` lists them, a directory, or the directory of a training run,
            whose best weights are then meant.
        strength: float. In [0, 1], for a preset whose metadata names a clean twin: the model of
            `interpolate(twin, preset, strength)`. Defaults to None: the preset as it is.

    Raises:
        PresetError: if there is no such preset, a file is missing or is not the one that the
            metadata's sha256 describes, or a file lies outside the directory; with a strength, if
            the preset has no clean twin, or one of another architecture.
        InvalidArgument: if the strength is not in [0, 1].

    Example:
        model = tfsr.from_preset("arasfsr-compact-faces-v1")
    """
    if strength is None:
        return _load(preset)
    check_strength(strength)
    return interpolate(clean_twin(preset), preset, strength)


def interpolate(
    clean: str | os.PathLike[str], robust: str | os.PathLike[str], strength: float
) -> AnyModel:
    """Interpolate the weights of two presets, one of them fine-tuned from the other.

    Every weight is (1 - strength) * clean + strength * robust, computed in float32.
    Re-parameterised convolutions are folded first, as `tfsr save-preset` does. So a training run,
    which has their branches, can be interpolated with a saved preset, which has not, and the
    result is that of two saved presets.

    Source: Wang, Yu, Dong, Tang and Loy, "Deep Network Interpolation for Continuous Imagery Effect
    Transition", CVPR 2019, section 3. One of the two must be fine-tuned from the other: the filters
    of networks that were trained apart do not correspond. This is not checked.

    Args:
        clean: a preset's name, its directory, or that of a training run. Its weights are those of
            strength 0.
        robust: likewise, of the same architecture. Its weights are those of strength 1.
        strength: float. In [0, 1]. 0 gives exactly the weights of `clean`, 1 those of `robust`.

    Returns:
        A new model, folded, of float32 weights. Equal arguments give equal bytes.

    Raises:
        PresetError: if one of the two cannot be loaded, or their architectures differ.
        InvalidArgument: if the strength is not in [0, 1].

    Example:
        from tfsr import presets

        model = presets.interpolate("runs/clean", "runs/robust", 0.5)
        large = tfsr.upscale("photo.jpg", scale=2, preset=model)
    """
    from tfsr.models import folded

    check_strength(strength)
    first, second = folded(_load(clean)), folded(_load(robust))
    check_same_architecture(clean, first, robust, second)
    # At the ends the sum would turn -0.0 into 0.0.
    if strength in (0, 1):
        return second if strength else first
    share = float(strength)  # Of NumPy's types, a float64 would make the products float64.
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    first.set_weights([(1 - share) * a + share * b for a, b in pairs])
    return first


def check_strength(strength: Any, name: str = "strength") -> None:
    """Raise unless a strength is a number in [0, 1].

    Args:
        strength: what was received.
        name: str. What the argument is called, for the message. Defaults to "strength".

    Raises:
        InvalidArgument: if it is not.
    """
    number = isinstance(strength, Real) and not isinstance(strength, bool)
    if not (number and 0 <= strength <= 1):  # NaN is not.
        raise InvalidArgument(f"{name} must be a number from 0 to 1; received {strength!r}")


def check_same_architecture(
    clean: str | os.PathLike[str],
    clean_model: AnyModel,
    robust: str | os.PathLike[str],
    robust_model: AnyModel,
) -> None:
    """Raise unless the weights of two models can be interpolated.

    Args:
        clean: what the first one is called.
        clean_model: folded.
        robust: what the second one is called.
        robust_model: folded.

    Raises:
        PresetError: if their architectures differ; it names both and the first difference.
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
    from tfsr.models import from_config

    directory = find(preset)
    for file in check_files(preset):
        if not file.matches:
            raise PresetError(
                f"{file.path}: is not the file that {METADATA} describes (sha256); "
                "copy the preset again"
            )
    config = read_json(directory / CONFIG)
    try:
        model = from_config(config)
    # Here and below: files that were changed, and their checksums too, make Keras and HDF5 raise
    # whatever they meet.
    except Exception as error:
        raise PresetError(f"{directory / CONFIG}: describes no model: {_reason(error)}") from error
    try:
        model.load_weights(directory / WEIGHTS)
    except Exception as error:
        raise PresetError(
            f"{directory / WEIGHTS}: does not fit {CONFIG}: {_reason(error)}"
        ) from error
    return model


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
