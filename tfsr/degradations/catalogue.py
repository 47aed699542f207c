"""The named pipelines, as data; docs/degradations.md shows what each does.

Every blur's sigma is in pixels of the image at that step. In `faces`, `photos` and the `real`
severities, the first step therefore brings the image to a size relative to the LR image's, so that
they do the same to originals of any size.
"""

from __future__ import annotations

from typing import Any

_REAL_ESRGAN_BLUR = {
    "kernels": {
        "isotropic-gaussian": 0.45,
        "anisotropic-gaussian": 0.25,
        "isotropic-generalized": 0.12,
        "anisotropic-generalized": 0.03,
        "isotropic-plateau": 0.12,
        "anisotropic-plateau": 0.03,
    },
    "size": [7, 21],
    "beta": [0.5, 4],
    "plateau_beta": [1, 2],
}
# OpenCV and PyTorch do not antialias.
_ALIASED = {"methods": ["area", "bilinear", "bicubic"], "antialias": 0}
_BSRGAN_NOISE = {"sigma": [2, 25], "grey": 0.4, "correlated": 0.2}


def _real_esrgan_blur(sigma: list[float]) -> list[dict[str, Any]]:
    return [
        {"probability": 0.1, "steps": [{"sinc": {"size": [7, 21], "cutoff": [0.2, 1]}}]},
        {"probability": 0.9, "steps": [{"blur": {"sigma": sigma, **_REAL_ESRGAN_BLUR}}]},
    ]


def _real_esrgan_noise(sigma: list[float], scale: list[float]) -> list[dict[str, Any]]:
    return [
        {"probability": 0.5, "steps": [{"noise": {"sigma": sigma, "grey": 0.4}}]},
        {"probability": 0.5, "steps": [{"poisson": {"scale": scale, "grey": 0.4}}]},
    ]


_FINAL_SINC = {"sinc": {"size": [7, 21], "cutoff": [1 / 3, 1], "probability": 0.8}}


def _bsrgan_round() -> list[dict[str, Any]]:
    isotropic = {"sigma": [0, 2], "per_scale": 0.2, "size": [7, 25]}
    anisotropic = {
        "kernels": "anisotropic-gaussian",
        "variance": [0, 4],
        "per_scale": 1,
        "size": [7, 25],
    }
    return [
        {
            "one_of": [
                {"probability": 0.5, "steps": [{"blur": anisotropic}]},
                {"probability": 0.5, "steps": [{"blur": isotropic}]},
            ]
        },
        {"resize": {"factor": [0.5, 2], "per_scale": True, "up": 0.2, "down": 0.7, **_ALIASED}},
        {"noise": _BSRGAN_NOISE},
        {"poisson": {"scale": 1, "photons": [100, 10000], "grey": 0.5, "probability": 0.1}},
        {"speckle": {**_BSRGAN_NOISE, "probability": 0.1}},
    ]


def _face_restoration(
    sigma: list[float], divisor: list[float], noise: list[float], quality: list[int]
) -> list[dict[str, Any]]:
    """GFPGAN's order: blur, reduce, noise, JPEG, and back; here straight to the LR size."""
    kernels = {"isotropic-gaussian": 0.5, "anisotropic-gaussian": 0.5}
    return [
        {"blur": {"sigma": sigma, "kernels": kernels, "size": 41}},
        {"resize": {"divisor": divisor, "methods": "bilinear", "antialias": 0}},
        {"noise": noise},
        {"jpeg": quality},
        {"to_lr": "bilinear"},
    ]


_LENS = {
    "isotropic-gaussian": 0.5,
    "anisotropic-gaussian": 0.3,
    "isotropic-generalized": 0.1,
    "isotropic-plateau": 0.1,
}


def _photograph(capture: list[float], sigma: list[float], webp: float) -> list[dict[str, Any]]:
    """What an image goes through from the lens to a feed."""
    compressed = {
        "one_of": [
            {"probability": 1 - webp, "steps": [{"jpeg": {"full_colour": 0.15}}]},
            {"probability": webp, "steps": [{"webp": [30, 95]}]},
        ]
    }
    return [
        # The camera or the scanner: its own resolution, lens, sensor, sharpening and file.
        {"resize": {"factor": capture, "of": "lr", "enlarge": False, "antialias": 0.8}},
        {"blur": {"sigma": sigma, "kernels": _LENS}},
        {
            "one_of": [
                {
                    "probability": 0.7,
                    "steps": [{"noise": {"sigma": [0, 15], "grey": 0.4, "correlated": 0.2}}],
                },
                {"probability": 0.3, "steps": [{"poisson": {"scale": [0.05, 1.5], "grey": 0.3}}]},
            ]
        },
        {"sharpen": {"probability": 0.1}},
        {"jpeg": {"full_colour": 0.15, "probability": 0.6}},
        # A messenger, a screenshot, a feed: another size, and another file. Smaller than the LR
        # image as often as larger: images that were enlarged and saved look like that.
        {
            "stage": {
                "probability": 0.5,
                "steps": [
                    {"resize": {"factor": [0.5, 1.5], "of": "lr", "antialias": 0.6}},
                    {"blur": {"sigma": [0.1, 1], "probability": 0.3}},
                    {"noise": {"sigma": [0, 5], "probability": 0.3}},
                    compressed,
                ],
            }
        },
        {"to_lr": {"methods": ["area", "bilinear", "bicubic"], "antialias": 0.8}},
        # Of a small face in a large photograph, the pixels are the sensor's own.
        {"noise": {"sigma": [0, 15], "grey": 0.4, "correlated": 0.2, "probability": 0.5}},
        {"sinc": {"cutoff": [0.4, 1], "probability": 0.1}},
        {"sharpen": {"probability": 0.05}},
        {"stage": {"probability": 0.75, "steps": [compressed]}},
    ]


# Twice the LR image's size, so that a sigma of 2 is one LR pixel.
_CAPTURE = {"resize": {"factor": 2, "of": "lr", "enlarge": False, "methods": "area"}}

CATALOGUE: dict[str, dict[str, Any]] = {
    "clean": {"title": "Pillow's bicubic", "steps": [{"to_lr": "bicubic"}]},
    "nn65": {
        "title": "nearest neighbour and JPEG of quality 65",
        "steps": [{"to_lr": "nearest"}, {"jpeg": 65}],
    },
    "real-esrgan": {
        "title": "Real-ESRGAN's second-order degradations (arXiv 2107.10833)",
        # OpenCV's 51-pixel Gaussian has sigma 8.
        "prepare": [{"sharpen": {"amount": 0.5, "sigma": 8, "threshold": 10}}],
        "steps": [
            {"one_of": _real_esrgan_blur([0.2, 3])},
            {"resize": {"factor": [0.15, 1.5], "up": 0.2, "down": 0.7, **_ALIASED}},
            {"one_of": _real_esrgan_noise([1, 30], [0.05, 3])},
            {"jpeg": [30, 95]},
            {"stage": {"probability": 0.8, "steps": [{"one_of": _real_esrgan_blur([0.2, 1.5])}]}},
            {"resize": {"factor": [0.3, 1.2], "of": "lr", "up": 0.3, "down": 0.4, **_ALIASED}},
            {"one_of": _real_esrgan_noise([1, 25], [0.05, 2.5])},
            {
                "one_of": [
                    {
                        "probability": 0.5,
                        "steps": [{"to_lr": _ALIASED}, _FINAL_SINC, {"jpeg": [30, 95]}],
                    },
                    {
                        "probability": 0.5,
                        "steps": [{"jpeg": [30, 95]}, {"to_lr": _ALIASED}, _FINAL_SINC],
                    },
                ]
            },
        ],
    },
    "bsrgan": {
        "title": "BSRGAN's shuffled degradations, twice each (arXiv 2103.14006, its plus variant)",
        "steps": [
            {"shuffle": [*_bsrgan_round(), {"jpeg": [30, 95]}, *_bsrgan_round()]},
            {"to_lr": _ALIASED},
            {"jpeg": [30, 95]},
        ],
    },
    "gfpgan": {
        "title": "GFPGAN's degradations of faces (arXiv 2101.04061)",
        "prepare": [{"grey": 0.01}],
        "steps": [
            *_face_restoration([0.1, 10], [0.8, 8], [0, 20], [60, 100]),
            {"colour": {"shift": 20, "probability": 0.3}},
        ],
    },
    "codeformer": {
        "title": "CodeFormer's degradations of faces, stage 3 (arXiv 2206.11253)",
        "steps": _face_restoration([0.1, 10], [1, 12], [0, 15], [60, 100]),
    },
    "codeformer-large": {
        "title": "CodeFormer's large degradations of faces (arXiv 2206.11253)",
        "steps": _face_restoration([1, 15], [4, 30], [0, 20], [30, 80]),
    },
    "faces": {
        "title": "what photographs of faces went through",
        # Grey photographs stay grey.
        "prepare": [{"grey": 0.05}],
        "clean": 0.3,
        "steps": _photograph([1.5, 4], [0.1, 3], webp=0.15),
    },
    "photos": {
        "title": "what photographs went through",
        # Grey photographs stay grey.
        "prepare": [{"grey": 0.05}],
        "clean": 0.3,
        "steps": _photograph([1.5, 4], [0.1, 2], webp=0.25),
    },
    "real-light": {
        "title": "a phone's image, sent once",
        "steps": [
            _CAPTURE,
            {"blur": [0.3, 0.8]},
            "to_lr",
            {"noise": [1, 3]},
            {"jpeg": [75, 90]},
        ],
    },
    "real-medium": {
        "title": "a soft, noisy image, half of the time resized and saved twice",
        "steps": [
            _CAPTURE,
            {"blur": [0.8, 1.6]},
            {
                "stage": {
                    "probability": 0.5,
                    "steps": [
                        {"resize": {"factor": [0.7, 1.4], "of": "lr", "methods": "bilinear"}},
                        {"jpeg": [60, 80]},
                    ],
                }
            },
            "to_lr",
            {"noise": [4, 10]},
            {"jpeg": [45, 75]},
        ],
    },
    "real-heavy": {
        "title": "a blurred, noisy image that was made smaller, saved, enlarged, saved again",
        "steps": [
            _CAPTURE,
            {"blur": [1.5, 3]},
            {"noise": [5, 15]},
            {"jpeg": [25, 50]},
            {"resize": {"factor": [0.6, 0.9], "of": "lr", "methods": "bilinear"}},
            {"noise": [2, 8]},
            {"jpeg": [25, 50]},
            "to_lr",
            {"jpeg": [30, 50]},
        ],
    },
}

ALIASES = {"bicubic": "clean"}
"""Other names: recipes and presets of earlier versions call `clean` so."""
