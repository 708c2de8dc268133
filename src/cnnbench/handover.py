"""A file that gives a user's own script a configuration, without cnnbench: made of a case.

It is standard library and the grammar of Python 3.6. The recipes that reach into Keras are in it as
they are here, word for word.
"""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING

from cnnbench import catalog, recipes
from cnnbench.errors import UsageError
from cnnbench.link import bundle
from cnnbench.probe.backends._keras3 import POLICIES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cnnbench.case import Case

MARK = '"""Made by cnnbench tune'
NAME = "cnnbench_tuned.py"
# What libraries read while a process begins; all else may be set by a script's first line.
EARLY = ("MALLOC_", "GLIBC_", "LD_")
SHARED = ("faults", "optimizers", "releases", "recipes._preload")

FILE = (
    MARK
    + '''; import it before Keras, in the first line of your script.

    import cnnbench_tuned

{about}

Where the data format is channels_first, your model's images have to be, too.
"""

import os
import sys
import types

BACKEND = {backend!r}
DATA_FORMAT = {data_format!r}
POLICY = {policy!r}
RECIPES = {recipes!r}

# What must stand before the process begins.
BEFORE = {before}

# What must stand before Keras is imported.
INSIDE = {inside}

SOURCES = {sources}


def check():
    """See that it is not too late."""
    if any(os.environ.get(name) != value for name, value in BEFORE.items()):
        words = " ".join("%s=%s" % pair for pair in sorted(BEFORE.items()))
        command = " ".join(["python"] + sys.argv)
        raise RuntimeError(
            "cnnbench_tuned: too late for what must stand before the process; start it as\\n\\n"
            "    env %s %s\\n\\nor as\\n\\n    cnnbench exec -- %s" % (words, command, command)
        )
    for name in ("keras", "tensorflow", "jax", "torch"):
        if name in sys.modules:
            raise RuntimeError("cnnbench_tuned: import it before %s" % name)


def loaded():
    """The recipes that reach into Keras, as modules."""
    package = "_cnnbench_tuned"
    for name in (package, package + ".recipes"):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = []
    for name, source in SOURCES:
        full = package + "." + name
        module = types.ModuleType(full)
        module.__package__ = full.rpartition(".")[0]
        sys.modules[full] = module
        setattr(sys.modules[module.__package__], name.rpartition(".")[2], module)
        exec(compile(source, full, "exec"), module.__dict__)
    return [sys.modules[package + ".recipes." + name] for name in RECIPES]


def use():
    """Import Keras as it was found to be fastest."""
    check()
    os.environ.update(INSIDE)
    import keras

    keras.config.set_image_data_format(DATA_FORMAT)
    keras.config.set_dtype_policy(POLICY)
    found = loaded()
    for recipe in found:
        if hasattr(recipe, "build"):
            recipe.build(keras)
    usual = keras.Model.compile

    def compiled(self, *args, **kwargs):
        usual(self, *args, **kwargs)
        for recipe in found:
            if hasattr(recipe, "compiled"):
                recipe.compiled(keras, self)

    keras.Model.compile = compiled


use()
'''
)


def text(case: Case, backend: str, about: str) -> str:
    """The file of a configuration.

    Args:
        case: The configuration.
        backend: Of its stack.
        about: What was found, for people: one line or more.
    """
    variables = {"KERAS_BACKEND": backend, **recipes.environment(case, backend)}
    before = {name: value for name, value in variables.items() if name.startswith(EARLY)}
    inside = {name: value for name, value in variables.items() if name not in before}
    reaching = [name for name in case.recipes if _reaches(name)]
    return FILE.format(
        about=about.replace('"""', "'''").replace("\\", "/"),
        backend=backend,
        data_format=case.data_format,
        policy=POLICIES[case.precision],
        recipes=reaching,
        before=json.dumps(before, indent=4, sort_keys=True),
        inside=json.dumps(inside, indent=4, sort_keys=True),
        sources=_sources(reaching),
    )


def refusal(case: Case) -> str | None:
    """Why a configuration cannot be handed over, or None."""
    if case.stack.startswith(("keras2", "native", "null")):
        return f"a file is made for Keras 3; {case.stack} is none"
    return None


def check_free(path: Path) -> None:
    """See that nothing of the user's stands where the file is to go.

    Raises:
        UsageError: Something does.
    """
    if path.exists() and not path.read_text("utf-8", errors="replace").startswith(MARK):
        raise UsageError(f"{path.name} is not of cnnbench's making; give --output another file")


def before(path: Path) -> dict[str, str]:
    """What such a file wants to stand before the process begins.

    Raises:
        UsageError: It is no such file.
    """
    try:
        source = path.read_text("utf-8")
        statements = ast.parse(source).body if source.startswith(MARK) else []
        for statement in statements:
            match statement:
                case ast.Assign(targets=[ast.Name(id="BEFORE")], value=value):
                    return dict(ast.literal_eval(value))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}; see: cnnbench tune") from None
    except (ValueError, SyntaxError):
        pass
    raise UsageError(f"{path} was not made by cnnbench tune")


def _reaches(name: str) -> bool:
    module = catalog.module("recipes", name)
    return hasattr(module, "build") or hasattr(module, "compiled")


def _sources(names: Sequence[str]) -> str:
    """What recipes and all that they may import say, as a list of pairs."""
    if not names:
        return "[]"
    modules = [*SHARED, *(f"recipes.{name}" for name in names)]
    pairs = [
        (m, (bundle.SOURCES / f"{m.replace('.', '/')}.py").read_text("utf-8")) for m in modules
    ]
    return "[\n" + "".join(f"    ({name!r}, {source!r}),\n" for name, source in pairs) + "]"
