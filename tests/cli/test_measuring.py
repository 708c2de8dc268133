"""Following events to the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench import events
from cnnbench.cli.console import Display
from cnnbench.cli.measuring import followed

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest


def test_ctrl_c_ends_what_is_followed_though_the_interrupt_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = False

    def endless() -> events.Events:
        nonlocal ended
        try:
            while True:
                yield events.CampaignEnded("c")
        finally:
            ended = True

    def interrupted(_: Display, happening: Iterable[events.Event]) -> None:
        for _event in happening:
            raise KeyboardInterrupt

    monkeypatch.setattr(Display, "follow", interrupted)
    kept = followed(endless())
    assert isinstance(kept, KeyboardInterrupt)
    assert ended
