"""What the page asks for in the query of an address."""

from __future__ import annotations

from pydantic import BaseModel, Field

from tfsr.demo.scene import MAX_SIDE


class SizeQuery(BaseModel):
    """The size of the whole output, and the strength."""

    width: int = Field(ge=1, le=MAX_SIDE)
    height: int = Field(ge=1, le=MAX_SIDE)
    strength: float | None = Field(None, ge=0, le=1)


class TileQuery(SizeQuery):
    """A rectangle of an output."""

    left: int = Field(ge=0)
    top: int = Field(ge=0)
    columns: int = Field(ge=1)
    rows: int = Field(ge=1)
