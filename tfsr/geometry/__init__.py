"""Coordinates, and nothing else computes one.

Axes are independent: whatever a decoder wants to know about an output pixel (its neighbours among
the low-resolution (LR) pixels, the offsets to them, their weights) depends on the row for one half
and on the column for the other. Everything here is therefore written for one axis and used twice.

Conventions (LIIF, Chen et al., CVPR 2021, arXiv 2012.09161, and the code published with it):

- Coordinates are (row, column); the image spans [-1, 1], so its centre is 0 and pixel k of n has
  its centre at -1 + (2k + 1) / n.
- A cell is the size of one output pixel in the same unit, 2 / n.
- An offset is (query - neighbour's centre) x LR size: one LR pixel is 2 wide.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfsr.geometry.axis import Axis, Neighbour, joined
    from tfsr.geometry.cubic import cubic_axis, cubic_reach, cubic_taps
    from tfsr.geometry.frame import Frame, frame_of_box, frame_of_eyes
    from tfsr.geometry.grid import grid_axis, grid_plan, traced_grid_axis
    from tfsr.geometry.neighbours import Lookup
    from tfsr.geometry.phase import Phase
    from tfsr.geometry.pixels import cell_size, centres, output_size, pixel_centres, whole_numbers
    from tfsr.geometry.plan import SamplingPlan
    from tfsr.geometry.points import lattice_plan, points_plan, window_coordinates
    from tfsr.geometry.symmetry import FLIPS_AND_TURNS, MIRRORED, Symmetry
    from tfsr.geometry.tiles import Window, windows

__all__ = [
    "FLIPS_AND_TURNS",
    "MIRRORED",
    "Axis",
    "Frame",
    "Lookup",
    "Neighbour",
    "Phase",
    "SamplingPlan",
    "Symmetry",
    "Window",
    "cell_size",
    "centres",
    "cubic_axis",
    "cubic_reach",
    "cubic_taps",
    "frame_of_box",
    "frame_of_eyes",
    "grid_axis",
    "grid_plan",
    "joined",
    "lattice_plan",
    "output_size",
    "pixel_centres",
    "points_plan",
    "traced_grid_axis",
    "whole_numbers",
    "window_coordinates",
    "windows",
]

# The modules of each name. They are imported on first use: the processes that cut training samples
# need pixel centres and no Keras.
_MODULES = {
    "Axis": "axis",
    "FLIPS_AND_TURNS": "symmetry",
    "Frame": "frame",
    "Lookup": "neighbours",
    "MIRRORED": "symmetry",
    "Neighbour": "axis",
    "Phase": "phase",
    "SamplingPlan": "plan",
    "Symmetry": "symmetry",
    "Window": "tiles",
    "cell_size": "pixels",
    "centres": "pixels",
    "cubic_axis": "cubic",
    "cubic_reach": "cubic",
    "cubic_taps": "cubic",
    "frame_of_box": "frame",
    "frame_of_eyes": "frame",
    "grid_axis": "grid",
    "grid_plan": "grid",
    "joined": "axis",
    "lattice_plan": "points",
    "output_size": "pixels",
    "pixel_centres": "pixels",
    "points_plan": "points",
    "traced_grid_axis": "grid",
    "whole_numbers": "pixels",
    "window_coordinates": "points",
    "windows": "tiles",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
