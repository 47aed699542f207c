"""Faces in photographs: found, cropped, and pasted back."""

from tfsr.faces.crops import align, crop_face, paste_face, pasted_part
from tfsr.faces.detector import DETECTORS, FaceDetector
from tfsr.faces.face import Face
from tfsr.faces.numbered import numbered
from tfsr.faces.region import (
    FaceRegion,
    face_region_from_box,
    face_region_from_eyes,
    face_region_from_landmarks,
    surrounding_box,
)
from tfsr.faces.search import find

__all__ = [
    "DETECTORS",
    "Face",
    "FaceDetector",
    "FaceRegion",
    "align",
    "crop_face",
    "face_region_from_box",
    "face_region_from_eyes",
    "face_region_from_landmarks",
    "find",
    "numbered",
    "paste_face",
    "pasted_part",
    "surrounding_box",
]
