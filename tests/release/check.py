"""Build sdist and wheel, check what is in them, and try each in an empty environment.

    python tests/release/check.py

`make test-release` runs it. The files are left in out/dist.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
DIST = ROOT / "out" / "dist"

# What an sdist holds beside the library.
BESIDE = {"PKG-INFO", "LICENSE", "MANIFEST.in", "README.md", "CHANGELOG.md", "SECURITY.md"}
BESIDE |= {"pyproject.toml", "requirements.txt", "setup.cfg"}

# Compressed; most of it are the presets.
MAX_MIB = 25


def main() -> None:
    """Build, check and try."""
    shutil.rmtree(DIST, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="tfsr-release-") as folder:
        source, environment, empty = (Path(folder, name) for name in ("source", "venv", "empty"))
        tracked = _copy_tracked(source)
        # The wheel is made of the sdist.
        _run(sys.executable, "-m", "build", "--outdir", DIST, source)
        sdist, wheel = check_files(DIST, {name for name in tracked if name.startswith("tfsr/")})

        _run(sys.executable, "-m", "venv", environment)
        python = environment / "bin" / "python"
        _run(python, "-m", "pip", "install", "--quiet", wheel)
        empty.mkdir()
        _run(python, "-I", Path(__file__).with_name("smoke.py"), cwd=empty)
        _run(python, "-m", "pip", "uninstall", "--quiet", "--yes", "tfsr")
        _run(python, "-m", "pip", "install", "--quiet", sdist)
        version = subprocess.run(
            [environment / "bin" / "tfsr", "--version"], cwd=empty, capture_output=True, check=True
        )
        if version.stdout.decode().split()[-1] != _version(wheel):
            sys.exit(f"tfsr --version says {version.stdout!r}, the wheel is {wheel.name}")
    print("release passed")


def check_files(folder: Path, library: set[str]) -> tuple[Path, Path]:
    """Check that sdist and wheel hold the library, all of it, and next to nothing else."""
    [sdist], [wheel] = folder.glob("*.tar.gz"), folder.glob("*.whl")
    for needed in ("tfsr/py.typed", "tfsr/demo/page/", ".pyi", ".yaml", "/model.weights.h5"):
        if not any(needed in name for name in library):
            sys.exit(f"no {needed} is tracked")
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = {info.filename: info.file_size for info in archive.infolist()}
    with tarfile.open(sdist) as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
    in_sdist = {member.name.partition("/")[2]: member.size for member in members}
    if _version(wheel) not in sdist.name:
        sys.exit(f"{sdist.name} and {wheel.name} are of different versions")
    for path, found, others in (
        (wheel, in_wheel, re.compile(r"tfsr-[^/]+\.dist-info/")),
        (sdist, in_sdist, re.compile("|".join(["tfsr.egg-info/", *map(re.escape, BESIDE)]))),
    ):
        inside = {name for name in found if not others.match(name)}
        if inside != library:
            sys.exit(
                f"{path.name}: missing {sorted(library - inside)}, "
                f"unexpected {sorted(inside - library)}"
            )
        if path.stat().st_size > MAX_MIB * 2**20:
            sys.exit(f"{path.name}: more than {MAX_MIB} MiB")
        presets = sum(size for name, size in found.items() if name.startswith("tfsr/presets/"))
        print(
            f"{path.name}: {path.stat().st_size / 2**20:.1f} MiB, {len(found)} files, "
            f"{presets / 2**20:.1f} MiB of them presets"
        )
    return sdist, wheel


def _version(wheel: Path) -> str:
    return wheel.name.split("-")[1]


def _copy_tracked(folder: Path) -> list[str]:
    """Copy what git tracks: what a build left behind would go into the wheel."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = [name for name in listed.stdout.split("\0") if name]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return names


def _run(*command: str | Path, cwd: Path | None = None) -> None:
    # An environment of its own: nothing of the checkout is imported.
    own = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    subprocess.run([*command], cwd=cwd, env=own, check=True)


if __name__ == "__main__":
    main()
