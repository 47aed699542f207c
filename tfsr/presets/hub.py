"""Presets on the hubs of Hugging Face and Kaggle, fetched and cached by the hubs' own libraries.

Only a preset's own files are fetched, after their sizes were checked; their checksums are those of
metadata.json, as for every preset.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from tfsr.errors import PresetError

# Of each file of a preset; a model card may be missing.
MAX_BYTES = {
    "config.json": 4 * 2**20,
    "metadata.json": 4 * 2**20,
    "model.weights.h5": 2**30,
    "README.md": 2**20,
}
_NEEDED = tuple(MAX_BYTES)[:3]

_NAME = r"[\w][\w.-]*"
_FORMS = {
    "hf://": (re.compile(rf"({_NAME}/{_NAME})(?:@([\w./-]+))?"), "hf://USER/NAME[@REVISION]"),
    "kaggle://": (
        re.compile(rf"({_NAME}/{_NAME}/{_NAME}/{_NAME}(?:/\d+)?)"),
        "kaggle://USER/MODEL/FRAMEWORK/VARIATION[/VERSION]",
    ),
}


def is_handle(preset: str) -> bool:
    """Whether a preset's name is that of one on a hub."""
    return preset.startswith(tuple(_FORMS))


@functools.lru_cache(64)
def fetch(handle: str) -> Path:
    """Return the directory of a hub's preset, fetched unless it is in the hub's cache.

    Args:
        handle: "hf://USER/NAME", or with "@" and a revision (a branch, tag or commit); or
            "kaggle://USER/MODEL/FRAMEWORK/VARIATION", or with "/" and a version.

    Raises:
        PresetError: if the handle has another form, the hub's library is not installed, there is no
            such preset, a file is missing or too large, or the hub cannot be reached and the preset
            is not in the cache.
    """
    scheme = next(x for x in _FORMS if handle.startswith(x))
    form, example = _FORMS[scheme]
    match = form.fullmatch(handle.removeprefix(scheme))
    if match is None:
        raise PresetError(f"{handle}: must be {example}")
    try:
        directory = (_hugging_face if scheme == "hf://" else _kaggle)(handle, *match.groups())
    except ImportError as error:
        raise PresetError(
            f"{handle}: needs {error.name or 'the hub'}: pip install 'tfsr[hub]'"
        ) from error
    for name in _NEEDED:
        if not (directory / name).is_file():
            raise PresetError(f"{handle}: is not a preset: it has no {name}")
    return directory


def _hugging_face(handle: str, repository: str, revision: str | None) -> Path:
    import huggingface_hub
    from huggingface_hub import constants, errors

    def snapshot(**options: Any) -> Any:
        return huggingface_hub.snapshot_download(
            repository, revision=revision, allow_patterns=list(MAX_BYTES), **options
        )

    try:
        if not constants.HF_HUB_OFFLINE:
            info = huggingface_hub.HfApi().model_info(
                repository, revision=revision, files_metadata=True
            )
            _check_sizes(handle, ((x.rfilename, x.size or 0) for x in info.siblings or ()))
            return Path(snapshot(tqdm_class=_silent()))
    except PresetError:
        raise
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        _refuse(handle, "there is no such preset, or it is private", error)
    except errors.HfHubHTTPError as error:
        if error.response is not None and error.response.status_code < 500:
            _refuse(handle, "cannot be fetched", error)
    # What a server that is down raises depends on the library below: httpx, requests, xet.
    except Exception as error:
        return _cached(handle, snapshot, error)
    return _cached(handle, snapshot, None)


def _cached(handle: str, snapshot: Any, problem: Exception | None) -> Path:
    try:
        return Path(snapshot(local_files_only=True))
    except Exception as error:
        _refuse(handle, "is not in the cache, and the hub cannot be reached", problem or error)


def _silent() -> Any:
    from tqdm.auto import tqdm

    return functools.partial(tqdm, disable=True)


def _kaggle(handle: str, name: str) -> Path:
    import kagglehub
    from kagglehub.cache import Cache
    from kagglehub.handle import parse_model_handle
    from requests.exceptions import RequestException

    try:
        model: Any = parse_model_handle(name)
        model.framework_enum()
    except ValueError as error:
        _refuse(handle, "is not a handle of Kaggle", error)
    cache = Cache()
    if model.is_versioned() and (found := _complete(cache, model)):
        return found
    try:
        model, files = _listed(model)
        _check_sizes(handle, files.items())
        for file in files:
            if file in MAX_BYTES:
                kagglehub.model_download(str(model), path=file)
    except PresetError:
        raise
    except RequestException as error:
        status = getattr(error.response, "status_code", 500)
        if status in (401, 403, 404):
            _refuse(handle, "there is no such preset, or it is private", error)
        if status < 500:
            _refuse(handle, "cannot be fetched", error)
        for version in _cached_versions(cache, model):
            if found := _complete(cache, model.with_version(version)):
                return found
        _refuse(handle, "is not in the cache, and the hub cannot be reached", error)
    except Exception as error:  # The library has classes of its own for responses it cannot read.
        _refuse(handle, "cannot be fetched", error)
    return Path(cache.get_path(model))


def _complete(cache: Any, model: Any) -> Path | None:
    """The directory of a version in the cache, if it has all files that a preset needs."""
    if all(cache.load_from_cache(model, name) for name in _NEEDED):
        return Path(cache.get_path(model))
    return None


def _cached_versions(cache: Any, model: Any) -> list[int]:
    if model.is_versioned():
        return []
    folder = os.path.dirname(cache.get_path(model.with_version(1)))
    found = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted((int(x) for x in found if x.isdecimal()), reverse=True)


def _listed(model: Any) -> tuple[Any, dict[str, int]]:
    """A model with its version, the newest unless it has one, and its files' sizes."""
    from kagglehub.clients import build_kaggle_client
    from kagglesdk.models.types import model_api_service as api

    with build_kaggle_client() as client:

        def request(kind: Any, **fields: Any) -> Any:
            made = kind()
            fields |= {"owner_slug": model.owner, "model_slug": model.model}
            fields |= {"framework": model.framework_enum(), "instance_slug": model.variation}
            for key, value in fields.items():
                setattr(made, key, value)
            return made

        service = client.models.model_api_client
        if not model.is_versioned():
            found = service.get_model_instance(request(api.ApiGetModelInstanceRequest))
            model = model.with_version(found.version_number)
        listing = service.list_model_instance_version_files(
            request(api.ApiListModelInstanceVersionFilesRequest, version_number=model.version)
        )
        return model, {file.name: file.size for file in listing.files}


def _check_sizes(handle: str, files: Iterable[tuple[str, int]]) -> None:
    for name, size in files:
        if name in MAX_BYTES and size > MAX_BYTES[name]:
            raise PresetError(
                f"{handle}: {name} has {size} bytes; at most {MAX_BYTES[name]} are fetched"
            )


def _refuse(handle: str, problem: str, error: Exception) -> NoReturn:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    raise PresetError(f"{handle}: {problem}: {reason}") from error
