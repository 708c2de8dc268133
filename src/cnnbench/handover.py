"""A file that gives a user's own script a configuration, without cnnbench: made of a case.

It is standard library and the grammar of Python 3.6. The recipes that reach into Keras, and the
loader, are in it as they are here, word for word.
"""

from __future__ import annotations

import ast
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from cnnbench import catalog, recipes
from cnnbench.case import KERAS
from cnnbench.errors import UsageError
from cnnbench.link import bundle
from cnnbench.link.environment import THREAD_VARIABLES
from cnnbench.probe.backends._keras3 import POLICIES, is_tf32

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cnnbench.case import Case

MARK = '"""Made by cnnbench tune'
NAME = "cnnbench_tuned.py"
# What libraries read while a process begins; all else may be set by a script's first line.
EARLY = ("MALLOC_", "GLIBC_", "LD_")
# What recipes and loaders may import, each after what it imports itself.
OF_RECIPES = ("faults", "optimizers", "releases", "recipes._keras_torch", "recipes._preload")
OF_LOADERS = ("faults", "feed", "datasets._folders", "loaders._ahead")

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
TF32 = {tf32!r}  # whether a GPU multiplies float32 in TF32; None leaves it as it is
THREADS = {threads!r}  # CPUs to use; 0 means all that the process may use
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


def cpus():
    """How many CPUs this process may use, once it leaves the others alone."""
    if not hasattr(os, "sched_getaffinity"):
        return THREADS or os.cpu_count()
    allowed = sorted(os.sched_getaffinity(0))
    if THREADS:
        os.sched_setaffinity(0, allowed[:THREADS])
    return min(THREADS or len(allowed), len(allowed))


def multiply():
    """See that float32 is multiplied as it was."""
    if BACKEND == "torch":
        import torch

        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = TF32
    elif BACKEND == "jax":
        import jax

        jax.config.update("jax_default_matmul_precision", "tensorfloat32" if TF32 else "float32")
    else:
        import tensorflow

        tensorflow.config.experimental.enable_tensor_float_32_execution(TF32)


def load():
    """Make modules of the sources."""
    for name, source in SOURCES:
        module = sys.modules[name] = types.ModuleType(name)
        module.__package__, _, last = name.rpartition(".")
        if module.__package__:
            setattr(sys.modules[module.__package__], last, module)
        exec(compile(source, name, "exec"), module.__dict__)


def use():
    """Import Keras as it was found to be fastest."""
    check()
    os.environ.update(dict.fromkeys({thread_variables!r}, str(cpus())), **INSIDE)
    import keras

    if TF32 is not None:
        multiply()
    keras.config.set_image_data_format(DATA_FORMAT)
    keras.config.set_dtype_policy(POLICY)
    load()
    found = [sys.modules["{package}.recipes." + name] for name in RECIPES]
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

{batches}
use()
'''
)

PACKAGE = "_cnnbench_tuned"
BATCHES = """
def batches(folder, batch_size={batch_size}, size=(256, 256), seed=0):
    \"\"\"Photographs for `model.fit(batches(folder))`, read as it was found to be fastest.

    Args:
        folder: It holds a folder for each class; labels follow their sorted names.
        batch_size: Photographs in a step; the last of an epoch has what is left.
        size: Height and width that they are resized to.
        seed: Of their order, which is another one in each epoch.

    Returns:
        A keras.utils.PyDataset of images, float32 from 0 to 1 in DATA_FORMAT, and one-hot labels.
    \"\"\"
    import functools

    import keras

    from {package} import datasets, feed, loaders

    source = datasets._folders.Folders(folder, (size[0], size[1], 3))
    case = dict({fields!r}, batch_size=batch_size, data_format=DATA_FORMAT)
    stream = functools.partial(loaders.{loader}.stream, threads=cpus())

    class Batches(keras.utils.PyDataset):
        def __init__(self):
            super().__init__()
            self._epoch = -1
            self.on_epoch_end()

        def __len__(self):
            return len(self._feed)

        def __getitem__(self, _):
            # The next, whichever Keras asks for: it shuffles what was shuffled, and looks ahead.
            self._position += 1
            return self._feed.batch(self._position)

        def on_epoch_end(self):
            self._epoch += 1
            self._position = -1
            order = seed + self._epoch
            self._feed = feed.Feed(source, source.classes, case, order, stream=stream)

    return Batches()

"""


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
        package=PACKAGE,
        backend=backend,
        data_format=case.data_format,
        policy=POLICIES[case.precision],
        tf32=is_tf32(asdict(case)),
        threads=case.threads,
        thread_variables=THREAD_VARIABLES,
        recipes=reaching,
        before=json.dumps(before, indent=4, sort_keys=True),
        inside=json.dumps(inside, indent=4, sort_keys=True),
        sources=_sources(reaching, case.loader),
        batches=_batches(case),
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


def _sources(reaching: Sequence[str], loader: str) -> str:
    """What recipes, a loader and all that they may import say, as a list of pairs."""
    modules = [*OF_RECIPES, *(f"recipes.{name}" for name in reaching)] if reaching else []
    modules += [*OF_LOADERS, f"loaders.{loader}"] if loader != KERAS else []
    if not modules:
        return "[]"
    packages = ["", *(name.rpartition(".")[0] for name in modules)]
    texts = {f"{PACKAGE}.{name}".rstrip("."): "" for name in packages}
    for name in modules:
        path = bundle.SOURCES / f"{name.replace('.', '/')}.py"
        texts[f"{PACKAGE}.{name}"] = path.read_text("utf-8")
    return "[\n" + "".join(f"    {pair!r},\n" for pair in texts.items()) + "]"


def _batches(case: Case) -> str:
    """The function that reads photographs, if not Keras is to."""
    if case.loader == KERAS:
        return ""
    return BATCHES.format(
        batch_size=case.batch_size,
        fields={"augment": case.augment, "devices": 1},
        loader=case.loader,
        package=PACKAGE,
    )
