"""Cases of a test that `make test` runs, beside those that are left to `make test-slow`."""

import pytest


def quick(these, values):
    """All `values`, each the parameters of a case, those that are not among `these` marked slow."""
    these = list(these)
    return [
        value
        if value in these
        else pytest.param(*value if isinstance(value, tuple) else (value,), marks=pytest.mark.slow)
        for value in values
    ]
