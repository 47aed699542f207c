"""Encoders: LR image in [-1, 1] to a feature map of the same size."""

from tfsr.encoders.ecb import ECB
from tfsr.encoders.edsr import EDSR
from tfsr.encoders.encoder import Encoder, FoldableEncoder
from tfsr.encoders.rdn import RDN
from tfsr.encoders.span import SPAN
from tfsr.registry import Registry

ENCODERS = Registry("encoder", Encoder)
ENCODERS.add("edsr", EDSR)
ENCODERS.add("edsr-baseline", EDSR, features=64, blocks=16, residual_scale=1.0)
ENCODERS.add("rdn", RDN)
ENCODERS.add("rdn-a", RDN, features=64, blocks=20, layers=6, growth=32)
ENCODERS.add("span", SPAN)
ENCODERS.add("ecb", ECB)

__all__ = ["ECB", "EDSR", "ENCODERS", "RDN", "SPAN", "Encoder", "FoldableEncoder"]
