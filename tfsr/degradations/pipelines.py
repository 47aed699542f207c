"""The named pipelines, as plain data. docs/degradations.md shows each."""

from __future__ import annotations

from typing import Any

# Real-ESRGAN's kernels, and how often each is drawn.
_KERNELS = {
    "isotropic-gaussian": 0.45,
    "anisotropic-gaussian": 0.25,
    "isotropic-generalized": 0.12,
    "anisotropic-generalized": 0.03,
    "isotropic-plateau": 0.12,
    "anisotropic-plateau": 0.03,
}
_HALVES = {"isotropic-gaussian": 0.5, "anisotropic-gaussian": 0.5}
_PYTORCH = {"methods": ["area", "bilinear", "bicubic"], "antialias": 0}
_ANY = {"methods": ["area", "bilinear", "bicubic"], "antialias": 0.7}


def _real_esrgan_blur(**blur: Any) -> dict[str, Any]:
    steps = [{"sinc": {"size": [7, 21]}}, {"blur": {"size": [7, 21], "kernels": _KERNELS, **blur}}]
    return {"one_of": {"steps": steps, "weights": [0.1, 0.9]}}


def _real_esrgan_noise(noise: list[float], poisson: list[float]) -> dict[str, Any]:
    steps = [{"noise": {"sigma": noise, "grey": 0.4}}, {"poisson": {"scale": poisson, "grey": 0.4}}]
    return {"one_of": {"steps": steps}}


_SINC = {"sinc": {"size": [7, 21], "probability": 0.8}}
_TO_LR = {"to_lr": _PYTORCH}

_BSRGAN_BLUR = {
    "one_of": {
        "steps": [
            {
                "blur": {
                    "kernels": "anisotropic-gaussian",
                    "variance": [0, 4],
                    "per_scale": 1,
                    "size": [7, 25],
                }
            },
            {
                "blur": {
                    "kernels": "isotropic-gaussian",
                    "sigma": [0, 2],
                    "per_scale": 0.2,
                    "size": [7, 25],
                }
            },
        ]
    }
}
_BSRGAN_ROUND = [
    _BSRGAN_BLUR,
    {"resize": {"factor": [0.5, 2], "per_scale": True, "up": 0.2, "down": 0.7, **_PYTORCH}},
    {"noise": {"sigma": [2, 25], "grey": 0.4, "correlated": 0.2}},
    {"poisson": {"scale": 1, "photons": [100, 10_000], "grey": 0.5, "probability": 0.1}},
    {"speckle": {"sigma": [2, 25], "grey": 0.4, "correlated": 0.2, "probability": 0.1}},
    {"jpeg": [30, 95]},
]


def _face_restoration(
    sigma: list[float], divisor: list[float], noise: list[float], jpeg: list[int]
) -> list[Any]:
    """Blur, bilinear down, noise, JPEG, bilinear back: GFPGAN's order, and CodeFormer's."""
    bilinear = {"methods": "bilinear", "antialias": 0}
    return [
        {"blur": {"sigma": sigma, "kernels": _HALVES, "size": 41}},
        {"resize": {"divisor": divisor, "enlarge": False, **bilinear}},
        {"noise": noise},
        {"jpeg": jpeg},
        {"to_lr": bilinear},
    ]


def _everyday(blur: list[float], grey: float) -> dict[str, Any]:
    """What pictures of a camera, a scanner and a messenger went through, in our own opinion."""
    save = {"jpeg": {"quality": [30, 95], "full_colour": 0.2}}
    return {
        "clean": 0.3,
        "prepare": [{"grey": {"probability": grey}}],
        "steps": [
            {"blur": {"sigma": blur, "kernels": _KERNELS, "probability": 0.8}},
            {"resize": {"of": "lr", "factor": [0.7, 2], "enlarge": False, **_ANY}},
            {
                "one_of": {
                    "steps": [
                        {"noise": {"sigma": [0, 15], "grey": 0.3, "correlated": 0.3}},
                        {"poisson": {"scale": [0.05, 1.5], "grey": 0.3}},
                    ],
                    "weights": [0.7, 0.3],
                }
            },
            {"jpeg": {"quality": [30, 95], "full_colour": 0.2, "probability": 0.8}},
            {
                "stage": {
                    "probability": 0.5,
                    "steps": [
                        {"blur": {"sigma": [0.1, 1], "probability": 0.3}},
                        {"resize": {"of": "lr", "factor": [0.5, 1.5], **_ANY}},
                        {"noise": {"sigma": [0, 5], "probability": 0.3}},
                        {"sharpen": {"probability": 0.15}},
                        save,
                    ],
                }
            },
            {"sinc": {"cutoff": [0.5, 1], "size": [7, 13], "probability": 0.05}},
            {"to_lr": {"methods": ["bicubic", "bilinear", "area"], "antialias": 0.8}},
            {
                "one_of": {
                    "steps": [{"stage": []}, save, {"webp": [40, 95]}],
                    "weights": [0.5, 0.4, 0.1],
                }
            },
        ],
    }


def _graded(
    blur: list[float], noise: list[float], jpeg: list[int], resize: float, stages: int = 1
) -> dict[str, Any]:
    """A grade of the protocol `real`."""
    kernels = {"isotropic-gaussian": 0.7, "anisotropic-gaussian": 0.3}
    stage = [
        {"blur": {"sigma": blur, "kernels": kernels}},
        {"resize": {"of": "lr", "factor": [0.75, 1.5], "probability": resize}},
        {"noise": {"sigma": noise, "grey": 0.3}},
        {"jpeg": jpeg},
    ]
    again = [
        {"blur": {"sigma": [0.1, 0.8]}},
        {"to_lr": {"methods": ["bicubic", "bilinear"]}},
        {"jpeg": jpeg},
    ]
    return {"steps": [*stage, *(again if stages == 2 else [])]}


PIPELINES: dict[str, dict[str, Any]] = {
    "clean": {"steps": [{"to_lr": "bicubic"}]},
    "nn65": {"steps": [{"to_lr": "nearest"}, {"jpeg": 65}]},
    "real-esrgan": {
        "prepare": [{"sharpen": {"amount": 0.5, "sigma": 8, "threshold": 10}}],
        "steps": [
            _real_esrgan_blur(sigma=[0.2, 3]),
            {"resize": {"factor": [0.15, 1.5], "up": 0.2, "down": 0.7, **_PYTORCH}},
            _real_esrgan_noise([1, 30], [0.05, 3]),
            {"jpeg": [30, 95]},
            {"stage": {"probability": 0.8, "steps": [_real_esrgan_blur(sigma=[0.2, 1.5])]}},
            {"resize": {"of": "lr", "factor": [0.3, 1.2], "up": 0.3, "down": 0.4, **_PYTORCH}},
            _real_esrgan_noise([1, 25], [0.05, 2.5]),
            {
                "one_of": {
                    "steps": [
                        {"stage": [_TO_LR, _SINC, {"jpeg": [30, 95]}]},
                        {"stage": [{"jpeg": [30, 95]}, _TO_LR, _SINC]},
                    ]
                }
            },
        ],
    },
    "bsrgan": {
        "steps": [
            {"shuffle": [*_BSRGAN_ROUND, *_BSRGAN_ROUND]},
            {"to_lr": _PYTORCH},
            {"jpeg": [30, 95]},
        ],
    },
    "gfpgan": {
        "prepare": [{"grey": {"probability": 0.01}}],
        "steps": [
            *_face_restoration([0.1, 10], [0.8, 8], [0, 20], [60, 100]),
            {"colour": {"shift": 20, "probability": 0.3}},
        ],
    },
    "codeformer": {"steps": _face_restoration([0.1, 10], [1, 12], [0, 15], [60, 100])},
    "codeformer-large": {"steps": _face_restoration([1, 15], [4, 30], [0, 20], [30, 80])},
    "faces": _everyday([0.1, 3], 0.03),
    "photos": _everyday([0.1, 2.5], 0.01),
    "real-light": _graded([0.2, 0.8], [0, 3], [75, 90], 0),
    "real-medium": _graded([0.8, 1.6], [4, 10], [45, 75], 0.5),
    "real-heavy": _graded([1.5, 3], [8, 15], [25, 50], 1, stages=2),
}
"""Degradation pipelines by name: `clean`, a probability of being only reduced; `prepare`, what
happens to the HR image too; `steps`, in order.

Reference:
    nn65: ARASFSR, https://github.com/nycu-acm/ARASFSR. real-esrgan: Wang et al., arXiv 2107.10833,
    section 3, and its code. bsrgan: Zhang et al., arXiv 2103.14006, section 3, the "plus" form of
    its code. gfpgan: Wang et al., arXiv 2101.04061. codeformer: Zhou et al., arXiv 2206.11253.
    faces, photos, real-*: our own.
"""

ALIASES = {"bicubic": "clean"}
"""What recipes and presets of before say."""
