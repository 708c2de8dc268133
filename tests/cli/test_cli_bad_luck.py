"""Bad luck while measuring: it is told in one line, and nothing that was measured is lost."""

from __future__ import annotations

import json
import sys
import venv
from typing import TYPE_CHECKING

from cnnbench import launch
from cnnbench.errors import ProbeError, StoreError
from cnnbench.machine import conditions
from cnnbench.store.database import Store

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from cnnbench.record import Launch
    from tests.cli.conftest import Command


def test_a_disk_that_fills_up_ends_the_run_with_its_table_and_one_line(
    cnnbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = "no space left for the store; free some, the same command goes on from here"
    whole = Store.begin_launch

    def begin(store: Store, begun: Launch) -> None:
        if store.launches():
            raise StoreError(full)
        whole(store, begun)

    monkeypatch.setattr(Store, "begin_launch", begin)

    done = cnnbench("run", "mine.toml", "--method", "fit", "--method", "train_on_batch")

    assert done.status == 2
    assert done.err.splitlines()[-1] == f"cnnbench: {full}"
    assert done.out.count("| synthetic-32 |") == 1


def test_a_stack_whose_import_fails_is_a_row_with_the_reason(
    cnnbench: Command, folder: Path
) -> None:
    venv.create(folder / "env", with_pip=False, symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = folder / "env" / "lib" / version / "site-packages"
    for name, number in (("keras", "3.0.0"), ("jax", "0.4.0")):
        (site / name).mkdir()
        (site / name / "__init__.py").write_text("raise ImportError('libfoo.so: no such file')")
        info = site / f"{name}-{number}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n")

    python = folder / "env" / "bin" / "python"
    done = cnnbench("run", "mine.toml", "--python", python, "--json", "out.json")

    (result,) = json.loads((folder / "out.json").read_text())["results"]
    assert done.status == 1
    assert result["verdict"] == "failed"
    assert result["reason"] == "import: ImportError: libfoo.so: no such file"


def test_a_guest_that_the_kernel_killed_for_memory_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "conditions", lambda: {"oom_kills": 4})
    killed = ProbeError("killed", "the guest was killed by SIGKILL")

    assert "out of memory; take a smaller --batch-size" in launch._cause(killed, {"oom_kills": 3})
    assert launch._cause(killed, {"oom_kills": 4}) == "the guest was killed by SIGKILL"
