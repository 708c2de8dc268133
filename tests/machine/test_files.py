"""Reading small files of the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench.machine import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tree = Callable[[dict[str, str]], Path]


def test_what_is_absent_empty_or_a_folder_is_none(tree: Tree) -> None:
    root = tree({"empty": "", "folder/file": "x"})
    assert [files.text(root, name) for name in ("absent", "empty", "folder")] == [None] * 3
    assert files.number(root, "absent") is None


def test_a_number_is_one_integer_and_nothing_else(tree: Tree) -> None:
    root = tree({"seven": "7", "word": "max", "two": "7 8"})
    assert [files.number(root, name) for name in ("seven", "word", "two")] == [7, None, None]


def test_a_field_is_found_by_its_whole_name(tree: Tree) -> None:
    root = tree({"proc/vmstat": "oom_kill_x 5\noom_kill 3\npgfault"})
    assert files.field(root, "proc/vmstat", "oom_kill") == 3
    assert files.field(root, "proc/vmstat", "pgfault") is None
    assert files.field(root, "proc/absent", "oom_kill") is None
