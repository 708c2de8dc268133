"""What is recorded of an environment that the user already has."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from cnnbench.envs import local
from cnnbench.errors import StackError


@pytest.fixture(autouse=True)
def no_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)


def pretend(tmp_path: Path, *, python: str = "3.9.1", **packages: str) -> Path:
    """An interpreter that gives this answer; `_` in a name stands for `-`."""
    named = {name.replace("_", "-"): version for name, version in packages.items()}
    answer = json.dumps({"python": [int(part) for part in python.split(".")], "packages": named})
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("packages", "backend", "package"),
    [
        ({"keras": "2.1.5", "tensorflow_gpu": "1.7.0"}, "tensorflow", "tensorflow-gpu"),
        ({"keras_mxnet": "2.1.6", "mxnet_cu90mkl": "1.1.0"}, "mxnet", "mxnet-cu90mkl"),
        ({"keras": "3.1.0", "jax": "0.4.0", "jaxlib": "0.4.0"}, "jax", "jax"),
        ({"keras": "3.1.0", "torch": "2.0.0+cpu"}, "torch", "torch"),
        ({"keras": "2.15.0", "tensorflow": "2.15.0", "torch": "2.0.0"}, "tensorflow", "tensorflow"),
    ],
)
def test_the_only_backend_that_keras_can_use_is_taken(
    tmp_path: Path, packages: dict[str, str], backend: str, package: str
) -> None:
    found = local.describe(pretend(tmp_path, **packages))

    assert (found.backend, found.package, found.python) == (backend, package, "3.9")
    assert found.name == f"local@{found.fingerprint[:8]}"


def test_several_backends_need_a_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = pretend(tmp_path, keras="3.1.0", torch="2.0.0", jax="0.4.0")

    with pytest.raises(StackError, match="has jax and torch; set KERAS_BACKEND=jax"):
        local.describe(python)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert local.describe(python).backend == "torch"


def test_backends_of_one_environment_are_stacks_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = pretend(tmp_path, keras="3.1.0", torch="2.0.0", jax="0.4.0")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    torch = local.describe(python)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    jax = local.describe(python)

    assert torch.name != jax.name
    assert torch.fingerprint != jax.fingerprint


def test_pytorch_without_keras_is_measured_plainly(tmp_path: Path) -> None:
    found = local.describe(pretend(tmp_path, torch="2.0.0"))

    assert (found.backend, found.package) == ("native", "torch")
    assert local.plain(found) == found


def test_an_environment_with_keras_and_pytorch_is_also_one_of_plain_pytorch(tmp_path: Path) -> None:
    keras = local.describe(pretend(tmp_path, keras="3.1.0", torch="2.0.0"))
    plain = local.plain(keras)

    assert plain is not None
    assert (plain.backend, plain.package, plain.packages) == ("native", "torch", keras.packages)
    assert plain.name == f"local@{plain.fingerprint[:8]}" != keras.name


def test_an_environment_without_pytorch_is_none_of_plain_pytorch(tmp_path: Path) -> None:
    assert local.plain(local.describe(pretend(tmp_path, keras="3.1.0", jax="0.4.0"))) is None


def test_a_choice_that_is_not_installed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")

    with pytest.raises(StackError, match=r"KERAS_BACKEND=jax, but .* set KERAS_BACKEND=torch"):
        local.describe(pretend(tmp_path, keras="3.1.0", torch="2.0.0"))


def test_the_fingerprint_follows_every_package_and_the_interpreter(tmp_path: Path) -> None:
    base = {"keras": "3.1.0", "torch": "2.0.0"}
    prints = {
        local.describe(pretend(tmp_path, **base)).fingerprint,
        local.describe(pretend(tmp_path, **base, numpy="1.0")).fingerprint,
        local.describe(pretend(tmp_path, **base, numpy="1.1")).fingerprint,
        local.describe(pretend(tmp_path, python="3.9.2", **base)).fingerprint,
    }

    assert len(prints) == 4
    assert local.describe(pretend(tmp_path, **base)).fingerprint in prints


@pytest.mark.parametrize(
    ("packages", "said"),
    [
        ({"numpy": "1.0"}, "has neither Keras nor PyTorch; install them there"),
        ({"keras": "3.1.0"}, "no backend; install one there: tensorflow or jax or torch"),
        ({"keras": "2.1.5", "torch": "2.0.0"}, "no backend; install one there: tensorflow$"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, packages: dict[str, str], said: str) -> None:
    with pytest.raises(StackError, match=said):
        local.describe(pretend(tmp_path, **packages))


def test_an_old_python_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"is older than Python 3\.6"):
        local.describe(pretend(tmp_path, python="3.5.9", keras="2.1.5", tensorflow="1.7.0"))


def test_a_python_that_knows_no_isolation_is_old(tmp_path: Path) -> None:
    path = tmp_path / "python"
    path.write_text("#!/bin/sh\necho 'Unknown option: -I' >&2\nexit 2\n")
    path.chmod(0o755)

    with pytest.raises(StackError, match=r"is older than Python 3\.6"):
        local.describe(path)


@pytest.mark.parametrize("path", ["/bin/ls", "/nonexistent", "/"])
def test_what_is_no_python_is_told_in_one_line(path: str) -> None:
    with pytest.raises(StackError, match="is not a Python that starts; give --python the path"):
        local.describe(Path(path))


def test_the_real_question_finds_what_is_installed(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    purelib = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.check_output([python, "-c", purelib], text=True).strip())
    for name, metadata in {
        "keras": "METADATA",
        "torch": "METADATA",
        "Old_Style": "PKG-INFO",
    }.items():
        kind = "dist-info" if metadata == "METADATA" else "egg-info"
        folder = site / f"{name}-3.0.{kind}"
        folder.mkdir()
        (folder / metadata).write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 3.0\n\nName: no"
        )

    found = local.describe(python)

    assert found.packages == {"keras": "3.0", "old-style": "3.0", "torch": "3.0"}
    assert found.python == f"{sys.version_info[0]}.{sys.version_info[1]}"
