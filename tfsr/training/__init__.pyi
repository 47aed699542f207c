from .muon import Muon as Muon
