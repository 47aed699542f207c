"""MTCNN, from the package of that name. Its weights are part of the package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import keras
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
        with _keras_as_published():
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


@contextmanager
def _keras_as_published() -> Iterator[None]:
    """Keras's own settings in place of those that other programs wrote into ~/.keras/keras.json."""
    config = keras.config
    before = config.image_data_format(), config.floatx()
    config.set_image_data_format("channels_last")
    config.set_floatx("float32")
    try:
        yield
    finally:
        config.set_image_data_format(before[0])
        config.set_floatx(before[1])


def _face(row: list[float]) -> Face:
    left, top, right, bottom, confidence, *points = row
    landmarks = tuple(zip(points[5:], points[:5], strict=True))
    return Face((top, left, bottom - top, right - left), confidence, landmarks)  # type: ignore[arg-type]
