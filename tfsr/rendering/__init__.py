"""How decoders run: samplers, the blend, the schedule, and the executors that follow it.

Points and lattices are for training; grids are rendered in compiled patches (`ImplicitRenderer`),
unrolled into one graph of fixed size (`unroll`), or mapped over patches where sizes are known only
when the graph runs (`render_mapped`). `multiply_adds` counts the work, `memory_cost` the memory.
"""

from tfsr.rendering.bicubic_renderer import BicubicRenderer
from tfsr.rendering.blending import blend
from tfsr.rendering.cost import MultiplyAdds, multiply_adds
from tfsr.rendering.implicit_renderer import ImplicitRenderer
from tfsr.rendering.linear_tail import make_tail
from tfsr.rendering.queries import render_grid, render_lattice, render_points
from tfsr.rendering.schedule import schedule
from tfsr.rendering.self_ensemble import SelfEnsembleRenderer
from tfsr.rendering.sub_pixel_renderer import SubPixelRenderer
from tfsr.rendering.unrolled import render_integer_scale, unroll, unroll_convolution

__all__ = [
    "BicubicRenderer",
    "ImplicitRenderer",
    "MultiplyAdds",
    "SelfEnsembleRenderer",
    "SubPixelRenderer",
    "blend",
    "make_tail",
    "multiply_adds",
    "render_grid",
    "render_integer_scale",
    "render_lattice",
    "render_points",
    "schedule",
    "unroll",
    "unroll_convolution",
]
