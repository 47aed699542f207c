"""Measures every table of docs/results.md, and writes them there.

    python benchmarks/results.py --faces256 faces256/test --faces512 faces512/test \
        --photos photos/val --set5 Set5 --set14 Set14

Each table is what a `tfsr evaluate` command prints; the command is written above it. The rows are
presets that ship, and runs in runs/ by the commands that the page names. Half an hour on two cores;
`--only` names the tables that are measured.
"""

import argparse
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "results.md"
FACES = ["faces", "faces-clean", "faces-clean+", "faces-mobile", "arasfsr-compact-faces-v1"]
FACES_512 = ["faces", "faces-clean", "faces-mobile"]
PHOTOS = ["photos", "photos-clean"]
METHODS = ("liif", "lte", "diinn", "arasfsr")
EQUAL = [f"runs/{method}-compact-faces-equal" for method in METHODS]
X1_TO_2 = [f"runs/{method}-compact-faces-x1to2" for method in ("liif", "lte", "arasfsr")]
NN65 = ["faces", "arasfsr-compact-faces-v1", "runs/arasfsr-compact-faces-nn65"]
BENCHMARK = ["--protocol", "benchmark", "--scales", "2,3,4"]
TO_256 = ["--protocol", "celebahq", "--lr-sides", "64-128,64-256,32-128,32-256,96-256"]
# The page's mark, what is measured, on which faces, and how.
TABLES = (
    ("gains", FACES, "faces256", ["--lr-sides", "171,128,96,64,32"]),
    (
        "real",
        ["faces", "--strengths", "0,0.5,1"],
        "faces256",
        ["--protocol", "real", "--lr-sides", "64"],
    ),
    ("gains-512", FACES_512, "faces512", ["--lr-sides", "341,256,192,128,64"]),
    (
        "real-512",
        ["faces", "faces-clean"],
        "faces512",
        ["--protocol", "real", "--lr-sides", "128"],
    ),
    ("set5", PHOTOS, "set5", BENCHMARK),
    ("set14", PHOTOS, "set14", BENCHMARK),
    ("photos", PHOTOS, "photos", ["--scales", "2,3,4"]),
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
    parser.add_argument("--faces256", help="test faces of 256x256 pixels")
    parser.add_argument("--faces512", help="the same faces at 512x512")
    parser.add_argument("--photos", help="validation tiles of photographs")
    parser.add_argument("--set5", help="Set5, with HR/ and LR_bicubic/")
    parser.add_argument("--set14", help="Set14, likewise")
    parser.add_argument("--only", nargs="+", metavar="TABLE", help="their marks in the page")
    arguments = parser.parse_args()
    for mark, systems, faces, options in TABLES:
        if arguments.only is None or mark in arguments.only:
            folder = getattr(arguments, faces)
            if folder is None:
                parser.error(f"the table {mark} needs --{faces}")
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
