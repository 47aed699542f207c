"""A face that was found in an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tfsr.faces.region import FaceRegion, Point, face_region_from_landmarks

Landmarks = tuple[Point, Point, Point, Point, Point]
"""Left eye, right eye, nose, left and right corner of the mouth, as the viewer sees them."""


@dataclass(frozen=True)
class Face:
    """A face that was found in an image.

    Attributes:
        box: (top, left, height, width) in pixels, from the forehead to the chin. It may leave the
            image.
        confidence: of the detector, in [0, 1].
        landmarks: (row, column) in pixels, integers being pixel centres: the left eye, the right
            eye, the nose, the left and the right corner of the mouth, as the viewer sees them.

    Example:
        >>> face = tfsr.faces.Face(
        ...     (20, 30, 50, 36), 0.99, ((40, 40), (40, 56), (49, 48), (57, 40), (57, 56))
        ... )
        >>> face.region.size
        (64, 64)
    """

    box: tuple[float, float, float, float]
    confidence: float
    landmarks: Landmarks

    @property
    def region(self) -> FaceRegion:
        """The square around the face, as the face presets expect it."""
        return face_region_from_landmarks(self.landmarks)

    def record(self) -> dict[str, Any]:
        """Plain data for reports, in pixels, columns before rows as on the command line.

        Returns:
            "box" [x, y, width, height], "eyes" [x1, y1, x2, y2] and "confidence".
        """
        top, left, height, width = self.box
        return {
            "box": [round(left), round(top), round(width), round(height)],
            "eyes": [round(x, 1) for point in self.landmarks[:2] for x in reversed(point)],
            "confidence": round(self.confidence, 3),
        }

    def moved(self, rows: float, columns: float, scale: tuple[float, float] = (1.0, 1.0)) -> Face:
        """The face of a tile or a reduced image in the image that this was made from.

        Args:
            rows: the tile's first row in the image, in pixels of the image.
            columns: its first column.
            scale: pixels of the image per pixel of the tile, for rows and columns.
        """
        top, left, height, width = self.box
        box = (
            top * scale[0] + rows,
            left * scale[1] + columns,
            height * scale[0],
            width * scale[1],
        )
        points = tuple(
            ((row + 0.5) * scale[0] - 0.5 + rows, (column + 0.5) * scale[1] - 0.5 + columns)
            for row, column in self.landmarks
        )
        return Face(box, self.confidence, points)  # type: ignore[arg-type]
