"""The kinds of steps that pipelines are made of."""

from tfsr.degradations.steps.filters import Blur, Sharpen, Sinc
from tfsr.degradations.steps.noises import Noise, Poisson, Speckle
from tfsr.degradations.steps.saving import Colour, Grey, Jpeg, Webp
from tfsr.degradations.steps.sizes import Resize, ToLR
from tfsr.degradations.steps.step import Box, Canvas, Size, Step

__all__ = [
    "Blur",
    "Box",
    "Canvas",
    "Colour",
    "Grey",
    "Jpeg",
    "Noise",
    "Poisson",
    "Resize",
    "Sharpen",
    "Sinc",
    "Size",
    "Speckle",
    "Step",
    "ToLR",
    "Webp",
]
