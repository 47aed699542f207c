"""Encoders: LR picture in [-1, 1] to a feature map of the same size."""

from tfsr.encoders.edsr import EDSR
from tfsr.encoders.rdn import RDN
from tfsr.registry import Registry

ENCODERS = Registry("encoder")
ENCODERS.add("edsr", EDSR)
ENCODERS.add("edsr-baseline", EDSR, features=64, blocks=16, residual_scale=1.0)
ENCODERS.add("rdn", RDN)
ENCODERS.add("rdn-a", RDN, features=64, blocks=20, layers=6, growth=32)

__all__ = ["EDSR", "ENCODERS", "RDN"]
