"""A batch on Ray beside the local batch: images a second, and memory of each process.

    python benchmarks/cluster.py
    python benchmarks/cluster.py --files 100 --turns 1 --out trial

Upscales JPEG files of 64x64 pixels by 4 with the shipped preset for faces: by `tfsr upscale --faces
off`, which takes all cores, and by the same with `--ray local` and one worker a core, in turn.
Both are whole commands. The start is what comes before the first result; the rate counts what comes
a second later, or after that. Memory is the largest proportional set size (PSS) of a process that
holds a model. Writes cluster.json and cluster.md, and the table into docs/performance.md.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from folder import draw
from machine import (
    RESULTS,
    OtherPrograms,
    described,
    description,
    mebibytes,
    table,
    three_digits,
    write,
)

TFSR = Path(sys.executable).with_name("tfsr")


class Peak:
    """The largest PSS in bytes of each process that descends from this one and holds a model."""

    def __init__(self, is_worker):
        self.bytes, self._is_worker, self._end = {}, is_worker, threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self):
        while not self._end.wait(0.5):
            for pid in filter(self._is_worker, map(int, filter(str.isdigit, os.listdir("/proc")))):
                try:
                    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                except OSError:
                    continue
                pss = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
                self.bytes[pid] = max(self.bytes.get(pid, 0), pss * 1024)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()


def command(pid):
    """The command line of a process; "" if there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def run(folder, workers):
    """One batch: seconds to the first result, images a second after it, and memory."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    options = ["--scale", "4", "--preset", "faces", "--faces", "off", "--json"]
    if workers:
        options += ["--ray", "local", "--workers", str(workers)]
    start = time.monotonic()
    process = subprocess.Popen(
        [TFSR, "upscale", folder / "in", "-o", folder / "out", *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    holds = (lambda pid: "MapWorker" in command(pid)) if workers else process.pid.__eq__
    times = []
    with Peak(holds) as peak:
        for line in process.stdout:
            if json.loads(line)["status"] != "done":
                sys.exit(line)
            times.append(time.monotonic())
    if process.wait():
        sys.exit(process.returncode)
    # The images of the first second of results were upscaled before it.
    since = next(number for number, at in enumerate(times) if at > times[0] + 1)
    return {
        "start": times[0] - start,
        "rate": (len(times) - since) / (times[-1] - times[since - 1]),
        "whole": len(times) / (time.monotonic() - start),
        "bytes": max(peak.bytes.values()),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    others, runs = OtherPrograms(), {"local": [], "ray": []}
    with tempfile.TemporaryDirectory(prefix="tfsr-cluster-") as folder:
        folder = Path(folder)
        draw(folder / "in", options.files)
        for _ in range(options.turns):
            for name, workers in (("local", 0), ("ray", cores)):
                runs[name].append(run(folder, workers))
    machine = {**description("ray"), "others": others.share()}
    results = {"machine": machine, "files": options.files, "workers": cores, "runs": runs}
    write(options.out, "cluster", results, text_of(results))


def text_of(results):
    """The table and its ratios."""
    middle = {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for name, runs in results["runs"].items()
    }
    titles = {"local": "local batch", "ray": f"`--ray local`, {results['workers']} workers"}
    rows = [
        [titles[name], *(three_digits(row[key]) for key in ("start", "rate", "whole"))]
        + [mebibytes(row["bytes"])]
        for name, row in middle.items()
    ]
    local, ray = middle["local"], middle["ray"]
    ratios = (
        f"{results['files']} files, median of {len(results['runs']['ray'])}: "
        f"{ray['rate'] / local['rate']:.2f} of the local batch's images a second, "
        f"{ray['bytes'] / local['bytes']:.2f} of its memory in each worker."
    )
    header = ["", "s to the first", "images/s", "with the start", "MiB a process"]
    return f"{described(results['machine'])}\n\n{table(header, rows)}\n\n{ratios}"


if __name__ == "__main__":
    main()
