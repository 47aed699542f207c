import os
import signal
import subprocess
import sys
import time

import pytest
import tiny

from tfsr.cli.interrupt import Interrupt

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

    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_in_a_finaliser_is_raised_later(capfd):
    with Interrupt() as interrupt:
        interrupt.check()
        victim = Finalised()
        del victim
        with pytest.raises(KeyboardInterrupt):
            interrupt.check()
    assert capfd.readouterr() == ("", "")


def test_an_interrupt_elsewhere_is_raised_at_once():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), Interrupt():
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("it went on")
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("verb", "slow"),
    [
        ("upscale", "decoding._decode"),
        ("compare", "decoding._decode"),
        ("upscale", "files.encode"),
        ("compare", "files.encode"),
    ],
)
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
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
