"""Tables and figures of how well upscalers restore images."""

from tfsr.evaluation.comparison import Comparison
from tfsr.evaluation.degradation_spec import DegradationSpec
from tfsr.evaluation.protocols import PROTOCOLS
from tfsr.evaluation.restoration import restoration_psnr
from tfsr.evaluation.scale_plot import plot_scales
from tfsr.evaluation.table import evaluate, load_upscalers
from tfsr.evaluation.table_formats import FORMATS, means_as_markdown
from tfsr.evaluation.zoom_inset import ZoomInset

__all__ = [
    "FORMATS",
    "PROTOCOLS",
    "Comparison",
    "DegradationSpec",
    "ZoomInset",
    "evaluate",
    "load_upscalers",
    "means_as_markdown",
    "plot_scales",
    "restoration_psnr",
]
