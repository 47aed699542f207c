"""Coordinate decoders: a latent map and a position to a colour."""

import math

from tfsr.decoders.arasfsr import ARASFSR
from tfsr.decoders.arasfsr_linear import ARASFSRLinear
from tfsr.decoders.decoder import Decoder
from tfsr.decoders.diinn import DIINN
from tfsr.decoders.liif import LIIF
from tfsr.decoders.linear import LinearDecoder
from tfsr.decoders.lm_liif import LMLIIF
from tfsr.decoders.lm_lte import LMLTE
from tfsr.decoders.lte import LTE
from tfsr.decoders.metasr import MetaSR
from tfsr.decoders.ope import OPE
from tfsr.decoders.thera import Thera
from tfsr.registry import Registry

DECODERS = Registry("decoder", Decoder)
DECODERS.add("liif", LIIF)
DECODERS.add("ipe-liif", LIIF, encoding="integrated", cell_decode=False, skip=True)
DECODERS.add("metasr", MetaSR)
DECODERS.add("ipe-metasr", MetaSR, encoding="integrated")
DECODERS.add("lte", LTE)
DECODERS.add("lte+", LTE)
DECODERS.add("lm-liif", LMLIIF)
DECODERS.add("lm-lte", LMLTE)
DECODERS.add("diinn", DIINN)
DECODERS.add("diinn-ensemble", DIINN, local_ensemble=True)
DECODERS.add("arasfsr", ARASFSR)
DECODERS.add("thera", Thera)
DECODERS.add("ope", OPE)
DECODERS.add(
    "gb-lsr",
    OPE,
    terms=16,
    frequency=math.pi,
    orthonormal=False,
    trainable_frequency=True,
    kernel_size=1,
)
DECODERS.add("arasfsr-linear", ARASFSRLinear)

__all__ = [
    "ARASFSR",
    "ARASFSRLinear",
    "DECODERS",
    "DIINN",
    "LIIF",
    "LMLIIF",
    "LMLTE",
    "LTE",
    "OPE",
    "Decoder",
    "LinearDecoder",
    "MetaSR",
    "Thera",
]
