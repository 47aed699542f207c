import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import pytest
import tiny
from cases import quick

from tfsr.cli.interrupt import exit_code, interruptions

# A codec that is in C for minutes, as one of a large file is for seconds.
SLOW = """
import hashlib, sys
from tfsr.__main__ import main
from tfsr.images import decoding, files

def code(*arguments):
    print("coding", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"x", b"y", 10**9)

{slow} = code
main()
"""


class Finalised:
    """Interrupts the program while it is taken away."""

    def __init__(self, sent):
        self.sent = sent

    def __del__(self):
        os.kill(os.getpid(), self.sent)


def in_a_finaliser(sent):
    victim = Finalised(sent)
    del victim


def taken_for_another_failure(sent):
    try:
        os.kill(os.getpid(), sent)
    except BaseException:
        pass


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("lose", [in_a_finaliser, taken_for_another_failure])
def test_an_interrupt_that_was_lost_is_raised_again(lose, sent, capfd):
    with pytest.raises(KeyboardInterrupt), interruptions():
        lose(sent)
        time.sleep(60)
        raise AssertionError("it went on")
    assert exit_code() == 128 + sent
    assert capfd.readouterr() == ("", "")


def test_an_interrupt_elsewhere_is_raised_once():
    before = signal.getsignal(signal.SIGINT)
    tidied = False
    with pytest.raises(KeyboardInterrupt), interruptions():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            raise AssertionError("it went on")
        finally:
            with suppress(ValueError):
                time.sleep(1)  # As what tidies up may do.
                raise ValueError
            with contextmanager(_slow_to_leave)():
                pass
            tidied = True
    assert tidied
    assert signal.getsignal(signal.SIGINT) is before


def _slow_to_leave():
    try:
        yield
    finally:
        time.sleep(1)


@pytest.mark.parametrize(
    ("verb", "slow", "sent"),
    quick(
        [("upscale", "files.encode", signal.SIGTERM)],
        [
            ("upscale", "decoding._decode", signal.SIGINT),
            ("compare", "decoding._decode", signal.SIGTERM),
            ("upscale", "files.encode", signal.SIGTERM),
            ("compare", "files.encode", signal.SIGINT),
        ],
    ),
)
def test_a_codec_is_not_waited_for(verb, slow, sent, tmp_path):
    source, out = tmp_path / "a.png", tmp_path / "out" / "b.png"
    out.parent.mkdir()
    tiny.save(source, tiny.image(1024, 1024))
    arguments = (verb, source, "-o", out, "--scale", "2", "--preset", "bicubic")
    with subprocess.Popen(
        [sys.executable, "-c", SLOW.format(slow=slow), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "coding\n"
        time.sleep(0.1)
        began = time.monotonic()
        process.send_signal(sent)
        out_lines, err = process.communicate(timeout=30)
        seconds = time.monotonic() - began
    assert (process.returncode, out_lines, err) == (128 + sent, "", "tfsr: interrupted\n")
    assert seconds < 10, "it takes a moment; the codec would take minutes"
    assert list(out.parent.iterdir()) == []


MISTAKEN = """
import os, signal
import tfsr.cli
from tfsr.__main__ import main

def fail(*arguments):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except BaseException:
        raise TypeError("in a library")

tfsr.cli.choose_backend = fail
main()
"""


def test_an_interrupt_may_become_another_error():
    ended = subprocess.run(
        [sys.executable, "-c", MISTAKEN, "presets"], capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (143, "", "tfsr: interrupted\n")
