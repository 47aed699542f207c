"""Measures every table of docs/results.md, and writes them there.

    python benchmarks/results.py --faces256 faces256/test --faces512 faces512/test

Each table is what a `tfsr evaluate` command prints; the command is written above it. The rows are
presets that ship, and runs in runs/ by the commands that the page names. Twenty minutes on two
cores.
"""

import argparse
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "results.md"
PRESETS = [
    "arasfsr-compact-faces-v1",
    "arasfsr-compact-faces-v1+",
    "arasfsr-mobile-faces-v1",
    "liif-compact-faces-v1",
]
METHODS = ("liif", "lte", "diinn", "arasfsr")
EQUAL = [f"runs/{method}-compact-faces-equal" for method in METHODS]
X1_TO_2 = [f"runs/{method}-compact-faces-x1to2" for method in ("liif", "lte", "arasfsr")]
NN65 = ["arasfsr-compact-faces-v1", "runs/arasfsr-compact-faces-nn65"]
TO_256 = ["--protocol", "celebahq", "--lr-sides", "64-128,64-256,32-128,32-256,96-256"]
# The page's mark, what is measured, on which faces, and how.
TABLES = (
    ("gains", PRESETS, "faces256", ["--lr-sides", "171,128,96,64,32"]),
    ("equal-256", EQUAL, "faces256", TO_256),
    (
        "equal-512",
        EQUAL,
        "faces512",
        ["--protocol", "celebahq", "--lr-sides", "64-512,32-512,96-512"],
    ),
    ("x1to2", X1_TO_2, "faces256", TO_256),
    ("nn65", NN65, "faces256", ["--protocol", "celebahq-nn65"]),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces256", required=True, help="test faces of 256x256 pixels")
    parser.add_argument("--faces512", required=True, help="the same faces at 512x512")
    parser.add_argument("--only", metavar="TABLE", help="one table: its mark in the page")
    arguments = parser.parse_args()
    for mark, systems, faces, options in TABLES:
        if arguments.only in (None, mark):
            folder = getattr(arguments, faces)
            insert(mark, measured(["--preset", *systems, "--data", folder, *options]))


def measured(arguments: list[str]) -> str:
    """The command, and what it prints."""
    tfsr = Path(sys.executable).with_name("tfsr")
    command = [tfsr, "evaluate", *arguments]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    print(printed, flush=True)
    return f"    tfsr evaluate {' '.join(arguments)}\n\n{printed.rstrip()}"


def insert(mark: str, text: str) -> None:
    """Put a table between its marks in the page."""
    begin, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->"
    before, rest = PAGE.read_text(encoding="utf-8").split(begin)
    _, after = rest.split(end)
    PAGE.write_text(f"{before}{begin}\n{text}\n\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
