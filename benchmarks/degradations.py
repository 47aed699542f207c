"""What the degradation pipelines cost on one core.

python benchmarks/degradations.py
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import time  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

from tfsr.degradations import PIPELINES, get_pipeline  # noqa: E402
from tfsr.images import read, resize  # noqa: E402

ORIGINAL, LR, SEEDS, TRIES = 384, 48, 40, 3


def milliseconds(function):
    """CPU time, the shortest of several tries, and what the function returned."""
    times = []
    for _ in range(TRIES):
        start = time.process_time()
        result = function()
        times.append(time.process_time() - start)
    return 1e3 * min(times), result


def main():
    image = Path(__file__).parents[1] / "docs" / "images" / "astronaut.png"
    original = resize(read(image), (ORIGINAL, ORIGINAL))
    print("| pipeline | `prepare` | `degrade` | largest |\n|---|---|---|---|")
    for name in PIPELINES:
        pipeline = get_pipeline(name)
        rows = []
        for seed in range(SEEDS):
            spent, prepared = milliseconds(
                lambda: pipeline.prepare(original, np.random.default_rng(seed))  # noqa: B023
            )
            rows.append(
                (
                    spent,
                    milliseconds(
                        lambda: pipeline.degrade(prepared, (LR, LR), np.random.default_rng(seed))  # noqa: B023
                    )[0],
                )
            )
        prepare, degrade = np.mean(rows, axis=0)
        print(f"| `{name}` | {prepare:.1f} | {degrade:.1f} | {np.max(rows, axis=0)[1]:.1f} |")


if __name__ == "__main__":
    main()
