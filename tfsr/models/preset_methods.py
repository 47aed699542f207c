"""Presets as methods of models, named as in KerasHub."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Self

from tfsr.errors import PresetError
from tfsr.hints import checked_arguments


class _Presets:
    """The attribute `presets` of a class."""

    def __get__(self, model: Any, owner: type) -> dict[str, dict[str, Any]]:
        # Presets are made of models: they are imported when a model is asked for one.
        from tfsr.presets import names, read_metadata

        return {name: read_metadata(name) for name in names()}


class PresetMethods:
    """Mixin of models that are loaded from presets and saved as such.

    Attributes:
        presets: the metadata of the presets that ship with the package, by name.

    Example:
        >>> model = tfsr.ImplicitSR.from_preset("faces-mobile")
        >>> model.save_to_preset("mine")
        >>> tfsr.ImplicitSR.from_preset("mine").count_params() == model.count_params()
        True
    """

    presets = _Presets()

    @classmethod
    @checked_arguments()
    def from_preset(
        cls,
        preset: str | os.PathLike[str],
        strength: float | None = None,
        dtype: Any = None,
        load_weights: bool = True,
        trainable: bool = True,
        name: str | None = None,
    ) -> Self:
        """Load a model; arguments and errors are those of `tfsr.from_preset`.

        Args:
            preset: as in `tfsr.from_preset`.
            strength: as in `tfsr.from_preset`.
            dtype: as in `tfsr.from_preset`.
            load_weights: as in `tfsr.from_preset`.
            trainable: as in `tfsr.from_preset`.
            name: as in `tfsr.from_preset`.

        Raises:
            PresetError: also if the preset has a model of another class.
        """
        from tfsr.presets import from_preset

        model = from_preset(preset, strength, dtype, load_weights, trainable, name)
        if not isinstance(model, cls):
            raise PresetError(
                f"{os.fspath(preset)}: is of class {type(model).__name__}, not {cls.__name__}"
            )
        return model

    @checked_arguments()
    def save_to_preset(
        self, preset_dir: str | os.PathLike[str], metadata: Mapping[str, Any] | None = None
    ) -> None:
        """Write the model as a preset; see `tfsr.presets.save_preset`.

        Args:
            preset_dir: made if it does not exist.
            metadata: plain data, such as the provenance. Defaults to none.
        """
        from tfsr.presets import save_preset

        save_preset(self, preset_dir, metadata or {})  # type: ignore[arg-type]
