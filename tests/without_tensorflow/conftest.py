"""An environment that has JAX and no TensorFlow, which `make test-jax` makes."""

import os
import subprocess
from pathlib import Path

import pytest
from pages import ROOT


def pytest_addoption(parser):
    parser.addoption(
        "--jax-python",
        type=Path,
        default=ROOT / ".venv-jax" / "bin" / "python",
        help="the interpreter of that environment (default: %(default)s)",
    )


@pytest.fixture(scope="session")
def python(pytestconfig, tmp_path_factory):
    """The interpreter of that environment."""
    path = pytestconfig.getoption("--jax-python").absolute()
    script = "import importlib.util as u; print(u.find_spec('tensorflow'))"
    found = subprocess.run([path, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout == "None\n"
    with pytest.MonkeyPatch.context() as environment:
        # What one process has compiled, the next one need not.
        compiled = tmp_path_factory.mktemp("compiled")
        environment.setenv("JAX_COMPILATION_CACHE_DIR", str(compiled))
        environment.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        yield path


@pytest.fixture(scope="session")
def tfsr(python):
    """The command line in that environment."""

    def run(*arguments):
        # Without KERAS_BACKEND: what is installed is used.
        environment = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
        return subprocess.run(
            [python, "-m", "tfsr", *map(str, arguments)],
            env={**environment, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run
