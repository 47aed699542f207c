"""How decoders run: samplers, the blend, the schedule, and the executors that follow it.

Points and lattices are for training; grids are rendered in compiled patches (`ImplicitRenderer`),
unrolled into one graph of fixed size (`unroll`), or mapped over patches where sizes are known only
when the graph runs (`render_mapped`). `multiply_adds` counts the work, `memory_cost` the memory.
"""

from tfsr.rendering.bicubic_renderer import BicubicRenderer
from tfsr.rendering.blending import blend
from tfsr.rendering.cost import MultiplyAdds, multiply_adds
from tfsr.rendering.implicit_renderer import ImplicitRenderer
from tfsr.rendering.linear_tail import Tail, apply_tail, make_tail, pixel_shuffle
from tfsr.rendering.mapped import render_mapped
from tfsr.rendering.maps import denormalize, join_latent, normalize, project, split_latent
from tfsr.rendering.memory import MemoryCost, memory_cost
from tfsr.rendering.queries import render_band, render_grid, render_lattice, render_points
from tfsr.rendering.renderer import Patch, Renderer
from tfsr.rendering.samplers import Samples, sample_grid, sample_phase, sample_points
from tfsr.rendering.schedule import Schedule, schedule
from tfsr.rendering.self_ensemble import SelfEnsembleRenderer
from tfsr.rendering.sub_pixel_renderer import SubPixelRenderer
from tfsr.rendering.unrolled import render_integer_scale, unroll

__all__ = [
    "BicubicRenderer",
    "ImplicitRenderer",
    "MemoryCost",
    "MultiplyAdds",
    "Patch",
    "Renderer",
    "Samples",
    "Schedule",
    "SelfEnsembleRenderer",
    "SubPixelRenderer",
    "Tail",
    "apply_tail",
    "blend",
    "denormalize",
    "join_latent",
    "make_tail",
    "memory_cost",
    "multiply_adds",
    "normalize",
    "pixel_shuffle",
    "project",
    "render_band",
    "render_grid",
    "render_integer_scale",
    "render_lattice",
    "render_mapped",
    "render_points",
    "sample_grid",
    "sample_phase",
    "sample_points",
    "schedule",
    "split_latent",
    "unroll",
]
