"""The documentation: its links lead somewhere, and its commands are ones that cnnbench takes."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.main import get_command

from cnnbench.cli import _with_json_target, app
from tests.docs.documented import COMMANDS, PAGES, ROOT, block

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command, OwnFolders

READING = (
    *("cost", "data", "doctor", "export", "history", "import", "list", "reference", "report"),
    *("schema", "show", "stacks list"),
)


def parsed(line: str) -> Any:
    """The context of a command, which was not run."""
    arguments = _with_json_target(shlex.split(line)[1:])
    command: Any = get_command(app)
    while hasattr(command, "commands"):
        name = arguments.pop(0)
        assert name in command.commands, f"{line}: there is no command {name}"
        command = command.commands[name]
    return command.make_context(line, arguments)


def test_there_are_commands_in_the_documentation() -> None:
    assert len(COMMANDS) > 50
    assert {line.split()[1] for line in COMMANDS} >= {"run", "compare", "gate", "tune", "diagnose"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_block_of_code_is_indented_from_its_first_line(page: Path) -> None:
    text = page.read_text("utf-8")
    names = "|".join({line.split()[1] for line in COMMANDS})
    assert not re.findall(rf"^cnnbench (?:{names})\b.*\n\n", text, re.MULTILINE)
    assert not re.findall(r"\n\n(\w.*)\n {4}\S", text)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_documentation_is_one_that_cnnbench_takes(line: str) -> None:
    is_only_named = len(line.split()) <= 3  # and may lack what it needs
    with suppress(typer.TyperException) if is_only_named else nullcontext():
        parsed(line)


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory, own_folders: OwnFolders) -> Path:
    """A folder with a store of one launch, the same as a file, and the results of this project."""
    folder = tmp_path_factory.mktemp("measured")
    (folder / "results").symlink_to(ROOT / "results")
    (folder / "prices.toml").write_text(block("choosing.md", 'currency = "USD"'))
    with pytest.MonkeyPatch.context() as patch:
        own_folders(folder, patch)
        program = [sys.executable, "-m", "cnnbench"]
        run = ("run", "mine.toml", "--instance-type", "my.instance")
        subprocess.run([*program, *run], check=True, capture_output=True)
        words = ("export", "--format", "launches", "--output", "theirs.jsonl")
        subprocess.run([*program, *words], check=True)
    return folder


@pytest.mark.parametrize(
    "line", [c for c in COMMANDS if c.startswith(tuple(f"cnnbench {w}" for w in READING))]
)
def test_a_command_that_reads_does_as_the_documentation_says(
    line: str, measured: Path, folder: Path, cnnbench: Command
) -> None:
    shutil.copytree(measured, folder, symlinks=True, dirs_exist_ok=True)
    words = [word for word in shlex.split(line)[1:] if word != "--open"]
    if words == ["import"]:
        pytest.skip("only named")
    if "--canary" in words:
        pytest.skip("takes long; a shorter canary sings in other tests")
    if "postgresql:" in line:
        pytest.skip("needs a server, which other tests have")
    if words[:2] == ["data", "get"] or "--comparisons" in words:
        pytest.skip("needs a network" if words[0] == "data" else "nothing was compared here")
    done = cnnbench(*_with_json_target(words))
    wanted = 2 if "keras" in line or "resnet" in line else 0  # what was not measured here
    assert done.status in (0, wanted), done.err


def test_the_site_is_built_and_every_link_leads_somewhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = (tmp_path / "site" / "reference.html").read_text("utf-8")
    assert "cnnbench compare" in made
    assert "fused_batch_norm" in made
    assert "--data-format" in made
    assert "images_per_second" in made
