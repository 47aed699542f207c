"""Without root's right to read and write what permissions forbid."""

import ctypes
import os
from contextlib import contextmanager

# linux/capability.h: version 3 of the structure; CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH.
_VERSION, _OVERRIDING = 0x20080522, (1 << 1) | (1 << 2)


@contextmanager
def ordinary():
    """This thread, and those it starts, are bound by permissions even where tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION, 0)
    before = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, before) == 0
    without = (ctypes.c_uint32 * 6)(*before)
    without[0] &= ~_OVERRIDING
    assert libc.capset(header, without) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0
