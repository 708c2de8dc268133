"""The file that a user's script imports: what it holds, and when it refuses."""

from __future__ import annotations

import ast
import os
import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from cnnbench import catalog, handover
from cnnbench.case import Case
from cnnbench.errors import UsageError

CASE = Case(
    stack="keras3-torch",
    model="simple_cnn",
    dataset="synthetic-32",
    method="fit",
    precision="bfloat16",
    recipes=("fused_batch_norm", "keep_memory", "spin"),
)
needs_glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="keep_memory is of glibc's allocator"
)

# A Keras that says what was asked of it.
KERAS = """
import os
__version__ = "3.15.1"
class config:
    @staticmethod
    def set_image_data_format(name): print("format", name)
    @staticmethod
    def set_dtype_policy(name): print("policy", name)
class layers:
    class BatchNormalization:
        def call(self): pass
class utils:
    class PyDataset: pass
class Model:
    def compile(self): print("compiled")
print("backend", os.environ.get("KERAS_BACKEND"), os.environ.get("OMP_WAIT_POLICY"))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a Keras and a PyTorch that are fakes."""
    (tmp_path / "keras.py").write_text(KERAS)
    (tmp_path / "torch.py").write_text("")
    return tmp_path


def written(folder: Path, case: Case = CASE) -> Path:
    place = folder / handover.NAME
    place.write_text(handover.text(case, "torch", 'twice as "fast"\nas before'))
    return place


def run(folder: Path, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "train.py").write_text(script)
    return subprocess.run(
        [sys.executable, "train.py"],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@needs_glibc
def test_what_must_stand_before_a_process_is_told_apart(folder: Path) -> None:
    assert set(handover.before(written(folder))) == {
        "MALLOC_MMAP_MAX_",
        "MALLOC_TRIM_THRESHOLD_",
        "MALLOC_TOP_PAD_",
    }


@needs_glibc
def test_it_refuses_with_the_line_that_mends_it_when_it_comes_too_late(folder: Path) -> None:
    written(folder)
    done = run(folder, "import cnnbench_tuned\n")
    assert done.returncode == 1
    assert "too late for what must stand before the process" in done.stderr
    assert "cnnbench exec -- python train.py" in done.stderr
    assert "env MALLOC_MMAP_MAX_=0 " in done.stderr


def test_a_script_gets_all_of_the_configuration(folder: Path) -> None:
    place = written(folder)
    script = "import cnnbench_tuned\nimport keras\nkeras.Model().compile()\n"
    script += "print(keras.layers.BatchNormalization.call.__module__)\n"
    done = run(folder, script, **handover.before(place))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "backend torch ACTIVE",
        "format channels_last",
        "policy mixed_bfloat16",
        "compiled",
        "_cnnbench_tuned.recipes.fused_batch_norm",
    ]


# What two epochs read: shapes, then the levels of gray with their labels, in order.
READING = """
import cnnbench_tuned
found = cnnbench_tuned.batches("photographs", batch_size=4, size=(8, 6), seed=SEED)
for _ in range(2):
    epoch = []
    for _ in range(len(found)):
        x, y = found[0]
        epoch += [(round(float(image.mean()) * 255), int(one.argmax())) for image, one in zip(x, y)]
    print(x.dtype, x.shape[1:], y.shape[1:])
    print(epoch)
    found.on_epoch_end()
"""


def test_photographs_are_read_once_an_epoch_in_another_order_each_time(folder: Path) -> None:
    levels = [[10, 30, 50], [110, 130, 150, 170]]
    for label, some in enumerate(levels):
        (folder / "photographs" / f"class {label}").mkdir(parents=True)
        for level in some:
            image = Image.new("RGB", (20, 30), (level,) * 3)
            image.save(folder / "photographs" / f"class {label}" / f"{level}.jpeg", quality=100)
    case = replace(CASE, recipes=(), loader="threads", data_format="channels_first", threads=1)
    written(folder, case)

    done = run(folder, READING.replace("SEED", "3"))

    assert done.returncode == 0, done.stderr
    *_, kind, first, again, second = done.stdout.splitlines()
    assert kind == again == "float32 (3, 8, 6) (2,)"
    right = sorted((level, label) for label, some in enumerate(levels) for level in some)
    assert sorted(ast.literal_eval(first)) == sorted(ast.literal_eval(second)) == right
    assert first != second
    assert run(folder, READING.replace("SEED", "3")).stdout == done.stdout
    assert run(folder, READING.replace("SEED", "4")).stdout != done.stdout


def test_without_a_loader_it_has_nothing_that_reads() -> None:
    assert "batches" not in handover.text(CASE, "torch", "x")


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no affinity on this system")
def test_a_script_leaves_other_cpus_alone(folder: Path) -> None:
    script = "import cnnbench_tuned, os\n"
    script += "print(len(os.sched_getaffinity(0)), os.environ['OMP_NUM_THREADS'])\n"
    here = str(len(os.sched_getaffinity(0)))
    for threads, count in ((1, "1"), (0, here), (10_000, here)):
        written(folder, replace(CASE, recipes=(), threads=threads))
        assert run(folder, script).stdout.splitlines()[-1] == f"{count} {count}"


def test_it_must_come_before_keras(folder: Path) -> None:
    place = written(folder)
    done = run(folder, "import keras\nimport cnnbench_tuned\n", **handover.before(place))
    assert "import it before keras" in done.stderr


def test_a_recipe_that_does_not_know_this_keras_refuses(folder: Path) -> None:
    place = written(folder)
    (folder / "keras.py").write_text(KERAS.replace("3.15.1", "3.99.0"))
    done = run(folder, "import cnnbench_tuned\n", **handover.before(place))
    assert "this recipe knows Keras 3.15, not 3.99.0" in done.stderr


def test_without_recipes_that_reach_into_keras_it_holds_no_source() -> None:
    source = handover.text(replace(CASE, recipes=()), "torch", "x")
    assert "SOURCES = []" in source
    assert "Unsupported" not in source


@pytest.mark.parametrize("loader", catalog.names("loaders"))
def test_it_is_of_the_grammar_of_old_pythons(folder: Path, loader: str) -> None:
    place = written(folder, replace(CASE, loader=loader))
    done = subprocess.run(
        [
            Path(sys.executable).with_name("vermin"),
            "--no-tips",
            "--violations",
            "--target=3.6-",
            place,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_a_stack_without_keras_3_is_not_handed_over() -> None:
    assert "a file is made for Keras 3" in (
        handover.refusal(replace(CASE, stack="keras2.1.5-tensorflow1.7.0")) or ""
    )


def test_an_environment_of_the_users_is_handed_over() -> None:
    assert handover.refusal(replace(CASE, stack="local@0123abcd")) is None


@pytest.mark.parametrize("text", ["", "print()", handover.MARK + '"""\nBEFORE = open("x")\n'])
def test_a_file_that_is_no_such_file_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.py").write_text(text)
    with pytest.raises(UsageError, match=r"x\.py was not made by cnnbench tune"):
        handover.before(tmp_path / "x.py")
