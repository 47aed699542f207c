"""Coordinate decoders: a latent map and a position to a colour."""

from tfsr.decoders.arasfsr import ARASFSR
from tfsr.decoders.decoder import Decoder
from tfsr.decoders.liif import LIIF
from tfsr.registry import Registry

DECODERS = Registry("decoder")
DECODERS.add("liif", LIIF)
DECODERS.add("arasfsr", ARASFSR)

__all__ = ["ARASFSR", "DECODERS", "LIIF", "Decoder"]
