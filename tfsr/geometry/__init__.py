"""Coordinates. No other package computes one.

The axes are independent: everything a decoder needs to know about an output pixel (its neighbours
among the low-resolution (LR) pixels, the offsets to them, their weights) depends half on the row
and half on the column. Everything here is therefore written for one axis and used twice.

Conventions (LIIF, Chen et al., CVPR 2021, arXiv 2012.09161, and its published code):

- Coordinates are (row, column); the image spans [-1, 1], so its centre is 0 and pixel k of n has
  its centre at -1 + (2k + 1) / n.
- A cell is the size of one output pixel in the same unit, 2 / n.
- An offset is (query - neighbour's centre) x LR size: one LR pixel is 2 wide.
"""

import lazy_loader

# Imported on first use: processes that crop training samples need pixel centres but not Keras.
__getattr__, __dir__, _ = lazy_loader.attach_stub(__name__, __file__)

# The public names; the other names of the stub serve the package itself.
__all__ = [
    "Neighbour",
    "NeighbourMode",
    "SamplingPlan",
    "cell_size",
    "grid_plan",
    "output_size",
    "pixel_centres",
    "points_plan",
]
