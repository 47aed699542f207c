"""What users of Keras and of model hubs try first: one line for each, with the call that they mean.

The one table of such attributes, and the one of such arguments.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from tfsr.errors import InvalidArgument, did_you_mean

P = ParamSpec("P")
R = TypeVar("R")

_PARTS = 'parts go by name: tfsr.ImplicitSR("edsr-baseline", "liif")'
_EXPORT = "tfsr.exporters has onnx, saved_model and tflite"

# Owners, their attributes, and the line.
_ATTRIBUTES = (
    (
        "tfsr tfsr.presets tfsr.models",
        "Model SuperResolution from_pretrained from_preset load load_model load_preset pipeline",
        "tfsr.from_preset(NAME) loads a Keras model, tfsr.load_upscaler(NAME) whatever upscales",
    ),
    (
        "tfsr tfsr.presets tfsr.models",
        "available get_presets keys list list_models list_presets",
        "tfsr.presets.names() lists the presets, tfsr.presets.read_metadata(NAME) describes one",
    ),
    (
        "tfsr",
        "enhance predict restore super_resolve upsample",
        "tfsr.upscale(image, scale=2) upscales one image",
    ),
    (
        "tfsr tfsr.training",
        "fit train Trainer",
        "model.compile and model.fit(small, large) train; `tfsr train RECIPE` runs a recipe",
    ),
    ("tfsr tfsr.exporters", "convert export to_onnx to_tflite", _EXPORT),
    ("tfsr tfsr.models", "EDSR LIIF LTE RDN SPAN Thera", _PARTS),
    ("tfsr", "PSNR SSIM psnr ssim", "tfsr.metrics has it"),
    ("tfsr", "version", "tfsr.__version__ has it"),
    (
        "tfsr.losses",
        "charbonnier fft get l1 l2",
        'compile(loss="charbonnier") takes names; tfsr.losses.from_config builds losses',
    ),
    (
        "tfsr.data",
        "Dataset ImageFolder from_directory load",
        "tfsr.data.Sampler(FOLDER, SamplingConfig(...)) makes training samples of a folder",
    ),
    (
        "model",
        "enhance generate restore super_resolve upsample",
        "model.upscale(image, scale=2) upscales",
    ),
    (
        "model",
        "push_to_hub save_pretrained upload",
        "model.save_to_preset(FOLDER) writes what a hub stores, and `hf upload` uploads it",
    ),
    ("model", "to_onnx to_tflite", _EXPORT),
    ("model", "decode", "model.render(latent, plan) decodes what model.encode returned"),
    ("model", "backbone", "model.encoder and model.decoder are its parts"),
    (
        "upscaler",
        "compile encoder evaluate export fit model predict save save_to_preset",
        "an upscaler has upscale alone; tfsr.from_preset(NAME) loads a Keras model",
    ),
)
_ARGUMENTS = {
    **dict.fromkeys(
        ("factor", "ratio", "scale_factor", "upscale", "upscale_factor"), "a factor is scale=2"
    ),
    **dict.fromkeys(("height", "output_size", "target_size", "width"), "a size is size=(H, W)"),
    **dict.fromkeys(("model", "name_or_path"), "preset= takes a name, a path or a model"),
    **dict.fromkeys(("learning_rate", "lr"), "an optimizer has it: keras.optimizers.Adam(1e-4)"),
    **dict.fromkeys(("pretrained", "weights"), "load_weights=False begins with random weights"),
    **dict.fromkeys(("scale", "size"), "upscale takes it: a model upscales to any size"),
    "dtype": 'precision="bfloat16"',
}


def attribute_hint(owner: str, name: str) -> str | None:
    """Return the line for an attribute of a module, "model" or "upscaler", or None."""
    for owners, names, line in _ATTRIBUTES:
        if owner in owners.split() and name in names.split():
            return line
    return None


def of_module(module: str, otherwise: Callable[[str], Any] | None = None) -> Callable[[str], Any]:
    """Make the `__getattr__` of a module; `otherwise` finds names without a line."""

    def missing(name: str) -> Any:
        line = attribute_hint(module, name)
        if line is None and otherwise is not None:
            return otherwise(name)
        raise AttributeError(
            f"module {module!r} has no attribute {name!r}{': ' if line else ''}{line or ''}",
            name=name,
        )

    return missing


class HintedAttributes:
    """Mixin of classes whose missing attributes are errors with a line of the table."""

    _hints_of = "model"

    if not TYPE_CHECKING:  # To type checkers, every attribute would exist.

        def __getattr__(self, name: str) -> Any:
            if line := attribute_hint(self._hints_of, name):
                raise AttributeError(
                    f"{type(self).__name__} has no attribute {name!r}: {line}", name=name
                )
            return self.__getattribute__(name)  # Raises Python's own error, or a property's.


def checked_arguments(
    hint: str | None = None, options: Callable[..., Any] | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function: a call that does not fit its signature is an `InvalidArgument`.

    Args:
        hint: the call that is meant where an argument is missing. Defaults to none.
        options: the function that takes the keyword arguments of `**options`. Defaults to none:
            the decorated function accepts any.
    """

    def decorated(function: Callable[P, R]) -> Callable[P, R]:
        known = inspect.signature(function).parameters
        takes_any = any(p.kind == p.VAR_KEYWORD for p in known.values())
        sources = [function, *([options] if options else [])]
        named = list(dict.fromkeys(name for each in sources for name in argument_names(each)))

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if options is not None or not takes_any:
                for name in kwargs:
                    if name not in named:
                        raise InvalidArgument(_unknown(function, name, named))
            try:
                return function(*args, **kwargs)
            except TypeError:
                if problem := _misfit(function, args, kwargs):
                    tail = hint or f"it takes {', '.join(named)}"
                    raise InvalidArgument(f"{_title(function)}: {problem}; {tail}") from None
                raise

        return call

    return decorated


def argument_names(function: Callable[..., Any]) -> list[str]:
    """The names of a function's arguments, without `self` and those of `*args` and `**kwargs`."""
    parameters = inspect.signature(function).parameters.values()
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.kind not in variable and p.name not in ("self", "cls")]


def constructor_arguments(cls: type) -> list[str]:
    """The names of a class's own arguments, without those of `**kwargs`.

    Not by the signature of the class: for a layer that inherits its constructor, Python before
    3.11.3 gives that of Keras's `__new__`, which takes anything.
    """
    return argument_names(cls.__init__)  # type: ignore[misc]


def _unknown(function: Callable[..., Any], name: str, named: list[str]) -> str:
    problem = f"{_title(function)} has no argument {name!r}"
    if hint := _ARGUMENTS.get(name):
        return f"{problem}: {hint}"
    return f"{problem}; known: {', '.join(named)}.{did_you_mean(name, named)}"


def _title(function: Callable[..., Any]) -> str:
    """The name of a function; of a constructor or a call, that of its class."""
    *_, owner, name = f".{function.__qualname__}".split(".")
    return owner if name.startswith("__") else name


def _misfit(function: Callable[..., Any], args: Any, kwargs: Any) -> str | None:
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError as error:
        return str(error)
    return None
