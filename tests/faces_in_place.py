"""Faces wherever a test needs them, and a detector that finds them."""

import numpy as np

from tfsr.faces import Face
from tfsr.faces.region import LANDMARKS


def face_at(row, column, side, turn=0.0):
    """A face whose region has this centre and side, turned by an angle in radians."""
    down = side / 2 * np.float64([np.cos(turn), -np.sin(turn)])
    across = side / 2 * np.float64([np.sin(turn), np.cos(turn)])
    centre = np.float64([row, column])
    points = tuple(tuple(map(float, centre + v * down + u * across)) for v, u in LANDMARKS)
    height, width = 0.77 * side, 0.56 * side
    return Face((row - height / 2, column - width / 2, height, width), 0.99, points)


class Detector:
    """Finds the same faces in every image of at most 1,024 pixels a side."""

    min_side, min_confidence = 20, 0.5

    def __init__(self, *faces):
        self.faces = list(faces)

    def detect(self, image):
        return self.faces


class FailingDetector(Detector):
    """Fails."""

    def detect(self, image):
        raise RuntimeError("out of\nluck")
