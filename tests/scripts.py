"""Scripts that belong to no package, imported by their files."""

import importlib.util


def load_script(path):
    """The module that the file makes; `sys.modules` does not have it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
