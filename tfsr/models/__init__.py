"""Whole models, all with the same `upscale`."""

from tfsr.models.implicit_sr import ImplicitSR

__all__ = ["ImplicitSR"]
