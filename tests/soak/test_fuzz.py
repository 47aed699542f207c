"""A small part of `make soak`, and that what it looks for would be found."""

import random

import odd_files
import pytest
from soak.fuzz import CASES, fuzz
from soak.mutations import mutate, with_right_checks

# A few seconds' worth.
SLICE = {
    "images": 80,
    "presets": 12,
    "signed-presets": 6,
    "tflite": 30,
    "signed-tflite": 1,
    "recipes": 8,
    "checkpoints": 6,
}

WORKER = """
import json, os, sys, time

folder, subject, first, count = sys.argv[1:]
for number in range(int(first), int(first) + int(count)):
    path = os.path.join(folder, "damaged.bin")
    open(path, "w").write(str(number))
    print(json.dumps({"begin": number, "subject": subject, "file": path}), flush=True)
    if number == 2:
        os.abort()
    if number == 4:
        time.sleep(600)
    wrong = "KeyError: 'x'" if number == 5 else None
    end = {"end": number, "subject": subject, "wrong": wrong, "refused": None}
    seconds, mebibytes = 9.0 if number == 6 else 0.0, 2000 if number == 7 else 0
    print(json.dumps({**end, "seconds": seconds, "mebibytes": mebibytes}), flush=True)
    sys.stdin.readline()
"""


@pytest.mark.slow
def test_damaged_files_are_read_or_refused_in_one_line(tmp_path):
    assert SLICE.keys() == CASES.keys()
    tally = fuzz([(subject, 0, count) for subject, count in SLICE.items()], tmp_path)
    assert tally.findings == []
    assert tally.cases == sum(SLICE.values())
    assert 0.5 < tally.refused / tally.cases < 1


def test_what_a_case_does_to_its_process_is_laid_at_its_door(tmp_path, monkeypatch):
    (tmp_path / "some_worker.py").write_text(WORKER)
    monkeypatch.syspath_prepend(tmp_path)
    tally = fuzz([("some", 1, 8)], tmp_path / "kept", "some_worker", patience=5)
    reported = {
        2: "exit code -6",
        4: "no word for 5 s",
        5: "KeyError: 'x'",
        6: "9.0 s",
        7: "2000 MiB",
    }
    assert tally.cases == 8
    assert len(tally.findings) == len(reported)
    for (number, word), finding in zip(reported.items(), tally.findings, strict=True):
        kept = tmp_path / "kept" / f"some-{number}-damaged.bin"
        assert finding.startswith(f"some {number} ({kept}): ") and word in finding
        assert kept.read_text() == str(number)


@pytest.mark.parametrize("content", [b"", b"a", bytes(range(256)) * 20])
def test_the_same_number_damages_in_the_same_way(content):
    found = [mutate(content, random.Random(number)) for number in range(300)]
    assert found == [mutate(content, random.Random(number)) for number in range(300)]
    assert len({*found, content}) > 0.6 * len(found) * (len(content) > 1)


def test_checks_of_a_whole_png_are_right_already():
    png = odd_files.encoded(odd_files.RGB)
    assert with_right_checks(png) == png
    damaged = bytearray(png)
    damaged[20] ^= 1  # The width, which the header's check covers.
    mended = with_right_checks(bytes(damaged))
    assert mended[:29] == damaged[:29] and mended[29:33] != damaged[29:33]
    assert mended[33:] == damaged[33:]
