"""A program: does cases one after the other, and tells of each on standard output.

    python -m soak.worker FOLDER SUBJECT FIRST COUNT [SUBJECT FIRST COUNT ...]

Before a case it prints {"begin": number, ...}, after it {"end": number, ...}, and waits for a line
on standard input. What ends in between, ends by that case: of a crash in a library's C code nothing
else in the process could tell.
"""

import json
import os
import random
import shutil
import sys
import time
from pathlib import Path

from soak.mutations import mutate
from soak.subjects import SUBJECTS

from tfsr.cli.startup import import_keras
from tfsr.errors import TfsrError


def main(folder, *asked):
    telling = os.fdopen(os.dup(1), "w")
    # Libraries written in C print what they think of damaged files.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    import_keras()
    for subject, first, count in zip(asked[::3], asked[1::3], asked[2::3], strict=True):
        work = Path(folder, subject)
        work.mkdir(parents=True, exist_ok=True)
        cases = SUBJECTS[subject](work)
        _check_samples(cases, work)
        for number in range(int(first), int(first) + int(count)):
            path, generator = damaged_file(cases, subject, number, work)
            begin = {"begin": number, "subject": subject, "file": str(path)}
            print(json.dumps(begin), file=telling, flush=True)
            end = {"end": number, "subject": subject, **_measured(cases, path, work, generator)}
            print(json.dumps(end), file=telling, flush=True)
            # The next case may write over the file.
            if not sys.stdin.readline():
                return


def damaged_file(cases, subject, number, work):
    """The file of a case, and the generator that goes on deciding about it."""
    generator = random.Random(f"{subject} {number}")
    name = generator.choice(sorted(cases.samples))
    content = mutate(cases.samples[name], generator)
    path = work / name
    path.write_bytes(cases.finish(name, content, generator))
    return path, generator


def _check_samples(cases, work):
    """Use every good file once: what is imported and compiled then is no damaged file's doing."""
    for name, content in cases.samples.items():
        path = work / name
        path.write_bytes(content)
        wrong, refused = _used(cases, path, work, random.Random(0))
        if wrong or refused:
            raise SystemExit(f"{name}, undamaged: {wrong or refused}")


def _measured(cases, path, work, generator):
    """What became of a case: what is wrong, the line that it got, seconds and MiB taken."""
    Path("/proc/self/clear_refs").write_text("5")  # The peak begins anew.
    before = _memory("VmRSS")
    clock, processor = time.perf_counter(), time.process_time()
    wrong, refused = _used(cases, path, work, generator)
    # On a busy machine the clock tells of others.
    seconds = min(time.perf_counter() - clock, time.process_time() - processor)
    mebibytes = (_memory("VmHWM") - before) / 2**10
    return {"wrong": wrong, "refused": refused, "seconds": seconds, "mebibytes": mebibytes}


def _used(cases, path, work, generator):
    """(what went wrong, the line by which the file was refused); None each if nothing was."""
    out = work / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    try:
        cases.use(path, out, generator)
    except TfsrError as error:
        line = str(error)
        left = [found.name for found in out.rglob("*")]
        if left:
            return f"left behind: {left}", line
        return ("not one line" if "\n" in line or not line else None), line
    except BaseException as error:
        return f"{type(error).__name__}: {error}", None
    return None, None


def _memory(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


if __name__ == "__main__":
    main(*sys.argv[1:])
