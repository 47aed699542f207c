import os
import signal

import pytest

from tfsr.cli.interrupt import Interrupt


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
