"""Puts launches into the store the moment that anything is known of them, under one campaign."""

from __future__ import annotations

import random
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cnnbench import events
from cnnbench.launch import live
from cnnbench.link import bundle
from cnnbench.record import Launch
from cnnbench.redact import redact
from cnnbench.store.database import new_id, now

if TYPE_CHECKING:
    from collections.abc import Generator

    from cnnbench.case import Budget, Case
    from cnnbench.executor import Happening, Place
    from cnnbench.prepare import NotReady, Ready
    from cnnbench.record import Facts
    from cnnbench.store.database import Store

SEED_LIMIT = 2**31


class Ledger:
    """Launches, written down.

    Args:
        store: Where they go.
        campaign: Whose they are.
        machine: Facts of this host.
    """

    def __init__(self, store: Store, campaign: str, machine: Facts) -> None:
        self._store = store
        self._campaign = campaign
        self._machine = machine

    def head(
        self,
        case: Case,
        fingerprint: str,
        number: int,
        *,
        arm: str = "",
        block: int | None = None,
    ) -> Launch:
        """What is known of a launch before it begins."""
        return Launch(
            id=new_id(),
            campaign=self._campaign,
            case=case,
            number=number,
            seed=random.randrange(SEED_LIMIT),  # noqa: S311
            stack_fingerprint=fingerprint,
            probe_digest=bundle.digest(),
            started_at=now(),
            machine=self._machine,
            arm=arm,
            block=block,
        )

    def launch(
        self,
        ready: Ready,
        head: Launch,
        budget: Budget,
        place: Place,
        *,
        windows: int | None = None,
        facts: Facts | None = None,
    ) -> Generator[Happening, None, Launch]:
        """Launch a case: its events, each window stored before it is told.

        Args:
            ready: The case with all that it needs.
            head: What is known before it begins.
            budget: How long to measure.
            place: Where it lives.
            windows: That may count; without, the fewest of the budget.
            facts: More of the launch, that its caller knows.
        """
        self._store.begin_launch(head)
        yield events.LaunchStarted(head.case, head.id, head.number)
        # What lives there ends with us, also when something keeps this frame: an error, for one.
        with closing(place.run(live, ready, head, budget, windows)) as happening:
            while True:
                try:
                    event = next(happening)
                except StopIteration as end:
                    launch: Launch = end.value
                    break
                if isinstance(event, events.WindowTimed):
                    self._store.add_window(event.launch, event.window)
                yield event
        launch = replace(launch, facts={**launch.facts, **place.facts, **(facts or {})})
        self._store.end_launch(launch.id, launch.stages, launch.facts, launch.failure)
        yield events.LaunchEnded(head.case, launch)
        return launch

    def refuse(
        self, case: NotReady, number: int, known: Facts | None = None, **place: Any
    ) -> Launch:
        """Record a case that cannot be launched, as a result like any other."""
        launch = self.head(case.case, case.stack.fingerprint if case.stack else "", number, **place)
        facts: dict[str, Any] = dict(known or {})
        if case.stack:
            facts |= {"package": case.stack.package, "backend": case.stack.backend}
        failure = replace(case.failure, message=redact(case.failure.message))
        self._store.begin_launch(launch)
        self._store.end_launch(launch.id, {}, facts, failure)
        return replace(launch, facts=facts, failure=failure)
