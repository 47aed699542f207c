"""`tfsr demo`."""

from __future__ import annotations

import importlib.util
import secrets
import threading
import warnings
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tfsr.cli import options
from tfsr.cli.printing import echo
from tfsr.cli.startup import import_keras, silence
from tfsr.errors import InvalidArgument, PresetError
from tfsr.presets import DEFAULT, clean_twin

# The modules of FastAPI and uvicorn: what the extra `demo` installs.
_EXTRA = ("fastapi", "uvicorn")


def demo(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the page (0: any free port).")
    ] = 8138,
    preset: options.PresetName = DEFAULT,
    strength: options.Strength = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
    max_input: options.MaxInput = options.MAX_INPUT,
    max_output: options.MaxOutput = options.MAX_OUTPUT,
) -> None:
    """Restore photographs in the browser. Nothing leaves this computer.

    Example: tfsr demo --preset my-preset
    """
    if any(importlib.util.find_spec(module) is None for module in _EXTRA):
        raise InvalidArgument("the page needs FastAPI; install it with pip install 'tfsr[demo]'")
    from tfsr.demo.server import address, listen, serve
    from tfsr.inference.request import PixelLimits

    with options.usage():
        limits = PixelLimits(max_input=max_input, max_output=max_output)
    # Pillow's warnings about odd metadata would come between the lines.
    warnings.filterwarnings("ignore", module="PIL")
    with listen(port) as listening:
        import_keras()
        from tfsr.demo.app import create_app
        from tfsr.demo.face_search import FaceSearch
        from tfsr.demo.restorers import Restorers, load_restorer

        if strength is None and _takes_strength(preset):
            strength = 1.0
        restorers = Restorers(partial(load_restorer, preset))
        restorers.at(strength)
        with silence():
            search = FaceSearch()
        ending = threading.Event()
        name = Path(preset).name or preset
        # Other users of this computer reach the port, but do not know the address.
        token = secrets.token_urlsafe(16)
        app = create_app(restorers, search, name, limits, ending, strength, token=token)
        page = address(listening, token)
        echo(f"{page} until Ctrl-C, by {name}")
        serve(app, listening, ending, page if browser else None)


def _takes_strength(preset: str) -> bool:
    try:
        clean_twin(preset)
    except PresetError:
        return False
    return True
