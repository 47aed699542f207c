"""Sections of docstrings as Griffe's Google style knows them."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import Any

import griffe


class Sections(griffe.Extension):
    """Change the sections before docstrings are parsed: `Example` and `Reference`."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change those of one docstring."""
        if obj.docstring:
            text = re.sub(r"(?m)^Example:$", "Examples:", obj.docstring.value)
            obj.docstring.value = re.sub(r"(?m)^Reference:\n((?: +.*\n?)+)", _paragraph, text)


def _paragraph(section: re.Match[str]) -> str:
    return f"**Reference:** {dedent(section[1])}"
