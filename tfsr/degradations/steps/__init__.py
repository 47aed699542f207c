"""What pipelines are made of."""

from tfsr.degradations.steps.groups import STEPS, read_steps
from tfsr.degradations.steps.step import Box, Canvas, Size, Step

__all__ = ["STEPS", "Box", "Canvas", "Size", "Step", "read_steps"]
