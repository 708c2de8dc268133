"""Finds the file of a backend, model, data set or method by its name."""

import importlib
import importlib.util
import os
import sys
from typing import Any


def load(folder: str, name: str) -> Any:
    """The module of a plug-in that ships with the probe."""
    package = __name__.rpartition(".")[0]
    return importlib.import_module("%s.%s.%s" % (package, folder, name.replace("-", "_")))


def load_file(path: str) -> Any:
    """The module of the user's own file, which may import its neighbours.

    Raises:
        ImportError: The file is not Python.
    """
    sys.path.insert(0, os.path.dirname(path))
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("%s is not a Python file" % os.path.basename(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
