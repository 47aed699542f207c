"""A program: damages files in thousands of ways, and watches what is made of them.

    PYTHONPATH=tests python -m soak.fuzz                     # 10,000 cases
    PYTHONPATH=tests python -m soak.fuzz --subject tflite --first 1234 --count 1

A case is a subject and a number, and always damages the same file in the same way. It may end well
or with one line of a `TfsrError`. Anything else is a finding, and its file is kept: another
exception, a crash, something left behind, more than 5 seconds or more than 1 GiB.
"""

import argparse
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

# As many of each as find something in the time they take: together 10,060.
CASES = {
    "images": 6000,
    "presets": 1500,
    "signed-presets": 500,
    "tflite": 1000,
    "signed-tflite": 60,
    "recipes": 500,
    "checkpoints": 500,
}
KEPT = Path("out") / "fuzz"

_MOST_SECONDS = 5.0
_MOST_MEBIBYTES = 1024.0
# Until a worker that says nothing is taken for hung: it may be busy importing TensorFlow.
_PATIENCE = 120.0


@dataclass
class Tally:
    """What became of the cases so far."""

    cases: int = 0
    refused: int = 0
    slowest: float = 0.0
    largest: float = 0.0
    findings: list[str] = field(default_factory=list)


def fuzz(asked, kept=KEPT, worker="soak.worker", patience=_PATIENCE):
    """Do cases in a worker process, and in another one after each that ends it.

    Args:
        asked: (subject, first number, count) each.
        kept: folder that the files of findings go to.
        worker: the module of the worker.
        patience: seconds without a word after which a worker is ended.
    """
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="tfsr-fuzz-") as folder:
        while asked:
            asked = _one_life(asked, folder, kept, worker, patience, tally)
    return tally


def _one_life(asked, folder, kept, worker, patience, tally):
    """What is left to do when a worker has ended, by itself or not."""
    arguments = [str(argument) for triple in asked for argument in triple]
    process = subprocess.Popen(
        [sys.executable, "-m", worker, folder, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    open_case, fate = None, None
    try:
        for line in _lines(process.stdout, patience):
            if line is None:
                process.kill()
                fate = f"no word for {patience:g} s"
                break
            message = json.loads(line)
            if "begin" in message:
                open_case = message
                continue
            _count(message, open_case, kept, tally)
            asked, open_case = _after(asked, message["subject"], message["end"]), None
            process.stdin.write(b"\n")
            process.stdin.flush()
    finally:
        process.stdin.close()  # Without which it would wait for another word.
        code = process.wait()
        process.stdout.close()
    if open_case is not None:
        tally.cases += 1
        _keep(open_case, fate or f"ended the process: exit code {code}", kept, tally)
        return _after(asked, open_case["subject"], open_case["begin"])
    if code or fate:
        raise RuntimeError(f"a worker ended between two cases: {fate or f'exit code {code}'}")
    return []


def _lines(pipe, patience):
    """The lines of a pipe; None where none comes for too long."""
    held, descriptor = b"", pipe.fileno()
    while True:
        ready, _, _ = select.select([descriptor], [], [], patience)
        read = os.read(descriptor, 65536) if ready else b""
        if not ready:
            yield None
        if not read:
            return
        *whole, held = (held + read).split(b"\n")
        yield from whole


def _after(asked, subject, number):
    """The cases that come after one."""
    names = [name for name, _, _ in asked]
    _, first, count = asked[names.index(subject)]
    left = first + count - number - 1
    others = asked[names.index(subject) + 1 :]
    return [(subject, number + 1, left), *others] if left else others


def _count(message, case, kept, tally):
    tally.cases += 1
    tally.refused += message["refused"] is not None
    tally.slowest = max(tally.slowest, message["seconds"])
    tally.largest = max(tally.largest, message["mebibytes"])
    wrong = message["wrong"]
    if wrong is None and message["seconds"] > _MOST_SECONDS:
        wrong = f"took {message['seconds']:.1f} s"
    if wrong is None and message["mebibytes"] > _MOST_MEBIBYTES:
        wrong = f"took {message['mebibytes']:.0f} MiB"
    if wrong is not None:
        _keep(case, wrong, kept, tally)


def _keep(case, wrong, kept, tally):
    kept.mkdir(parents=True, exist_ok=True)
    path = Path(case["file"])
    copy = kept / f"{case['subject']}-{case['begin']}-{path.name}"
    shutil.copyfile(path, copy)
    tally.findings.append(f"{case['subject']} {case['begin']} ({copy}): {wrong}")
    print(tally.findings[-1], flush=True)


def main(subjects=CASES, first=0, count=None):
    """Do the cases, and print a line for each subject; returns the number of findings."""
    start, findings = time.monotonic(), 0
    for subject in subjects:
        tally = fuzz([(subject, first, count or CASES[subject])])
        findings += len(tally.findings)
        print(
            f"{subject}: {tally.cases} damaged files, {tally.refused} refused, "
            f"{len(tally.findings)} findings; at most {tally.slowest:.2f} s "
            f"and {tally.largest:.0f} MiB each",
            flush=True,
        )
    print(f"fuzz: {findings} findings in {time.monotonic() - start:.0f} s")
    return findings


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subject", choices=CASES, action="append", dest="subjects")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--count", type=int, help="of each subject")
    options = {k: v for k, v in vars(parser.parse_args()).items() if v is not None}
    sys.exit(bool(main(**options)))
