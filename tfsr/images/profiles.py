"""ICC profiles of colours that a file states by numbers."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Chromaticity = tuple[float, float]

_D50 = np.array([0.9642, 1.0, 0.8249])
_D65 = (0.3127, 0.329)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
# IEC 61966-2-1: (a x + b)^g above d, c x below.
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
# Display gammas that are taken for sRGB's curve, as everybody does.
_GAMMA_TOLERANCE, _XY_TOLERANCE = 0.02, 0.002


@dataclass(frozen=True)
class ColourSpace:
    """Colours of red, green and blue as they are emitted.

    Attributes:
        white: (x, y) of white, and so on.
        red: of red.
        green: of green.
        blue: of blue.
        gamma: exponent from levels to light; None for the curve of sRGB.
    """

    white: Chromaticity = _D65
    red: Chromaticity = (0.64, 0.33)
    green: Chromaticity = (0.3, 0.6)
    blue: Chromaticity = (0.15, 0.06)
    gamma: float | None = None

    @property
    def is_srgb(self) -> bool:
        """Whether nobody can tell it from sRGB, as which colours without a profile are shown."""
        own, srgb = (np.array(space._points) for space in (self, ColourSpace()))
        same_curve = self.gamma is None or abs(self.gamma - 2.2) <= _GAMMA_TOLERANCE
        return same_curve and bool(np.abs(own - srgb).max() <= _XY_TOLERANCE)

    @property
    def _points(self) -> tuple[Chromaticity, ...]:
        return self.white, self.red, self.green, self.blue

    def profile(self, grey: bool = False) -> bytes | None:
        """ICC profile (version 4) of it, or of its greys; None if the colours are impossible."""
        if self.gamma is not None and not 0.1 <= self.gamma <= 10:
            return None
        curve = _parametric(*_SRGB_CURVE) if self.gamma is None else _parametric(self.gamma)
        if grey:
            return _assembled(b"GRAY", {b"kTRC": curve})
        return self._profile_of_curve(curve)

    def _profile_of_curve(self, curve: bytes) -> bytes | None:
        matrix = self._to_d50()
        if matrix is None:
            return None
        tags = {}
        for letter, column in zip((b"r", b"g", b"b"), matrix.T, strict=True):
            tags[letter + b"XYZ"] = b"XYZ \0\0\0\0" + _fixed(*column)
            tags[letter + b"TRC"] = curve
        return _assembled(b"RGB ", tags)

    def _to_d50(self) -> np.ndarray | None:
        """XYZ of red, green and blue (the columns), adapted to D50 as ICC profiles are."""
        points = np.array(self._points, float)
        if not (np.isfinite(points).all() and (points[:, 1] > 1e-3).all()):
            return None
        xyz = np.stack([points[:, 0], points[:, 1], 1 - points.sum(axis=1)], axis=1)
        xyz /= points[:, 1:]
        white, primaries = xyz[0], xyz[1:].T
        if np.linalg.cond(primaries) > 1e6 or (white <= 0).any():
            return None
        cones = (_BRADFORD @ _D50) / (_BRADFORD @ white)
        adapted = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD
        matrix = adapted @ primaries * np.linalg.solve(primaries, white)
        return matrix if np.abs(matrix).max() < 8 else None


def rgb_profile_of_grey(profile: bytes) -> bytes | None:
    """An RGB profile whose neutral colours are a grey profile's greys; None if that is damaged.

    A grey profile is a curve, which all three channels get.
    """
    try:
        (count,) = struct.unpack_from(">I", profile, 128)
        entries = [struct.unpack_from(">4sII", profile, 132 + 12 * i) for i in range(count)]
        start, length = {name: place for name, *place in entries}[b"kTRC"]
    except (struct.error, KeyError):
        return None
    curve = profile[start : start + length]
    return ColourSpace()._profile_of_curve(curve)


def _parametric(*values: float) -> bytes:
    kind = {1: 0, 5: 3}[len(values)]
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + _fixed(*values)


def _fixed(*values: float) -> bytes:
    """Numbers as s15Fixed16."""
    return struct.pack(f">{len(values)}i", *(round(float(value) * 65536) for value in values))


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II4sII", 1, 12, b"enUS", len(encoded), 28) + encoded


def _assembled(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """ICC.1:2010: header, table of tags, tags; equal tags are stored once."""
    tags = {
        b"desc": _text("tfsr: colours stated by the file"),
        b"cprt": _text("No copyright, use freely"),
        b"wtpt": b"XYZ \0\0\0\0" + _fixed(*_D50),
        **tags,
    }
    offsets: dict[bytes, int] = {}
    table, data, start = b"", b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        if content not in offsets:
            offsets[content] = start + len(data)
            data += content + bytes(-len(content) % 4)
        table += struct.pack(">4sII", name, offsets[content], len(content))
    head = bytearray(128)
    head[:4] = struct.pack(">I", start + len(data))
    head[8:24] = b"\4\x20\0\0mntr" + space + b"XYZ "
    head[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    head[36:40] = b"acsp"
    head[68:80] = _fixed(*_D50)
    return bytes(head) + struct.pack(">I", len(tags)) + table + data


# Rec. ITU-T H.273, tables 2 and 3, which PNG's cICP and AVIF's nclx refer to.
_PRIMARIES: dict[int, Sequence[Chromaticity]] = {
    1: ColourSpace()._points,
    4: ((0.310, 0.316), (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: (_D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    8: ((0.310, 0.316), (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: (_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: (_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: (_D65, (0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}
HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
# The curves of video cameras (1, 6, 14, 15 and the like) are shown as sRGB's by everybody.
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
_SRGB_TRANSFERS = {1, 2, 6, 7, 11, 12, 13, 14, 15}
_UNSPECIFIED = (0, 2)


def space_of_cicp(primaries: int, transfer: int) -> ColourSpace | None:
    """The colours of H.273's code points; None for those that are not supported."""
    points = _PRIMARIES.get(1 if primaries in _UNSPECIFIED else primaries)
    known = transfer in _SRGB_TRANSFERS or transfer in _GAMMAS or transfer in _UNSPECIFIED
    if points is None or not known:
        return None
    white, red, green, blue = points
    return ColourSpace(white, red, green, blue, _GAMMAS.get(transfer))
