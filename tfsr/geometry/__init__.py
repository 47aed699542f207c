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
    from tfsr.geometry.axis import Axis, Neighbour, concat_axes
    from tfsr.geometry.cubic import cubic_axis, cubic_span, cubic_taps
    from tfsr.geometry.face_region import FaceRegion, face_region_from_box, face_region_from_eyes
    from tfsr.geometry.grid import grid_axis, grid_plan, traced_grid_axis
    from tfsr.geometry.neighbours import NeighbourMode
    from tfsr.geometry.phase import Phase
    from tfsr.geometry.pixels import cell_size, centres, check_integers, output_size, pixel_centres
    from tfsr.geometry.plan import SamplingPlan
    from tfsr.geometry.points import lattice_plan, points_plan, window_coordinates
    from tfsr.geometry.symmetry import DIHEDRAL_TRANSFORMS, MIRROR_TRANSFORMS, Symmetry
    from tfsr.geometry.tiles import Tile, make_tiles

__all__ = [
    "DIHEDRAL_TRANSFORMS",
    "MIRROR_TRANSFORMS",
    "Axis",
    "FaceRegion",
    "NeighbourMode",
    "Neighbour",
    "Phase",
    "SamplingPlan",
    "Symmetry",
    "Tile",
    "cell_size",
    "centres",
    "cubic_axis",
    "cubic_span",
    "cubic_taps",
    "face_region_from_box",
    "face_region_from_eyes",
    "grid_axis",
    "grid_plan",
    "concat_axes",
    "lattice_plan",
    "output_size",
    "pixel_centres",
    "points_plan",
    "traced_grid_axis",
    "check_integers",
    "window_coordinates",
    "make_tiles",
]

# The modules of each name. They are imported on first use: the processes that cut training samples
# need pixel centres and no Keras.
_MODULES = {
    "Axis": "axis",
    "DIHEDRAL_TRANSFORMS": "symmetry",
    "FaceRegion": "face_region",
    "NeighbourMode": "neighbours",
    "MIRROR_TRANSFORMS": "symmetry",
    "Neighbour": "axis",
    "Phase": "phase",
    "SamplingPlan": "plan",
    "Symmetry": "symmetry",
    "Tile": "tiles",
    "cell_size": "pixels",
    "centres": "pixels",
    "cubic_axis": "cubic",
    "cubic_span": "cubic",
    "cubic_taps": "cubic",
    "face_region_from_box": "face_region",
    "face_region_from_eyes": "face_region",
    "grid_axis": "grid",
    "grid_plan": "grid",
    "concat_axes": "axis",
    "lattice_plan": "points",
    "output_size": "pixels",
    "pixel_centres": "pixels",
    "points_plan": "points",
    "traced_grid_axis": "grid",
    "check_integers": "pixels",
    "window_coordinates": "points",
    "make_tiles": "tiles",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
