"""Encoders: LR picture in [-1, 1] to a feature map of the same size."""

from tfsr.encoders.edsr import EDSR
from tfsr.encoders.rdn import RDN
from tfsr.registry import Registry

ENCODERS = Registry("encoder")
ENCODERS.add("edsr", EDSR)
ENCODERS.add("edsr-baseline", EDSR, features=64, blocks=16, residual_scale=1.0)
ENCODERS.add("rdn", RDN)

__all__ = ["EDSR", "ENCODERS", "RDN"]
