"""The rules of the packages: who may import whom, and what library code never does."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[1] / "tfsr"
FILES = sorted(LIBRARY.rglob("*.py"))

# Imports run from later packages to earlier ones, never the other way or within a level.
LEVELS = [
    {"errors"},
    {"hints"},
    {"registry", "geometry", "metrics", "backend", "regular_files", "interruptible"},
    {"layers", "losses"},
    {"encoders", "decoders"},
    {"rendering"},
    {"models"},
    {"images"},
    {"degradations"},
    {"converters", "presets", "data", "faces"},
    {"inference"},
    {"cluster"},
    {"evaluation", "demo"},
    {"training", "exporters"},
    {"cli"},
    {"__main__"},
]
LEVEL = {package: level for level, packages in enumerate(LEVELS) for package in packages}
# Models load themselves from presets, as Keras users expect, which are made of models.
UPWARD = {LIBRARY / "models" / "preset_methods.py"}
# What the package itself may be asked for; it imports nothing when it is loaded.
ROOT_NAMES = {"__version__"}

ANY_BACKEND = {
    "decoders",
    "encoders",
    "errors",
    "geometry",
    "hints",
    "layers",
    "losses",
    "metrics",
    "models",
    "registry",
    "rendering",
}
BACKENDS = {"tensorflow", "tf_keras", "jax", "torch"}

every_file = pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(LIBRARY)))


def package_of(module):
    """Of tfsr.images.files the package is "images"; the package itself is in none, ""."""
    return module.partition(".")[2].partition(".")[0]


def module_name(file):
    parts = file.relative_to(LIBRARY.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(file): file for file in FILES}


@cache
def imports(file):
    """Every module that a file imports anywhere, inside functions too."""
    name = module_name(file)
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base]).rstrip(".")
            for alias in node.names:
                module = f"{base}.{alias.name}"
                # From the package itself, a name is a package or it is something of its own.
                inside = module in MODULES or (base == "tfsr" and alias.name not in ROOT_NAMES)
                found.add(module if inside else base)
    return found


def own_imports(file):
    return {m for m in imports(file) if m.split(".")[0] == "tfsr"} - {"tfsr"}


def test_every_package_has_its_level():
    assert {package_of(module) for module in MODULES} - {""} <= set(LEVEL)


@every_file
def test_imports_run_one_way(file):
    package = package_of(module_name(file))
    for imported in own_imports(file):
        other = package_of(imported)
        assert other in LEVEL, f"{imported} is in no level"
        downward = LEVEL[other] < LEVEL.get(package, -1) or file in UPWARD
        assert other == package or downward, f"tfsr/{file.relative_to(LIBRARY)} imports {imported}"


@every_file
def test_nothing_imports_the_command_line(file):
    if package_of(module_name(file)) not in ("cli", "__main__"):
        assert "cli" not in {package_of(module) for module in own_imports(file)}


def test_there_is_no_circle():
    graph = {
        name: {other for other in own_imports(file) if other in MODULES and other != name}
        for name, file in MODULES.items()
        if file not in UPWARD
    }
    # Raises, and names the circle, if there is one.
    TopologicalSorter(graph).prepare()


@every_file
def test_the_core_runs_on_any_backend(file):
    if package_of(module_name(file)) in ANY_BACKEND:
        assert not BACKENDS & {module.split(".")[0] for module in imports(file)}


@every_file
def test_the_library_does_not_assert(file):
    # `python -O` drops assertions, and their messages name no argument.
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    lines = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    assert not lines, f"assert in tfsr/{file.relative_to(LIBRARY)}, lines {lines}"


def test_the_command_line_starts_without_tensorflow():
    program = (
        "import sys, tfsr\n"
        "from tfsr.cli import main\n"
        "print(*({'tensorflow', 'keras', 'jax', 'torch'} & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", program]
    root = LIBRARY.parent
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == []


def test_commands_import_keras_without_what_they_do_not_use():
    program = (
        "import sys\n"
        "from tfsr.cli.startup import import_keras\n"
        "import_keras()\n"
        "print('keras' in sys.modules, *({'matplotlib', 'pandas', 'jax'} & set(sys.modules)))\n"
        "import matplotlib\n"
    )
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, cwd=LIBRARY.parent, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["True"]
