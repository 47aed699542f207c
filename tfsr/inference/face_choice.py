"""Which faces of a photograph are restored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

from tfsr.faces import Face, FaceRegion
from tfsr.faces.region import Point

# An aligned crop: the centre and the side of its only face's region differ from the image's by less
# than these parts of a side. Of 100 faces of 40 to 256 pixels, the largest were 0.03 and 0.15.
_CROP_CENTRE, _CROP_SIDE = 0.05, 0.2


@dataclass(frozen=True)
class FaceChoice:
    """The faces of an image, and what is restored.

    Attributes:
        faces: those that were found.
        restored: whether each of them is.
        boxes: what is pasted into the background as it is.
        ovals: faces that are pasted into it along their ovals.
        whole: whether there is no background: the image is upscaled as one face.
    """

    faces: Sequence[Face] = ()
    restored: Sequence[bool] = ()
    boxes: Sequence[FaceRegion] = ()
    ovals: Sequence[FaceRegion] = ()
    whole: bool = False

    def for_output(self, lr_size: tuple[int, int], size: tuple[int, int]) -> FaceChoice:
        """The same, or, for an output that is smaller than the image, no face pasted into it."""
        if self.whole or all(hr >= lr for lr, hr in zip(lr_size, size, strict=True)):
            return self
        return FaceChoice(self.faces, [False] * len(self.faces))

    def records(self) -> list[dict[str, Any]]:
        """Plain data on the faces that were found: `Face.record`, and whether it was "restored"."""
        pairs = zip(self.faces, self.restored, strict=True)
        return [{**face.record(), "restored": restored} for face, restored in pairs]


def choose_faces(
    lr_size: tuple[int, int],
    found: Sequence[Face],
    boxes: Sequence[FaceRegion],
    eyes: Sequence[FaceRegion],
    max_face: int,
) -> FaceChoice:
    """Choose what is restored: the places given, and the small faces outside them.

    Args:
        lr_size: (h, w) of the image.
        found: faces that were found in it.
        boxes: rectangles that are restored in any case.
        eyes: faces that are restored in any case.
        max_face: side in pixels of the region of a found face above which it needs no help.
    """
    given = [*boxes, *eyes]
    if not given and len(found) == 1 and _is_whole(found[0].region, lr_size):
        return FaceChoice(found, [True], whole=True)
    restored = [
        face.region.size[0] <= max_face
        and not any(_holds(region, face.region.centre) for region in given)
        for face in found
    ]
    small = compress((face.region for face in found), restored)
    return FaceChoice(found, restored, boxes, [*eyes, *small])


def _is_whole(region: FaceRegion, size: Sequence[int]) -> bool:
    """Whether an image is a crop of this face, framed as the training images are."""
    largest = max(size)
    centred = all(
        abs(centre - (side - 1) / 2) <= _CROP_CENTRE * largest
        for centre, side in zip(region.centre, size, strict=True)
    )
    return centred and all(abs(region.size[0] - side) <= _CROP_SIDE * largest for side in size)


def _holds(region: FaceRegion, point: Point) -> bool:
    """Whether a point of the image lies in the inner half of a region."""
    span = [(round(value), round(value) + 1) for value in point]
    v, u = region.coordinates(span[0], span[1])
    return bool(abs(v[0, 0]) < 0.5 and abs(u[0, 0]) < 0.5)
