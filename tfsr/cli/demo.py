"""`tfsr demo`."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Annotated

import typer

from tfsr.cli.options import parse_limits, usage
from tfsr.cli.strength import OPTION, with_strength
from tfsr.cli.suppress_stderr import import_keras
from tfsr.errors import InvalidArgument
from tfsr.presets import check_strength

# The names of FastAPI's and uvicorn's modules: what the extra `demo` installs.
_EXTRA = ("fastapi", "uvicorn")


def demo(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the page; 0 for any that is free.")
    ] = 8138,
    preset: Annotated[str | None, typer.Option(help="A preset's name, or its directory.")] = None,
    strength: Annotated[
        float | None,
        typer.Option(
            metavar="0..1", help="Of a preset with a clean twin: 0 is the twin, 1 the preset."
        ),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
    max_input: Annotated[
        float | None, typer.Option(metavar="MPX", help="Most megapixels read; 89 if not said.")
    ] = None,
    max_output: Annotated[
        float | None, typer.Option(metavar="MPX", help="Most megapixels of a download; 400.")
    ] = None,
) -> None:
    """Zoom into images in the browser. Nothing leaves this computer.

    Example: tfsr demo --preset my-preset
    """
    from tfsr.inference.limits import Limits

    with usage():
        limits = Limits(**parse_limits(max_input, max_output))
        if strength is not None:
            check_strength(strength, OPTION)
    if any(importlib.util.find_spec(module) is None for module in _EXTRA):
        raise InvalidArgument("the page needs FastAPI; install it with pip install 'tfsr[demo]'")
    import threading

    from tfsr.demo.server import address, listen, serve

    # What Pillow has to say about odd metadata would come between the lines.
    warnings.filterwarnings("ignore", module="PIL")
    with listen(port) as listening:
        import_keras()
        from tfsr.demo.app import create_app
        from tfsr.models import ImplicitSR
        from tfsr.presets import DEFAULT, from_preset

        asked = preset or DEFAULT
        model = from_preset(asked, strength)
        if not isinstance(model, ImplicitSR):
            raise InvalidArgument(f"{asked}: draws one scale alone; name a preset of any scale")
        name = with_strength(Path(asked).name or asked, strength)
        ending = threading.Event()
        app = create_app(model, name, limits, ending)
        typer.echo(f"{address(listening)} until Ctrl-C, by {name}")
        serve(app, listening, ending, browser)
