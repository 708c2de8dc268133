"""Pip's settings, in uv's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench.envs import sources

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.envs.conftest import Describe

CPU_TORCH = (
    '[packages]\nkeras = "3.1.0"\ntorch = "2.0.0"',
    'torch_backend = "cpu"\n[packages]\nkeras = "3.1.0"\ntorch = "2.0.0+cpu"',
)


def test_the_index_goes_by_the_environment_for_it_may_hold_a_password(describe: Describe) -> None:
    pip = {"PIP_INDEX_URL": "https://me:secret@example.org/simple"}

    assert sources.environment(pip)["UV_INDEX_URL"] == pip["PIP_INDEX_URL"]
    assert "secret" not in " ".join(sources.options(describe(), pip))


def test_a_setting_of_uv_itself_is_kept() -> None:
    both = {"PIP_INDEX_URL": "https://pip.example", "UV_INDEX_URL": "https://uv.example"}

    assert sources.environment(both)["UV_INDEX_URL"] == "https://uv.example"


def test_python_variables_of_the_caller_do_not_reach_uv() -> None:
    assert "PYTHONPATH" not in sources.environment({"PYTHONPATH": "somewhere"})


def test_folders_of_wheels_are_absolute_and_pages_are_not_touched(
    describe: Describe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    options = sources.options(describe(), {"PIP_FIND_LINKS": "wheels https://example.org/w"})

    wheels = str(tmp_path / "wheels")
    assert options == ["--find-links", wheels, "--find-links", "https://example.org/w"]


def test_a_build_of_pytorch_is_asked_for_only_where_no_folder_has_its_wheel(
    describe: Describe, tmp_path: Path
) -> None:
    tiny, environ = describe(toml=CPU_TORCH), {"PIP_FIND_LINKS": str(tmp_path)}

    assert sources.options(tiny, environ)[-2:] == ["--torch-backend", "cpu"]
    (tmp_path / "torch-2.0.0+cpu-cp311-cp311-linux_x86_64.whl").touch()
    assert sources.options(tiny, environ) == ["--find-links", str(tmp_path)]
