"""Writing locks, with a uv that costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cnnbench.envs import locking, stack
from cnnbench.errors import StackError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.envs.conftest import Describe, FakeUv

OUTPUT = 'while [ "$1" != --output-file ]; do shift; done'


def test_a_written_lock_agrees_with_its_toml(
    describe: Describe, fake_uv: FakeUv, tmp_path: Path
) -> None:
    lock = describe().lock
    (tmp_path / "answer").write_text(lock)
    log = fake_uv(f"{OUTPUT}; cp \"$last\" '{tmp_path}/asked'; cp '{tmp_path}/answer' \"$2\"")

    path = locking.write(describe(lock=None))

    stack.check_lock(stack.load("tiny"))
    assert path.read_text() == lock
    assert (tmp_path / "asked").read_text() == "keras===3.1.0\ntorch===2.0.0\n"
    assert "--generate-hashes --no-header --no-annotate" in log.read_text()


def test_a_lock_that_cannot_be_resolved_leaves_the_old_one(
    describe: Describe, fake_uv: FakeUv, folder: Path
) -> None:
    fake_uv("echo 'error: no such release' >&2; exit 1")

    tiny = describe()

    with pytest.raises(StackError, match="cannot lock tiny: no such release; then run: cnnbench s"):
        locking.write(tiny)

    assert sorted(path.name for path in folder.iterdir()) == ["tiny.lock", "tiny.toml"]
    assert (folder / "tiny.lock").read_text() == tiny.lock


def test_the_null_stack_has_nothing_to_lock() -> None:
    with pytest.raises(UsageError, match="installs nothing"):
        locking.write(stack.load("null"))
