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

import lazy_loader

# Imported on first use: the processes that cut training samples need pixel centres and no Keras.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
