"""What Keras asks of a model, as far as it is the same for all of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import wraps
from typing import Any, NoReturn

import keras
import numpy as np

from tfsr.errors import InvalidArgument, check_choice
from tfsr.hints import HintedAttributes, checked_arguments
from tfsr.losses import LOSSES
from tfsr.metrics import PSNR, SSIM
from tfsr.models.arguments import check_inputs
from tfsr.models.image_pairs import check_data, check_pairs
from tfsr.models.preset_methods import PresetMethods
from tfsr.registry import Registry, check_model_config

_SUFFIXES = {".tflite": "litert", ".onnx": "onnx", ".xml": "openvino", ".pt2": "torch"}
_METRICS = {"psnr": PSNR, "ssim": SSIM}
_FORMATS = ("tf_saved_model", "onnx", "openvino", "litert", "torch")


class SRModel(HintedAttributes, PresetMethods, keras.Model):
    """Base class of the models: what they save beside their architecture, and what they refuse.

    A configuration has Keras's own "name", "dtype" and "trainable"; "parts", the names and dtypes
    that were given to the encoder or the decoder; and "frozen", the layers that are not trained.
    The last three are there only if they differ from the default.
    """

    _takes_images = False

    def _smallest_inputs(self) -> Any:
        """Make inputs of `call`."""
        return np.zeros((1, 8, 8, 3), np.float32)

    def build(self, input_shape: Any) -> None:
        """Do nothing: the constructor has made all weights."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Check the inputs, and compute `call`."""
        # Here and not in `call`, whose errors Keras wraps in several lines.
        inputs = args[0] if args else kwargs.get("inputs")
        check_inputs(type(self).__name__, self._takes_images, inputs)
        return super().__call__(*args, **kwargs)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """Return a layer by Keras's rules; "encoder" and "decoder" name the parts too."""
        part = getattr(self, name, None) if name in ("encoder", "decoder") else None
        return super().get_layer(name, index) if part is None else part

    @checked_arguments(options=keras.Model.compile)
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        **options: Any,
    ) -> None:
        """Configure training; see `keras.Model.compile`.

        Args:
            optimizer: as in Keras.
            loss: as in Keras, or a name in `tfsr.losses.LOSSES`.
            loss_weights: as in Keras.
            metrics: as in Keras, and "psnr" and "ssim".
            **options: as in Keras.

        Raises:
            InvalidArgument: for the name of a loss that neither Keras nor tfsr has.
        """
        if isinstance(loss, str):
            loss = _loss(loss)
        if isinstance(metrics, list | tuple):
            metrics = [
                _METRICS[x.lower()]() if isinstance(x, str) and x.lower() in _METRICS else x
                for x in metrics
            ]
        super().compile(optimizer, loss, loss_weights, metrics, **options)

    def compile_from_config(self, config: Any) -> None:
        """Compile a loaded model as Keras does where `compile` is its own."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.optimizer is not None and self.built:
            self.optimizer.build(self.trainable_variables)

    @checked_arguments()
    @wraps(keras.Model.fit)
    def fit(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Check the data, and train; see `keras.Model.fit`."""
        check_pairs("fit", x, y)
        self._build_optimizer()
        return super().fit(x, y, *args, **kwargs)

    def _build_optimizer(self) -> None:
        # TensorFlow traces a step twice that makes the optimizer's variables. With a strategy, it
        # is for Keras to make them.
        distributed = getattr(self, "_distribute_strategy", None) is not None
        if self.optimizer is not None and not self.optimizer.built and not distributed:
            self.optimizer.build(self.trainable_variables)

    @checked_arguments()
    @wraps(keras.Model.evaluate)
    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Check the data, and measure; see `keras.Model.evaluate`."""
        check_pairs("evaluate", x, y)
        return super().evaluate(x, y, *args, **kwargs)

    @checked_arguments()
    @wraps(keras.Model.predict)
    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Check the data, and compute `call`; see `keras.Model.predict`."""
        check_data("predict", "x", x)
        return super().predict(x, *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Keras's own part of the configuration, and the state of the layers."""
        config = super().get_config()
        config.pop("autocast", None)
        parts = {}
        for name in ("encoder", "decoder"):
            layer = getattr(self, name, None)
            if layer is not None and (state := _part_state(layer, self.dtype_policy)):
                parts[name] = state
        frozen = [path for path, layer in sublayers(self) if not layer.trainable]
        return {
            **config,
            **({"parts": parts} if parts else {}),
            **({"frozen": frozen} if frozen else {}),
        }

    @classmethod
    def _of_config(
        cls, config: Mapping[str, Any], registries: Mapping[str, Registry], keys: Sequence[str]
    ) -> Any:
        """Make the model of a configuration; `registries` build its parts."""
        check_model_config(config, keys)
        arguments = {k: v for k, v in config.items() if k not in ("parts", "frozen")}
        for name, state in config.get("parts", {}).items():
            state = {"dtype": config.get("dtype"), **state}
            arguments[name] = registries[name].build(config[name], **state)
        model = cls(**arguments)
        if frozen := config.get("frozen"):
            # From the outside in: a layer passes its state on to those inside.
            for path, layer in sublayers(model):
                layer.trainable = path not in frozen
        return model

    def export(self, filepath: Any, format: str = "tf_saved_model", **kwargs: Any) -> None:
        """Export `call` by Keras; see `keras.Model.export`.

        `tfsr export` and `tfsr.exporters` export `upscale` instead.

        Raises:
            InvalidArgument: for an unknown format, or a file name of another one.
        """
        suffix = os.path.splitext(os.fspath(filepath))[1].lower()
        meant = _SUFFIXES.get(suffix, format)
        if meant != format:
            exporter = suffix[1:] if suffix in (".tflite", ".onnx") else "saved_model"
            raise InvalidArgument(
                f"must be {meant!r} for {os.fspath(filepath)}, to export what the model computes "
                f"when called; received {format!r}. tfsr.exporters.{exporter} exports upscale",
                "format",
            )
        check_choice("format", format, _FORMATS)
        self(self._smallest_inputs())  # Keras exports no model that was never called.
        super().export(os.fspath(filepath), format=format, **kwargs)

    def save(self, filepath: Any, *args: Any, **kwargs: Any) -> None:
        """Save the model as a .keras file; see `keras.Model.save`.

        Raises:
            InvalidArgument: for HDF5 files, from which Keras finds no class again.
        """
        if os.fspath(filepath).lower().endswith((".h5", ".hdf5")):
            raise InvalidArgument(
                f"must end in .keras, or in .weights.h5 for save_weights; received {filepath}",
                "filepath",
            )
        super().save(filepath, *args, **kwargs)

    def quantize(self, mode: Any = None, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: Keras quantises no convolution.

        Raises:
            InvalidArgument: always, with the command that makes a file of 8 bits.
        """
        raise InvalidArgument(
            f"quantize({mode!r}): Keras quantises dense layers and embeddings, not convolutions, "
            "which do a model's work; `tfsr export tflite --quantize int8 --calibration FOLDER` "
            "makes an int8 file"
        )


def sublayers(layer: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """All layers inside a layer by their dotted paths, each before those inside it."""
    for name, value in vars(layer).items():
        if name.startswith("_"):
            continue
        if isinstance(value, keras.layers.Layer):
            found = {name: value}
        elif isinstance(value, list | tuple):
            found = {f"{name}.{i}": x for i, x in enumerate(value)}
        else:
            continue
        for path, inner in found.items():
            if isinstance(inner, keras.layers.Layer):
                yield prefix + path, inner
                yield from sublayers(inner, f"{prefix}{path}.")


def _loss(name: str) -> Any:
    """A loss of tfsr by its name, or Keras's name of one."""
    if name in LOSSES.names():
        return LOSSES.build(name)
    try:
        keras.losses.get(name)
    except ValueError:
        known = ", ".join(LOSSES.names())
        raise InvalidArgument(
            f"must be one of {known}, or a loss of Keras such as 'mae'; received {name!r}", "loss"
        ) from None
    return name


def _part_state(layer: Any, policy: Any) -> dict[str, Any]:
    """The name and the dtype of a part, if they were given to it."""
    state = {}
    by_class = layer.name.rstrip("0123456789").replace("_", "")
    if by_class != type(layer).__name__.lower():
        state["name"] = layer.name
    if layer.dtype_policy != policy:
        state["dtype"] = keras.dtype_policies.serialize(layer.dtype_policy)
    return state
