"""A file as it was at a git revision."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from cnnbench import revisions
from cnnbench.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *arguments: str) -> str:
    named = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    who = ["-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(
        ["git", "-C", folder, *who, *arguments],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | named,
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits of `nets/net.py`, beside which `layers.py` stands; a third without it."""
    monkeypatch.setenv("CNNBENCH_CACHE_DIR", str(tmp_path / "cache"))
    top = tmp_path / "repository"
    (top / "nets").mkdir(parents=True)
    git(top, "init")
    for text in ("one", "two"):
        (top / "nets" / "net.py").write_text(text)
        (top / "nets" / "layers.py").write_text(f"beside {text}")
        git(top, "add", ".")
        git(top, "commit", "-m", text)
    return top


def test_a_file_is_what_it_was_with_the_files_beside_it(repository: Path) -> None:
    net = repository / "nets" / "net.py"
    net.write_text("not committed")
    before, first = revisions.at(net, "HEAD~1")
    now, last = revisions.at(net, "main")
    assert (before.read_text(), now.read_text()) == ("one", "two")
    assert before.with_name("layers.py").read_text() == "beside one"
    assert first == git(repository, "rev-parse", "HEAD~1")
    assert last == git(repository, "rev-parse", "HEAD")
    assert net.read_text() == "not committed"
    assert git(repository, "status", "--porcelain") == "M nets/net.py"


def test_a_path_may_be_relative_and_through_a_link(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path as AnyPath

    (repository.parent / "link").symlink_to(repository)
    monkeypatch.chdir(repository.parent / "link")
    assert revisions.at(AnyPath("nets/net.py"), "HEAD")[0].read_text() == "two"


def test_a_copy_is_made_once(repository: Path) -> None:
    net = repository / "nets" / "net.py"
    found, _ = revisions.at(net, "HEAD")
    found.write_text("marked")
    again, _ = revisions.at(net, "HEAD")
    assert (again, again.read_text()) == (found, "marked")


def test_a_file_that_is_gone_from_the_working_tree_is_found(repository: Path) -> None:
    net = repository / "nets" / "net.py"
    net.unlink()
    net.with_name("layers.py").unlink()
    net.parent.rmdir()
    assert revisions.at(net, "HEAD")[0].read_text() == "two"


@pytest.mark.parametrize("revision", ["nosuch", "HEAD~99", "", "--all", "-h", "HEAD:nets/net.py"])
def test_an_unknown_revision_is_told_in_one_line(repository: Path, revision: str) -> None:
    with pytest.raises(UsageError) as told:
        revisions.at(repository / "nets" / "net.py", revision)
    assert f"there is no revision {revision} for" in str(told.value)
    assert "\n" not in str(told.value)


def test_a_file_that_a_revision_lacks_is_told(repository: Path) -> None:
    (repository / "new.py").write_text("new")
    with pytest.raises(UsageError, match=r"new\.py does not exist at revision HEAD"):
        revisions.at(repository / "new.py", "HEAD")


def test_a_file_outside_any_repository_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "net.py").write_text("")
    with pytest.raises(UsageError, match="there is no git repository for"):
        revisions.at(tmp_path / "net.py", "HEAD")


def test_without_git_that_is_told(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="revisions need git, which does not start"):
        revisions.at(repository / "nets" / "net.py", "HEAD")


def test_two_at_once_make_one_copy(repository: Path) -> None:
    net = repository / "nets" / "net.py"
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: revisions.at(net, "HEAD"), range(8)))
    assert len(set(found)) == 1
    assert found[0][0].read_text() == "two"
