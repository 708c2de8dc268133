"""The guest's zip and its environment hold what they must, and nothing else."""

from __future__ import annotations

import os
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cnnbench.link import bundle, environment
from cnnbench.machine.gpu import Gpu

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the guest's sources, of which the bundle is made."""
    copy = tmp_path / "sources"
    shutil.copytree(bundle.SOURCES, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(bundle, "SOURCES", copy)
    bundle.digest.cache_clear()
    yield copy
    bundle.digest.cache_clear()


def digest() -> str:
    bundle.digest.cache_clear()
    return bundle.digest()


def test_a_copy_of_the_sources_has_their_digest(
    sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = digest()
    monkeypatch.undo()

    assert sources != bundle.SOURCES
    assert copied == digest()
    assert len(copied) == 12
    assert set(copied) <= set("0123456789abcdef")


def test_any_change_of_a_source_changes_the_digest(sources: Path) -> None:
    digests = [digest()]

    with (sources / "models" / "simple_cnn.py").open("a") as file:
        file.write("\n")
    digests.append(digest())
    (sources / "faults.py").rename(sources / "defects.py")
    digests.append(digest())
    (sources / "new.py").touch()
    digests.append(digest())
    (sources / "new.py").unlink()

    assert len(set(digests)) == 4
    assert digest() == digests[2]


def test_what_is_no_source_does_not_change_the_digest(sources: Path) -> None:
    before = digest()

    (sources / "__pycache__").mkdir()
    (sources / "__pycache__" / "wire.cpython-311.pyc").write_bytes(b"x")
    (sources / "notes.txt").write_text("x")

    assert digest() == before


def test_a_changed_guest_is_another_file(sources: Path, tmp_path: Path) -> None:
    first = bundle.build(tmp_path / "zips")
    (sources / "new.py").touch()
    bundle.digest.cache_clear()

    second = bundle.build(tmp_path / "zips")

    assert first != second
    assert "probe/new.py" not in zipfile.ZipFile(first).namelist()
    assert "probe/new.py" in zipfile.ZipFile(second).namelist()


def test_the_zip_holds_the_guest_and_its_start_only(tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle.build(tmp_path)) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        assert archive.read("probe/wire.py") == (bundle.SOURCES / "wire.py").read_bytes()

    assert len(names) == len(set(names))
    assert {name.partition("/")[0] for name in names} == {"__main__.py", "probe"}
    assert {Path(name).suffix for name in names} == {".py"}
    assert {name for name in names if name.startswith("probe/")} == {
        f"probe/{path.relative_to(bundle.SOURCES).as_posix()}"
        for path in bundle.SOURCES.rglob("*.py")
    }


def test_a_zip_that_is_there_is_taken_as_it_is(tmp_path: Path) -> None:
    built = bundle.build(tmp_path)
    before = built.stat()

    assert bundle.build(tmp_path) == built
    assert built.stat().st_mtime_ns == before.st_mtime_ns
    assert built.stat().st_ino == before.st_ino


def test_many_builders_at_once_leave_one_sound_zip(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "zips"
    with ThreadPoolExecutor(8) as pool:
        built = set(pool.map(bundle.build, [folder] * 16))

    assert len(built) == 1
    assert list(folder.iterdir()) == list(built)
    assert zipfile.ZipFile(built.pop()).testzip() is None


def variables(device: str = "cpu", stack: dict[str, str] | None = None) -> dict[str, str]:
    return environment.variables(
        home=Path("/launch"), backend="jax", device=device, threads=3, stack=stack or {}
    )


def test_nothing_of_the_hosts_environment_is_kept_but_what_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs = ("PYTHONPATH", "PYTHONSTARTUP", "KERAS_BACKEND", "VIRTUAL_ENV", "XLA_FLAGS", "TF_X")
    secrets = ("SECRET_TOKEN", "PIP_INDEX_URL", "SSH_AUTH_SOCK", "LD_PRELOAD", "HOME", "USER")
    for name in (*theirs, *secrets, *environment.THREAD_VARIABLES, "PATH"):
        monkeypatch.setenv(name, "of-the-host")
    for name in environment.KEPT:
        monkeypatch.setenv(name, f"kept {name}")

    found = variables()

    assert "of-the-host" not in found.values()
    kept = {name for name, value in found.items() if value.startswith("kept ")}
    assert kept == set(environment.KEPT)


def test_a_kept_name_that_the_host_lacks_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.KEPT:
        monkeypatch.delenv(name, raising=False)

    assert not set(environment.KEPT) & set(variables())


def test_home_backend_and_threads_are_the_launchs_own() -> None:
    found = variables()

    assert (found["HOME"], found["KERAS_HOME"]) == ("/launch", "/launch/.keras")
    assert found["KERAS_BACKEND"] == "jax"
    assert {found[name] for name in environment.THREAD_VARIABLES} == {"3"}
    assert found["PATH"] == os.defpath


def test_a_gpu_is_hidden_on_the_cpu_only() -> None:
    assert variables("cpu")["CUDA_VISIBLE_DEVICES"] == ""
    assert variables("cpu")["JAX_PLATFORMS"] == "cpu"
    assert not {"CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS"} & set(variables("gpu"))


def test_a_launch_on_gpus_sees_those_in_their_order_by_uuid_where_they_have_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    card = Gpu(name="X", memory_bytes=1, driver="1", capability=(8, 0), index=3, uuid="GPU-a")
    found = environment.variables(
        home=Path("/launch"),
        backend="jax",
        device="gpu",
        threads=1,
        stack={},
        cards=[card, replace(card, index=1, uuid=None)],
    )
    assert found["CUDA_VISIBLE_DEVICES"] == "GPU-a,1"
    assert found["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


def test_the_stacks_own_variables_have_the_last_word() -> None:
    found = variables(stack={"OMP_NUM_THREADS": "1", "MXNET_X": "y"})

    assert (found["OMP_NUM_THREADS"], found["MXNET_X"]) == ("1", "y")
    assert found["MKL_NUM_THREADS"] == "3"
