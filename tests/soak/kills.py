"""A program: kills and interrupts commands at random moments, and looks at what they leave.

    PYTHONPATH=tests python -m soak.kills [--batches 50] [--exports 8] [--interrupts 12] [--seed 0]

Whatever the moment of a kill, no visible file may be anything but whole, and running the same
command again must end in what an uninterrupted run gives, byte by byte, with nothing beside it.
An interrupted command says so in one line, with the exit code of the signal, and leaves nothing.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import odd_files
import tiny

TFSR = Path(sys.executable).with_name("tfsr")

# As much work in files of every format as in the start of the program, or many moments were lost.
_SUFFIXES = ("png", "jpg", "webp", "tif", "bmp", "avif")
_FILES, _SIDE, _SCALE = 120, 32, 8
# Seconds until Python has come to handle signals, until the demo serves at the latest, and in which
# an interrupted command must have ended.
_STARTED, _SERVED, _PATIENCE = 1.0, 15.0, 20.0


def kill_batches(kills, generator, work):
    """Findings, a line each, of so many kills of batches."""
    out, expected, report = work / "out", work / "expected", work / "report.json"
    command = ["upscale", _images(work / "in"), "--scale", _SCALE, "--preset", _preset(work)]
    command += ["--skip-existing", "--report", report, "--output"]
    lasted = _lasted([*command, expected])
    findings, midst, completed = [], 0, 0
    for number in range(kills):
        moment = generator.uniform(0, 1.1 * lasted)
        code = _killed([*command, out], moment)
        where = f"batch {number}, killed after {moment:.2f} s: "
        findings += [where + finding for finding in _differing(out, expected, partial=True)]
        midst += any(out.glob(".*"))
        if code == 0 or number % 10 == 9 or number == kills - 1:
            _lasted([*command, out])
            findings += [where + finding for finding in _differing(out, expected)]
            shutil.rmtree(out)
            completed += 1
            left = [path.name for path in work.iterdir() if path.name.startswith(".")]
            findings += [f"{where}{name} is left beside the report" for name in left]
        if report.exists() and not json.loads(report.read_text())["files"]:
            findings.append(f"{where}the report tells of no file")
    print(
        f"batches: {kills} kills within {1.1 * lasted:.1f} s of {_FILES} files, {midst} of them "
        f"while a file was written; {completed} runs to the end; {len(findings)} findings",
        flush=True,
    )
    return findings


def kill_exports(kills, generator, work):
    """Findings, a line each, of so many kills of either export."""
    findings, midst = [], 0
    lr = ("--lr-size", "12x10", "--scales", "2")
    for verb, name, options in (("tflite", "a.tflite", lr), ("saved-model", "1", ())):
        folder = work / verb
        folder.mkdir()
        output = folder / name if verb == "tflite" else folder
        command = ["export", verb, "--preset", _preset(work), *options, "--output", output]
        lasted = _lasted(command)
        for number in range(kills):
            _remove(folder / name)
            moment = generator.uniform(0, 1.1 * lasted)
            _killed(command, moment)
            midst += any(folder.glob(".*"))
            where = f"{verb} {number}, killed after {moment:.2f} s: "
            if (folder / name).exists() and not _is_whole(output):
                findings.append(f"{where}what is there is not whole")
        _remove(folder / name)
        _lasted(command)
        if os.listdir(folder) != [name]:
            findings.append(f"{verb}: {os.listdir(folder)} after a run that ended")
    print(
        f"exports: {2 * kills} kills, {midst} of them while one was written; "
        f"{len(findings)} findings",
        flush=True,
    )
    return findings


def interrupt(times, generator, work):
    """Findings, a line each, of so many interrupts of each of some commands."""
    out, findings, ended = work / "interrupted", [], 0
    preset = ("--preset", _preset(work))
    commands = {
        "upscale": (work / "in", "--scale", _SCALE, *preset, "--output", out),
        "export": ("saved-model", *preset, "--output", out),
        "demo": ("--no-browser", "--port", 0, *preset),
    }
    for verb, arguments in commands.items():
        lasted = _SERVED if verb == "demo" else _lasted([verb, *arguments])
        for number in range(times):
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            sent = generator.choice([signal.SIGINT, signal.SIGTERM])
            moment = generator.uniform(_STARTED, lasted)
            process = _start([verb, *arguments])
            code, error = _stopped(process, moment, sent)
            where = f"{verb} {number}, {sent.name} after {moment:.2f} s: "
            if code in (0, -sent) and not error and verb != "demo":
                ended += 1  # Its work was done.
            elif (code, error) != (128 + sent, "tfsr: interrupted\n"):
                findings.append(f"{where}exit code {code}, {error[-200:]!r}")
            left = [path.name for path in (*out.glob(".*"), *work.glob(".*"))]
            findings += [f"{where}{name} is left" for name in left]
    print(
        f"interrupts: {times} of each of {', '.join(commands)}, {ended} of them after their work; "
        f"{len(findings)} findings",
        flush=True,
    )
    return findings


def _stopped(process, moment, sent):
    """The exit code of a process that is sent a signal at a moment, and what it prints."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(moment)
    process.send_signal(sent)
    try:
        error = process.communicate(timeout=_PATIENCE)[1]
    except subprocess.TimeoutExpired:
        process.kill()
        return None, process.communicate()[1]
    return process.returncode, error


def _images(folder):
    folder.mkdir()
    for number in range(_FILES):
        suffix = _SUFFIXES[number % len(_SUFFIXES)]
        tiny.save(folder / f"{number}.{suffix}", tiny.image(_SIDE, _SIDE, number))
    for name in ("rgba16.png", "rgb16.tif", "animated.webp", "profile.png"):
        (folder / name).write_bytes(odd_files.IMAGES[name][0])
    return folder


def _preset(work):
    """A tiny one, made in a process of its own: this one stays free of TensorFlow."""
    preset = work / "preset"
    if not preset.exists():
        program = (
            "import sys, tiny; from tfsr.models import ImplicitSR;"
            "from tfsr.presets import save_preset;"
            "save_preset(ImplicitSR.from_config(tiny.MODEL), sys.argv[1], {'name': 'tiny'})"
        )
        command = [sys.executable, "-c", program, preset]
        subprocess.run(command, stderr=subprocess.DEVNULL, check=True)
    return preset


def _start(arguments):
    command = [TFSR, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def _lasted(arguments):
    """Seconds of a run that must end well."""
    start = time.monotonic()
    process = _start(arguments)
    error = process.communicate()[1]
    if process.returncode:
        raise SystemExit(f"{arguments}: exit code {process.returncode}: {error}")
    return time.monotonic() - start


def _killed(arguments, moment):
    """The exit code of a run that is killed at a moment, if it has not ended before."""
    process = _start(arguments)
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()
    return process.returncode


def _differing(out, expected, partial=False):
    """How the files that are seen differ from those of a run that nobody killed."""
    names = {path.name for path in expected.iterdir()}
    found = set(os.listdir(out)) if out.exists() else set()
    if partial:
        found = {name for name in found if not name.startswith(".")}
        names &= found
    if found != names:
        yield f"{sorted(found ^ names)} are missing, or should not be there"
    for name in sorted(found & names):
        if (out / name).read_bytes() != (expected / name).read_bytes():
            yield f"{name} differs"


def _is_whole(export):
    process = _start(["inspect", export])
    process.communicate()
    return process.returncode == 0


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def main(batches=50, exports=8, interrupts=12, seed=0):
    """Kill and interrupt; returns the findings."""
    generator = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="tfsr-kills-") as folder:
        work = Path(folder)
        findings = kill_batches(batches, generator, work)
        findings += kill_exports(exports, generator, work)
        findings += interrupt(interrupts, generator, work)
    for finding in findings:
        print(finding)
    return findings


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, default=50)
    parser.add_argument("--exports", type=int, default=8, help="of each kind")
    parser.add_argument("--interrupts", type=int, default=12, help="of each command")
    parser.add_argument("--seed", type=int, default=0)
    sys.exit(bool(main(**vars(parser.parse_args()))))
