"""Parametrised tests of which `make test` runs some cases, and `make test-slow` the others."""

import pytest


def quick(these, values):
    """Mark every case of `values` as slow but `these`; a tuple is the arguments of one case."""
    these = list(these)
    return [
        value
        if value in these
        else pytest.param(*value if isinstance(value, tuple) else (value,), marks=pytest.mark.slow)
        for value in values
    ]
