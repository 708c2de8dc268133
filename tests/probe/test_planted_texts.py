"""Bugs are planted where they are said to be, which is known without running a stack."""

from __future__ import annotations

import pytest

from cnnbench.link import bundle
from tests.stacks.test_planted_bugs import BUGS, Bug


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_the_text_that_a_bug_changes_stands_in_the_guest(bug: Bug) -> None:
    for file, old, _ in bug.changes:
        assert old in (bundle.SOURCES / file).read_text()
