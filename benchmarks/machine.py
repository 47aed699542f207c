"""What the benchmarks share: workers, seconds, peak memory, the machine's own speed, tables.

Everything that is measured runs in a process of its own, a `Worker`, and this module and the
programs themselves import no backend at all: two libraries in one process would share its memory
and get in the way of each other's threads. Workers that are not asked sleep.

For Linux with glibc, whose ways to tell and to give back memory are used.
"""

import ctypes
import gc
import json
import logging
import multiprocessing
import os
import platform
import statistics
import sys
import time
from importlib import metadata
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parents[1] / "docs" / "performance"
BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
_MATRIX = 3072


# Processes


class Worker:
    """An object that lives in another process; its methods are called here.

    Args:
        make: a class or function at the top of its module.
        *arguments: what it is called with, over there.

    Use as a context manager: the process ends with it.
    """

    def __init__(self, make, *arguments):
        # A fork would inherit this process's threads, and count its memory.
        context = multiprocessing.get_context("spawn")
        self._pipe, other_end = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(other_end, make, arguments), daemon=True
        )
        self._process.start()
        other_end.close()

    def __call__(self, method, *arguments):
        """What a method returns there."""
        try:
            self._pipe.send((method, arguments))
            return self._pipe.recv()
        except (EOFError, ConnectionError):
            sys.exit(f"a worker ended while it was asked for {method!r}; its own error is above")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pipe.close()
        self._process.join()


def _serve(pipe, make, arguments):
    served = make(*arguments)
    while True:
        try:
            method, given = pipe.recv()
        except EOFError:
            return
        pipe.send(getattr(served, method)(*given))


def import_backend():
    """Import Keras and its backend quietly. TensorFlow counts the tracings of all models as one."""
    from tfsr.cli.startup import import_keras

    import_keras()
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


# Measures


def seconds_of(function):
    """The seconds of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def alternately(asked, repeats):
    """The values of several measures, taken in turn: what disturbs one disturbs all.

    Args:
        asked: name to a function that returns seconds.
        repeats: name to how often it is asked.
    """
    seconds = {name: [] for name in asked}
    for turn in range(max(repeats.values())):
        for name, function in asked.items():
            if turn < repeats[name]:
                seconds[name].append(function())
    return seconds


def medians(seconds):
    """The median of each measure that `alternately` returned."""
    return {name: statistics.median(values) for name, values in seconds.items()}


def memory_of(function):
    """Bytes that this process held before a function ran, and how many more at most while it did.

    Not `getrusage`'s peak: a process inherits that from the one that started it.
    """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # What was freed before is not for this function to use.
    Path("/proc/self/clear_refs").write_text("5")  # The peak begins anew.
    before = _status("VmRSS")
    function()
    return before, _status("VmHWM") - before


def _status(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def matmul_speed():
    """Multiplications and additions a second of a large float32 matrix product in Keras."""
    from keras import ops, random

    a, b = (random.normal((_MATRIX, _MATRIX)) for _ in range(2))
    times = [seconds_of(lambda: _finished(ops.matmul(a, b))) for _ in range(3)]
    return 2 * _MATRIX**3 / min(times)


def _finished(matrix):
    from keras import ops

    return ops.convert_to_numpy(matrix[0, 0])


def torch_matmul_speed():
    """`matmul_speed` of PyTorch."""
    import torch

    a, b = (torch.randn(_MATRIX, _MATRIX) for _ in range(2))
    times = [seconds_of(lambda: a @ b) for _ in range(6)]
    return 2 * _MATRIX**3 / min(times)


class OtherPrograms:
    """What other programs take of the machine, from now on."""

    def __init__(self):
        self._before = _processor_seconds()

    def share(self):
        """Their part of all that the processor could do since then."""
        spans = [b - a for a, b in zip(self._before, _processor_seconds(), strict=True)]
        elapsed, busy, own = spans
        return max(0.0, busy - own) / elapsed


def _processor_seconds():
    """All seconds of all cores since they started, the busy ones, and those of ours that ended."""
    line = Path("/proc/stat").read_text().splitlines()[0]
    ticks = [int(text) for text in line.split()[1:9]]
    elapsed, idle = sum(ticks), ticks[3] + ticks[4]
    per_second = os.sysconf("SC_CLK_TCK")
    return elapsed / per_second, (elapsed - idle) / per_second, sum(os.times()[:4])


def description(*packages):
    """This machine, and the versions of the backend and of packages."""
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    names = ["keras", backend, *packages]
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "backend": BACKENDS[backend],
        "versions": {name: metadata.version(name) for name in names},
    }


def _processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def described(machine):
    """A sentence of what `description` returned, and of the `others` that were there."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    others = f"other programs took {machine['others']:.0%} of the machine meanwhile"
    device = machine.get("device", "CPU")
    computed = "" if device.lower() == "cpu" else f"computed on {device}; "
    return f"{machine['processor']}, {machine['cores']} cores; {computed}{versions}; {others}."


# Results


def table(header, rows):
    """A Markdown table of texts."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def mebibytes(count):
    """Bytes as whole MiB, in text."""
    return f"{count / 2**20:,.0f}"


def three_digits(value):
    """A number to three digits, in text."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:#.3g}".rstrip(".")


def write(folder, name, results, text):
    """Write results as NAME.json and their text as NAME.md, print it, and put it into the page.

    The page is the Markdown file beside the folder, of the same name, if it is there: the text
    replaces what stands between its lines `<!-- NAME -->` and `<!-- end of NAME -->`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (folder / f"{name}.md").write_text(text + "\n", encoding="utf-8")
    print(text)
    page = folder.with_suffix(".md")
    if page.exists():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, rest = page.read_text(encoding="utf-8").split(begin)
        _, after = rest.split(end)
        page.write_text(f"{before}{begin}\n{text}\n\n{end}{after}", encoding="utf-8")


def image(side):
    """A square image, (1, side, side, 3) float32 in [0, 1]."""
    from PIL import Image

    path = Path(__file__).parents[1] / "docs" / "images" / "astronaut.png"
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC))
    return pixels[None].astype(np.float32) / 255
