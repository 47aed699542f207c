"""One loader for whatever can upscale."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfsr.errors import InvalidArgument, PresetError, check_choice, did_you_mean
from tfsr.hints import checked_arguments
from tfsr.inference.defaults import BACKGROUND, BICUBIC, FACES
from tfsr.inference.memory_amount import DEFAULT_MEMORY
from tfsr.inference.upscaler import Upscaler
from tfsr.presets import DEFAULT, clean_twin, from_preset, names, read_metadata
from tfsr.presets.hub import is_handle
from tfsr.presets.store import find

if TYPE_CHECKING:
    from tfsr.models import AnyModel, Bicubic

    Spec = str | os.PathLike[str] | Upscaler | AnyModel | Bicubic

_BICUBIC_KIND = "Pillow's bicubic filter"

_FILE_KINDS = {".tflite": "TFLite file", ".onnx": "ONNX file"}

_PRESET_KINDS = ("preset", "best checkpoint of a run")
_EXPORTED_KINDS = ("TFLite file", "SavedModel")

# Of `upscale`. Of each thread: a model renders one image at a time.
_CACHE, _MAX_CACHED = threading.local(), 2


@checked_arguments()
def load_upscaler(
    spec: Spec = DEFAULT,
    *,
    memory: int | str = DEFAULT_MEMORY,
    precision: str = "float32",
    self_ensemble: bool = False,
    strength: float | None = None,
    threads: int | None = None,
    sandbox: bool = False,
    faces: str = "off",
    background: Spec = BACKGROUND,
) -> Upscaler:
    """Load whatever can upscale.

    Args:
        spec: a preset's name, its directory or its handle on a hub ("hf://USER/NAME[@REVISION]",
            "kaggle://USER/MODEL/FRAMEWORK/VARIATION[/VERSION]", with `pip install 'tfsr[hub]'`), a
            run's directory (its best weights are taken), one of these followed by "+" (its
            self-ensemble), a .tflite or .onnx file, a SavedModel's directory, "bicubic", a Keras
            model, or an `Upscaler`, which is returned as it is. Such files and SavedModels are
            programs: load none that you do not trust. Defaults to the preset of the command line.
        memory: work space of a preset or model, beside the program and the two images: bytes, or a
            text such as "512MiB". Defaults to 2 GiB.
        precision: of a preset or model: "float32", or "bfloat16", faster on hardware that supports
            it and within 55 dB of the exact output. Defaults to "float32".
        self_ensemble: bool. Whether a preset's or model's output is the mean over the image and its
            mirror image, or, without global coordinates, over all flips and rotations: 2 or 8 times
            the work for a slightly better image. Defaults to False.
        strength: float. In [0, 1], for a preset with a clean twin: 0 gives the twin's output, 1
            that of the preset; see `tfsr.presets.interpolate`. Defaults to None: the preset as it
            is.
        threads: int. CPU threads of a .tflite or .onnx file. Defaults to all.
        sandbox: bool. Whether a .tflite file or a SavedModel runs in a process of its own, with
            limits; see `SandboxedUpscaler`. Defaults to False.
        faces: what to do with the faces in an image: "off", nothing: `spec` upscales all of it;
            "auto", find them, upscale each by `spec`, and all else by `background`; "only",
            likewise, with all else by the bicubic filter. The last two need
            `pip install 'tfsr[faces]'`. Defaults to "off".
        background: what upscales all else, as `spec`, with the same options where they apply.
            Defaults to the preset for photographs.

    Returns:
        An `Upscaler`. Its compiled functions are cached: load once, upscale many images.

    Raises:
        PresetError: if there is nothing of that name, it is damaged, or has no clean twin.
        ExportError: if an exported file or directory is damaged, or is not one of tfsr's.
        InvalidArgument: if an option has an impossible value, or does not apply.

    Example:
        >>> upscaler = tfsr.load_upscaler("bicubic")
        >>> [upscaler.upscale(name, long_side=200).size for name in ("face.png", "photo.jpg")]
        [(200, 200), (200, 167)]
    """
    check_choice("faces", faces, FACES)
    chosen: dict[str, Any] = {"memory": memory, "precision": precision, "threads": threads}
    chosen |= {"self_ensemble": self_ensemble, "strength": strength, "sandbox": sandbox}
    upscaler = _load(spec, **chosen)
    if faces == "off":
        return upscaler
    from tfsr.inference.photograph_upscaler import PhotographUpscaler

    rest = load_background(BICUBIC if faces == "only" else background, **chosen)
    return PhotographUpscaler(upscaler, background=rest, detector="mtcnn")


def load_background(spec: Spec, *, memory: int | str, **chosen: Any) -> Upscaler:
    """Load what upscales a photograph outside its faces, as `load_upscaler` does.

    Options that do not apply to it are left out: it need not be of the kind of what upscales the
    faces.
    """
    if isinstance(spec, str | os.PathLike):
        name = _without_plus(os.fspath(spec))
        kind = kind_of(name)
        if kind == _BICUBIC_KIND:
            # Pillow's own filter has 8 bits and takes the memory of the whole output.
            from tfsr.models import Bicubic

            return _load(Bicubic(), memory)
        if kind not in _PRESET_KINDS:
            chosen |= {"self_ensemble": False, "strength": None}
        else:
            chosen["sandbox"] = False
            if not read_metadata(name).get("clean"):
                chosen["strength"] = None
    return _load(spec, memory, **chosen)


def _load(
    spec: Spec,
    memory: int | str,
    precision: str = "float32",
    self_ensemble: bool = False,
    strength: float | None = None,
    threads: int | None = None,
    sandbox: bool = False,
) -> Upscaler:
    name = os.fspath(spec) if isinstance(spec, str | os.PathLike) else None
    if sandbox and (name is None or kind_of(_without_plus(name)) not in _EXPORTED_KINDS):
        raise InvalidArgument(f"is for .tflite files and SavedModels; received {spec}", "sandbox")
    if isinstance(spec, Upscaler):
        return spec
    if isinstance(spec, str | os.PathLike):
        name = os.fspath(spec)
        return _load_path(name, memory, precision, self_ensemble, strength, threads, sandbox)
    from tfsr.inference.model_upscaler import ModelUpscaler

    if strength is not None:
        raise InvalidArgument(
            "applies to a preset given by name or directory; interpolate models with "
            "tfsr.presets.interpolate",
            "strength",
        )
    return ModelUpscaler(spec, memory, precision, self_ensemble)


def _load_path(
    spec: str,
    memory: int | str,
    precision: str,
    self_ensemble: bool,
    strength: float | None,
    threads: int | None,
    sandbox: bool,
) -> Upscaler:
    name = _without_plus(spec)
    kind = kind_of(name)
    self_ensemble = self_ensemble or name != spec
    if kind in _PRESET_KINDS:
        from tfsr.inference.model_upscaler import ModelUpscaler
        from tfsr.models import folded

        model = folded(from_preset(name, strength))
        if strength is not None:
            kind += f" interpolated with {os.path.basename(clean_twin(name))}"
        return ModelUpscaler(model, memory, precision, self_ensemble, kind)
    for argument, given in (("strength", strength is not None), ("self_ensemble", self_ensemble)):
        if given:
            raise InvalidArgument(f"applies to presets only; {name} is not a preset", argument)
    from tfsr.inference import (
        BicubicUpscaler,
        ONNXUpscaler,
        SandboxedUpscaler,
        SavedModelUpscaler,
        TFLiteUpscaler,
    )

    if sandbox:
        return SandboxedUpscaler(name, threads)
    for of_file in (TFLiteUpscaler, ONNXUpscaler):
        if kind == of_file.kind:
            return of_file(name, threads)
    return SavedModelUpscaler(name) if kind == SavedModelUpscaler.kind else BicubicUpscaler()


def _without_plus(spec: str) -> str:
    """The name of a preset whose self-ensemble is written NAME+."""
    return spec[:-1] if spec.endswith("+") and not os.path.exists(spec) else spec


def kind_of(spec: str) -> str:
    """Return what a name or path is, as `Upscaler.kind` says it, or raise a PresetError."""
    path = Path(spec)
    if spec in names() or is_handle(spec) or os.path.isfile(path / "metadata.json"):
        return "preset"
    if path.suffix.lower() in _FILE_KINDS:
        return _FILE_KINDS[path.suffix.lower()]
    if os.path.isfile(path / "best" / "metadata.json"):
        return "best checkpoint of a run"
    if os.path.isfile(path / "saved_model.pb") or any(path.glob("*/saved_model.pb")):
        return "SavedModel"
    if spec.casefold() == BICUBIC:
        return _BICUBIC_KIND
    if os.path.isdir(path):
        raise PresetError(
            f"{spec}: is not a preset, a run with a best checkpoint or a SavedModel: it has no "
            "metadata.json, best/ or saved_model.pb"
        )
    if path.suffix == ".keras" and os.path.isfile(path):
        raise PresetError(
            f"{spec}: is not a preset; pass what keras.models.load_model makes of .keras files"
        )
    if os.path.isfile(path):
        raise PresetError(
            f"{spec}: is not a preset; of model files, only .tflite and .onnx are supported"
        )
    known = [*names(), BICUBIC]
    raise PresetError(
        f"unknown preset {spec!r}; known: {', '.join(known)}, a path, or a hub's handle, such as "
        "hf://USER/NAME." + did_you_mean(spec, known)
    )


@checked_arguments("a factor is scale=2", options=Upscaler.upscale)
def upscale(
    image: Any,
    *,
    preset: Spec = DEFAULT,
    memory: int | str = DEFAULT_MEMORY,
    precision: str = "float32",
    self_ensemble: bool = False,
    strength: float | None = None,
    threads: int | None = None,
    faces: str = "off",
    background: Spec = BACKGROUND,
    **options: Any,
) -> Any:
    """Upscale one image of any kind.

    The last few presets are cached: in a loop each is loaded once, until its files change.

    Args:
        image: an array, a tensor, a Pillow image, or the path of a file.
        preset: whatever `load_upscaler` takes.
        memory: see `load_upscaler`.
        precision: see `load_upscaler`.
        self_ensemble: see `load_upscaler`.
        strength: see `load_upscaler`.
        threads: see `load_upscaler`.
        faces: see `load_upscaler`.
        background: see `load_upscaler`.
        options: those of `Upscaler.upscale`: scale, size and so on.

    Returns:
        An image of the same kind.

    Raises:
        InvalidArgument, ImageError, PresetError, ExportError: as `load_upscaler` and
            `Upscaler.upscale` do.

    Example:
        >>> tfsr.upscale("face.png", scale=1.5, preset="bicubic").size
        (72, 72)
    """
    chosen: dict[str, Any] = {"memory": memory, "precision": precision, "threads": threads}
    chosen |= {"self_ensemble": self_ensemble, "strength": strength}
    chosen |= {"faces": faces, "background": background}
    path = str | os.PathLike
    if not (isinstance(preset, path) and isinstance(background, path)):
        return load_upscaler(preset, **chosen).upscale(image, **options)
    files = _modified(os.fspath(preset), strength), _modified(os.fspath(background), None)
    key = repr((os.fspath(preset), files, chosen))
    cached = _CACHE.__dict__
    # A dictionary is in the order of its last uses.
    cached[key] = cached.pop(key, None) or load_upscaler(preset, **chosen)
    while len(cached) > _MAX_CACHED:
        del cached[next(iter(cached))]
    return cached[key].upscale(image, **options)


def _modified(spec: str, strength: float | None) -> list[tuple[str, int]]:
    """The files of a preset or export, with the times of their last change."""
    spec = _without_plus(spec)
    paths = [Path(spec)]
    if kind_of(spec) in _PRESET_KINDS:
        paths = [find(spec), *([] if strength is None else [find(clean_twin(spec))])]
    files = [file for path in paths for file in (path, *path.rglob("*")) if file.exists()]
    return sorted((str(file.absolute()), file.stat().st_mtime_ns) for file in files)
