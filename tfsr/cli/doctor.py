"""`tfsr doctor`."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

import typer
from packaging.requirements import Requirement

from tfsr import __version__
from tfsr.cli.startup import import_keras

# Of all that a processor's description lists, what matrix products use.
_INSTRUCTIONS = ("avx", "fma", "amx", "asimd", "bf16", "i8mm", "sve")
# For those who develop tfsr.
_NOT_SHOWN = {"dev", "benchmark"}


def doctor() -> None:
    """Say what tfsr finds here: backend, devices, instruction sets, extras.

    Example: tfsr doctor
    """
    import_keras()
    lines = {
        "tfsr": f"{__version__}, in {Path(__file__).parents[1]}",
        "python": f"{platform.python_version()}, {platform.platform()}",
        "backend": _backend(),
        "devices": ", ".join(_devices()),
        "instructions": ", ".join(_instructions()) or "unknown",
        **{f"extra {name}": state for name, state in _extras()},
    }
    width = max(map(len, lines))
    for name, line in lines.items():
        typer.echo(f"{name:{width}}  {line}")


def _backend() -> str:
    import keras

    backend = keras.backend.backend()
    return f"{backend} {_version(backend) or ''}, keras {keras.__version__}"


def _devices() -> Iterator[str]:
    """The processor, and the accelerators that the backend sees."""
    import keras

    cores = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    yield f"cpu with {usable} of {cores} cores"
    yield from (device for device in keras.distribution.list_devices() if "cpu" not in device)


def _instructions() -> list[str]:
    """What the processor's matrix products can use; Linux says it, elsewhere NumPy."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        import numpy as np

        found: list[str] = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
        return found
    flags = next(line for line in text.splitlines() if line.lower().startswith(("flags", "feat")))
    return sorted(
        flag
        for flag in flags.partition(":")[2].split()
        if any(word in flag for word in _INSTRUCTIONS)
    )


def _extras() -> Iterator[tuple[str, str]]:
    """Each optional part of tfsr: whether its packages are installed, and how to install them."""
    try:
        metadata = distribution("tfsr").metadata
    except PackageNotFoundError:  # Imported from its source.
        return
    requirements = [Requirement(text) for text in metadata.get_all("Requires-Dist") or ()]
    for extra in sorted(set(metadata.get_all("Provides-Extra") or ()) - _NOT_SHOWN):
        own = [
            requirement.name
            for requirement in requirements
            if requirement.marker and requirement.marker.evaluate({"extra": extra})
        ]
        missing = [name for name in own if _version(name) is None]
        found = ", ".join(f"{name} {_version(name)}" for name in own)
        yield (
            extra,
            f"missing {', '.join(missing)}: pip install 'tfsr[{extra}]'" if missing else found,
        )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
