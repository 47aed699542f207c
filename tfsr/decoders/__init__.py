"""Coordinate decoders: a latent map and a position to a colour."""

from tfsr.decoders.arasfsr import ARASFSR
from tfsr.decoders.decoder import Decoder
from tfsr.decoders.diinn import DIINN
from tfsr.decoders.liif import LIIF
from tfsr.decoders.lm_liif import LMLIIF
from tfsr.decoders.lm_lte import LMLTE
from tfsr.decoders.lte import LTE
from tfsr.decoders.metasr import MetaSR
from tfsr.registry import Registry

DECODERS = Registry("decoder")
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

__all__ = ["ARASFSR", "DECODERS", "DIINN", "LIIF", "LMLIIF", "LMLTE", "LTE", "Decoder", "MetaSR"]
