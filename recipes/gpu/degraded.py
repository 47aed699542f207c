"""Degraded training samples made ahead by CPU cores, while a GPU trains the clean twin.

    python recipes/gpu/degraded.py RECIPE OUTPUT PROCESSES FOLDER...

Each process writes files of samples to OUTPUT until it is ended: of windows of 32 and of 64 LR
pixels in turn.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np

from tfsr.data import Sampler
from tfsr.training import recipe_files

# (window, samples in a file): as many LR pixels in one as in the other.
KINDS = ((32, 256), (64, 64))


def main(recipe_path: str, output: str, processes: str, *folders: str) -> None:
    """Start the processes and wait for them."""
    Path(output).mkdir(parents=True, exist_ok=True)
    workers = [
        multiprocessing.Process(target=_write, args=(recipe_path, output, seed, folders))
        for seed in range(int(processes))
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _write(recipe_path: str, output: str, seed: int, folders: tuple[str, ...]) -> None:
    data = recipe_files.load(recipe_path).data.with_folders(folders)
    samplers = [_sampler(data, window, seed + 1) for window, _ in KINDS]
    for number in count():
        for (window, samples), sampler in zip(KINDS, samplers, strict=True):
            made = [sampler.sample(number * samples + i) for i in range(samples)]
            arrays = {name: np.stack([x[name] for x, _ in made]) for name in made[0][0]}
            arrays["colours"] = np.stack([colours for _, colours in made])
            for name in ("image", "colours"):
                arrays[name] = np.round(arrays[name] * 255).astype(np.uint8)
            path = Path(output, f"{window}-{seed}-{number}.npz")
            np.savez(path.with_suffix(".part.npz"), **arrays)
            os.rename(path.with_suffix(".part.npz"), path)


def _sampler(data, window: int, seed: int) -> Sampler:
    sampling = replace(data.sampling, num_points=(window + 16 * (window == 32)) ** 2)
    if sampling.mode == "resize":
        sampling = replace(sampling, window=window, lr_size=(window, sampling.lr_range[1]))
    else:
        sampling = replace(sampling, lr_size=window, scale=(1.0, 8.0 if window == 32 else 6.0))
    return Sampler(data.sources, sampling, seed=seed)


if __name__ == "__main__":
    main(*sys.argv[1:])
