"""A command that is wrong is told in one line that says what to do next; nothing is measured."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

import pytest

from cnnbench.cli import measuring
from cnnbench.store.schema import VERSION_TABLE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Command


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--stack", "nul"], "unknown stack 'nul'; did you mean null?"),
        (["--stack", "local"], "stack local needs --python PATH"),
        (["--model", "simple_cn"], "unknown model 'simple_cn'; did you mean simple_cnn?"),
        (["--model", "absent.py"], "there is no file absent.py"),
        (["--dataset", "synthetic-3"], "unknown data set 'synthetic-3'; did you mean synthetic-32"),
        (["--dataset", "absent.py"], "there is no file absent.py"),
        (["--dataset", "qqq"], "unknown data set 'qqq'; known: cifar10"),
        (["--method", "fits"], "unknown method 'fits'; did you mean fit?"),
        (["--budget", "quik"], "unknown budget 'quik'; did you mean quick?"),
        (["--data-format", "NHWC"], "data_format.0: input should be 'channels_last' or"),
        (["--precision", "int8"], "precision.0: input should be 'float32'"),
        (["--device", "tpu"], "device.0: input should be 'cpu' or 'gpu'"),
        (["--batch-size", "0"], "batch_size.0: input should be greater than 0 (found 0)"),
        (["--batch-size", "-1"], "batch_size.0: input should be greater than 0 (found -1)"),
        (["--batch-size", "x"], "Invalid value for '--batch-size'"),
        (["--threads", "-1"], "threads.0: input should be greater than or equal to 0"),
        (["--launches", "0"], "Invalid value for '--launches'"),
        (["--stak", "null"], "No such option: --stak"),
        (["--python", "/bin/ls"], "/bin/ls is not a Python that starts; give --python the path"),
        (["--python", "absent/python"], "absent/python is not a Python that starts"),
        (["--json", "absent/out.json"], "cannot write absent/out.json: give --json a file in a"),
        (["--json", "."], "cannot write .: give --json a file"),
        (["--store", "."], "unable to open database file; give --store URL"),
        (["--store", "/proc/runs.sqlite"], "cannot write to /proc/runs.sqlite"),
        (["--store", "absent/runs.sqlite"], "cannot write to absent/runs.sqlite"),
        (["--store", "mine.toml"], "mine.toml is not a cnnbench store; give another --store"),
        (["--store", "nosuch://host/name"], "nosuch://host/name"),
    ],
)
def test_a_wrong_flag_is_told_in_one_line(
    cnnbench: Command, folder: Path, flags: list[str], told: str
) -> None:
    done = cnnbench("run", "mine.toml", *flags)
    assert done.status == 2
    assert done.line.startswith("cnnbench: ")
    assert told in done.line
    assert not done.out
    assert not (folder / "runs.sqlite").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "quik"], "unknown suite 'quik'; did you mean quick?"),
        (["run", "absent.toml"], "cannot read suite absent.toml: No such file or directory"),
        (["run", "mine.toml", "another"], "unexpected extra argument"),
        (["list", "stack"], "unknown kind 'stack'; did you mean stacks?"),
        (["list"], "Missing argument 'KIND'; see: cnnbench list --help"),
        (["rum"], "No such command 'rum'"),
        (["show"], "there is no store at"),
        (["stacks", "build"], "name a stack, or say --all"),
        (["stacks", "build", "nul"], "unknown stack 'nul'; did you mean null?"),
        (["data", "get", "cifar"], "unknown data set 'cifar'; did you mean cifar10?"),
        (["data", "get", "synthetic-32"], "there is nothing to download"),
    ],
)
def test_a_wrong_command_is_told_in_one_line(
    cnnbench: Command, arguments: list[str], told: str
) -> None:
    done = cnnbench(*arguments)
    assert done.status == 2
    assert told in done.line
    assert not done.out


def test_a_json_file_that_may_not_be_written_is_told_before_measuring(
    cnnbench: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    (folder / "out.json").write_text("old")
    done = cnnbench("run", "mine.toml", "--json", "out.json")
    assert (done.status, "no permission" in done.line) == (2, True)


def test_a_store_of_a_newer_cnnbench_is_left_alone(cnnbench: Command, folder: Path) -> None:
    cnnbench("run", "mine.toml", "--stack", "null", "--device", "gpu")
    with sqlite3.connect(folder / "runs.sqlite") as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")  # noqa: S608
    connection.close()
    for command in (["run", "mine.toml"], ["show"]):
        done = cnnbench(*command)
        assert done.status == 2
        assert "newer" in done.line


def test_a_cache_that_cannot_be_written_is_told(
    cnnbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNBENCH_CACHE_DIR", "/proc/cnnbench")
    done = cnnbench("run", "mine.toml")
    assert done.status == 2
    assert "choose a cache folder that can be written" in done.err.splitlines()[-1]


def test_an_unexpected_error_is_not_hidden(
    cnnbench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "facts", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cnnbench("run", "mine.toml")
