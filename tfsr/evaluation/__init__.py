"""Quality on whole pictures."""

from tfsr.evaluation.restoration import (
    Reduction,
    bicubic_upscale,
    compare_with_bicubic,
    restoration_psnr,
)

__all__ = ["Reduction", "bicubic_upscale", "compare_with_bicubic", "restoration_psnr"]
