"""An Arm machine in a folder: Debian's files and Arm wheels, run by QEMU a process at a time."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

QEMU = "qemu-aarch64-static"

SUITE = "trixie"
PYTHON = "3.13"
GLIBC = 41
"""The Python and the glibc, 2.41, of that Debian."""

# LiteRT has other 8-bit kernels for each. Without SME: by it, 8-bit files come out wrong under QEMU
# 7.2. And signing pointers in a way of QEMU's own, for Arm's is slow there.
PROCESSORS = {
    "cortex-a53": "Armv8.0",
    "max,sme=off,pauth-impdef=on": "all later instructions but SME: dot products, matrices, SVE",
}

WHEELS = ("ai-edge-litert", "numpy")

# LiteRT asks this file for the processor, and QEMU would show that of the real machine, which
# makes it crash. Which instructions there are it learns from the kernel, that is from QEMU.
CPUINFO = """\
processor\t: 0
Features\t: fp asimd
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd03
CPU revision\t: 4
"""


class Machine:
    """An Arm machine with a Python that has LiteRT and NumPy, of this Python's versions.

    Args:
        folder: where its files are kept, and looked for the next time.

    Raises:
        RuntimeError: if a program of this machine is missing, or one fails.
    """

    def __init__(self, folder: Path) -> None:
        missing = [name for name in (QEMU, "debootstrap", "dpkg-deb") if not shutil.which(name)]
        if missing:
            raise RuntimeError(f"{', '.join(missing)} missing: see README.md")
        wheels = [f"{name}=={version(name)}" for name in WHEELS]
        self._root = _once(folder / SUITE, _debian)
        self._site = _once(folder / "-".join(wheels), lambda site: _install(site, wheels))

    def python(self, processor: str, *arguments: str | Path) -> None:
        """Run its Python. Files are those of the real machine."""
        interpreter = self._root / "usr" / "bin" / f"python{PYTHON}"
        command = [QEMU, "-cpu", processor, "-L", self._root, interpreter, "-B", *arguments]
        where = {"PYTHONHOME": "/usr", "PYTHONPATH": str(self._site)}
        _run("the Arm Python", command, os.environ | where)


def _once(folder: Path, make) -> Path:
    """A folder that is made whole, or not at all."""
    if not folder.exists():
        print(f"making {folder}", flush=True)
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        make(unfinished)
        unfinished.rename(folder)
    return folder


def _debian(root: Path) -> None:
    """Python and what it needs, unpacked only: to install it the kernel would have to run Arm."""
    if os.geteuid() != 0:
        raise RuntimeError("debootstrap needs root, the first time")
    options = ["--foreign", "--arch=arm64", "--variant=minbase", "--include=python3"]
    _run("debootstrap", ["debootstrap", *options, SUITE, root])
    for package in sorted((root / "var/cache/apt/archives").glob("*.deb")):
        _run("dpkg-deb", ["dpkg-deb", "-x", package, root])
    (root / "proc").mkdir(exist_ok=True)
    (root / "proc" / "cpuinfo").write_text(CPUINFO)


def _install(site: Path, wheels: list[str]) -> None:
    options = ["--only-binary=:all:", "--python-version", PYTHON, "--target", site]
    for minor in range(17, GLIBC + 1):
        options += ["--platform", f"manylinux_2_{minor}_aarch64"]
    # The older name of 2.17.
    options += ["--platform", "manylinux2014_aarch64"]
    _run("pip", [sys.executable, "-m", "pip", "install", "--quiet", *options, *wheels])


def _run(name: str, command: list, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        [*map(str, command)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        reason = (done.stdout.strip().splitlines() or ["it says nothing"])[-1]
        raise RuntimeError(f"{name} failed ({done.returncode}): {reason}")
