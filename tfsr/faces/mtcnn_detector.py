"""MTCNN, from the package of that name. Its weights are part of the package."""

from __future__ import annotations

import numpy as np
from mtcnn import MTCNN

from tfsr.faces.face import Face


class MTCNNDetector:
    """Multi-task cascaded convolutional networks.

    Source: Zhang, Zhang, Li, Qiao, IEEE Signal Processing Letters 2016, arXiv 1604.02878.
    """

    min_side = 20
    min_confidence = 0.9

    def __init__(self) -> None:
        self._network = MTCNN()

    def detect(self, image: np.ndarray) -> list[Face]:
        """As `FaceDetector.detect`."""
        if min(image.shape[:2]) < self.min_side:
            return []
        # Rows of 16: the image's number, left, top, right, bottom, confidence, the landmarks' x and
        # then their y, in the order of `Face`.
        rows = self._network.detect_faces(
            image,
            min_face_size=self.min_side,
            fit_to_image=False,
            box_format="xyxy",
            output_type="numpy",
        )
        return [_face(row[1:].tolist()) for row in np.atleast_2d(rows)]


def _face(row: list[float]) -> Face:
    left, top, right, bottom, confidence, *points = row
    landmarks = tuple(zip(points[5:], points[:5], strict=True))
    return Face((top, left, bottom - top, right - left), confidence, landmarks)  # type: ignore[arg-type]
