"""Quality on whole images."""

from tfsr.evaluation.comparison import Comparison
from tfsr.evaluation.comparison_grid import Strip
from tfsr.evaluation.dataset import Cell, Pair, cells
from tfsr.evaluation.measurement import Sample, Score, Table, measure
from tfsr.evaluation.plot import check_plot, draw_plot
from tfsr.evaluation.protocols import PROTOCOLS, Measure, Protocol
from tfsr.evaluation.reduction import Reduction
from tfsr.evaluation.restoration import bicubic_upscale, compare_with_bicubic, restoration_psnr
from tfsr.evaluation.systems import System, load
from tfsr.evaluation.tables import FORMATS, means_as_markdown
from tfsr.evaluation.zoom_insets import Inset

__all__ = [
    "FORMATS",
    "PROTOCOLS",
    "Cell",
    "Comparison",
    "Inset",
    "Measure",
    "Pair",
    "Protocol",
    "Reduction",
    "Sample",
    "Score",
    "Strip",
    "System",
    "Table",
    "bicubic_upscale",
    "cells",
    "check_plot",
    "compare_with_bicubic",
    "draw_plot",
    "load",
    "means_as_markdown",
    "measure",
    "restoration_psnr",
]
