"""What a proof decides: what is wrong is refused, before it is launched or once it is ahead."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from cnnbench import events, prover
from cnnbench.campaign import Campaign
from cnnbench.case import Arm, Case, Suite
from cnnbench.contest import Contest
from cnnbench.envs import stack
from cnnbench.errors import ProbeError
from cnnbench.plan import BUDGETS
from cnnbench.prepare import Own
from cnnbench.proof import Proof, subject
from cnnbench.race import Race
from cnnbench.racing import Rules
from cnnbench.store.database import Store, new_id
from cnnbench.verification.checks import Check
from cnnbench.verification.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cnnbench.proof import Subject
    from cnnbench.record import Facts

CASE = Case(stack="null", model="simple_cnn", dataset="synthetic-32", method="train_on_batch")
BUDGET = replace(BUDGETS["quick"], launches=(1, 1), blocks=(2, 2), margin=0.9)
MACHINE: Facts = {"machine_id": "m1"}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CNNBENCH_CACHE_DIR", str(tmp_path / "cache"))
    with Store.open(tmp_path / "runs.sqlite") as opened:
        yield opened


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What proofs come to, by turns; the last for ever."""
    found = ["same"]

    def prove(ready: Any, _own: Own, of: Subject) -> Any:
        outcome = found.pop(0) if len(found) > 1 else found[0]
        yield events.ProofStarted(ready.case)
        proof = Proof(
            id=new_id(),
            subject=of,
            made_at="now",
            seed=1,
            outcome=outcome,
            reason="" if outcome == "same" else "because",
        )
        return [proof]

    monkeypatch.setattr(prover, "prove", prove)
    return found


def test_what_is_wrong_names_the_recipes_that_may_mend_it() -> None:
    blank = prover.unproven(subject(CASE, "f", "p", MACHINE), 1, "")
    off = Check(what="loss", where="", step=2, deviation=1.6, tolerance=0.0011)
    found = Verdict(right=False, explanations=(), checks=(off,))
    proof = prover._concluded(blank, found, {}, ["own_buffers"])
    assert proof.outcome == "wrong"
    assert proof.reason == (
        "loss in step 2 is off by 1.6, where rounding explains 0.0011;"
        " it may be right with --recipe own_buffers"
    )


def campaign(store: Store, machine: Facts = MACHINE, **options: Any) -> Campaign:
    suite = Suite(name="s", about="", cases=(CASE,), budget=BUDGET)
    return Campaign(suite, Own(), machine, store, **options)


def test_wrong_training_is_refused_and_never_launched(store: Store, outcomes: list[str]) -> None:
    outcomes[:] = ["wrong"]
    measuring = campaign(store)
    seen = list(measuring.run())
    (result,) = measuring.results()
    assert (result.verdict, result.reason) == ("refused", "because")
    assert result.images_per_second is None
    assert result.proof is not None
    assert not any(isinstance(event, events.LaunchStarted) for event in seen)


def test_a_subject_is_proven_once_whatever_its_batch_size(
    store: Store, outcomes: list[str]
) -> None:
    outcomes[:] = ["same", "wrong"]
    first, second = campaign(store), campaign(store, resume=False)
    second._suite = replace(second._suite, cases=(replace(CASE, batch_size=8),))
    for measuring in (first, second):
        list(measuring.run())
        (result,) = measuring.results()
        assert result.images_per_second is not None
        assert "unverified" not in result.labels


def test_a_proof_holds_for_one_kind_of_processor(store: Store, outcomes: list[str]) -> None:
    outcomes[:] = ["same", "wrong"]
    verdicts = []
    for flags in ("avx2 avx512f", "avx2", "avx2 avx512f"):
        measuring = campaign(store, {**MACHINE, "cpu_flags": flags}, resume=False)
        list(measuring.run())
        verdicts += [result.verdict == "refused" for result in measuring.results()]
    assert verdicts == [False, True, False]


@pytest.mark.parametrize(
    ("device", "processor"), [("cpu", "x86_64 avx2 avx512f"), ("gpu", "NVIDIA H200")]
)
def test_what_computes_is_part_of_a_subject(device: str, processor: str) -> None:
    machine = {"architecture": "x86_64", "cpu_flags": "avx2 avx512f", "gpu": "NVIDIA H200"}
    assert subject(replace(CASE, device=device), "f", "p", machine).processor == processor


def test_what_was_not_compared_is_tried_again_and_says_so(
    store: Store, outcomes: list[str]
) -> None:
    outcomes[:] = ["unverified", "same"]
    first, second = campaign(store), campaign(store, resume=False)
    for measuring, proven in ((first, False), (second, True)):
        list(measuring.run())
        (result,) = measuring.results()
        assert ("unverified" in result.labels) is not proven
        assert (result.proof is not None) is proven


def test_nothing_is_proven_where_that_was_not_asked_for(store: Store, outcomes: list[str]) -> None:
    outcomes[:] = ["wrong"]
    measuring = campaign(store, verify=False)
    list(measuring.run())
    (result,) = measuring.results()
    assert result.images_per_second is not None
    assert "unverified" in result.labels


def test_a_comparison_refuses_an_arm_that_is_wrong(store: Store, outcomes: list[str]) -> None:
    outcomes[:] = ["same", "wrong"]
    arms = (Arm(name="a", case=CASE), Arm(name="b", case=replace(CASE, method="fit_generator")))
    contest = Contest(arms, BUDGET, Own(), MACHINE, store)
    list(contest.run())
    found = contest.outcome()
    assert list(found.failures) == ["b"]
    assert found.failures["b"].kind == "refused"
    assert found.blocks == 0


SPEEDS = {"slow": 1.0, "fast": 10.0, "also slow": 1.01}


def race(store: Store, part_of: str = "", **options: Any) -> Race:
    """Of three arms, one of which is far ahead."""
    cases = {
        "slow": CASE,
        "fast": replace(CASE, data_format="channels_first"),
        "also slow": replace(CASE, method="fit"),
    }
    return Race(
        [Arm(name=name, case=case) for name, case in cases.items()],
        Rules(confidence=0.95, margin=0.02, blocks=(2, 3)),
        lambda launch: SPEEDS[launch.arm],
        name="bases",
        part_of=part_of,
        budget=replace(BUDGET, windows=(2, 2)),
        own=Own(),
        machine=MACHINE,
        store=store,
        **options,
    )


def proven(happened: Iterable[events.Event]) -> list[Case]:
    return [event.case for event in happened if isinstance(event, events.ProofStarted)]


def test_a_race_proves_what_is_ahead_and_not_what_lost(store: Store, outcomes: list[str]) -> None:
    outcomes[:] = ["same", "wrong"]
    running = race(store, ahead=1)
    assert [case.data_format for case in proven(running.run())] == ["channels_first"]
    assert list(running.proofs()) == ["fast"]
    found = running.standing()
    assert found is not None
    assert found.inside == ("fast",)


def test_a_race_whose_time_is_up_has_one_block_if_that_is_over_early_enough(store: Store) -> None:
    now = time.monotonic()
    late = race(store, "late", deadline=now)
    list(late.run())
    assert late.blocks() == []
    graced = race(store, "graced", deadline=now, first_end=now + 600)
    list(graced.run())
    assert len(graced.blocks()) == 1


def test_what_is_ahead_and_wrong_leaves_and_those_that_it_beat_are_back(
    store: Store, outcomes: list[str]
) -> None:
    outcomes[:] = ["wrong", "same"]
    running = race(store, ahead=1)
    happened = list(running.run())
    found = running.standing()
    assert found is not None
    assert len(proven(happened)) == 2
    assert (found.leader, set(found.behind)) == ("also slow", {"slow", "also slow"})
    assert len(running.blocks()) > 1
    assert not any("fast" in block for block in running.blocks())
    assert all(set(block) == {"slow", "also slow"} for block in running.blocks())
    refused = [one for one in running.launches() if one.failure]
    assert [(one.arm, one.failure and one.failure.kind) for one in refused] == [("fast", "refused")]


def test_all_are_proven_before_a_race_that_is_not_told_otherwise(
    store: Store, outcomes: list[str]
) -> None:
    outcomes[:] = ["same"]
    happened = list(race(store).run())
    before = [e for e in happened if isinstance(e, events.ProofStarted | events.LaunchStarted)]
    assert len(proven(before[:3])) == 3


def test_nothing_is_proven_for_a_race_that_is_too_late(store: Store, outcomes: list[str]) -> None:
    assert outcomes == ["same"]
    assert list(race(store, deadline=0.0).run()) == []
    assert any(isinstance(e, events.LaunchEnded) for e in race(store, deadline=0.0, must=1).run())


@pytest.mark.parametrize(("each", "blocks"), [(1.0, 2), (1000.0, 1)])
def test_no_block_begins_that_would_end_too_late(
    store: Store,
    outcomes: list[str],
    monkeypatch: pytest.MonkeyPatch,
    each: float,
    blocks: int,
) -> None:
    assert outcomes == ["same"]
    monkeypatch.setattr("cnnbench.race.seconds", lambda _: each)
    running = race(store, end=time.monotonic() + 600)
    list(running.run())
    assert len(running.blocks()) == blocks
    known = race(store, end=time.monotonic() + 600, part_of="another", earlier=running.launches())
    assert bool(list(known.run())) is (blocks > 1)


@pytest.mark.parametrize(
    ("seeds", "outcomes"), [((1,), ["same"]), ((1, 2), ["same", "unverified"])]
)
def test_a_process_that_dies_takes_no_proof_that_is_known(
    monkeypatch: pytest.MonkeyPatch, seeds: tuple[int, ...], outcomes: list[str]
) -> None:
    class Dying:
        def __init__(self, *parts: Any) -> None:
            parts[-1].push(lambda kind, *_: _died() if kind is None else None)

        def proof(self, seed: int) -> Any:
            yield events.StageEntered(CASE, "steps")
            if seed == 2:
                _died()
            return replace(prover.unproven(of, seed, ""), outcome="same")

    def _died() -> None:
        raise ProbeError("died", "the guest is gone")

    def reference(*_: Any) -> Any:
        yield from ()

    ready: Any = SimpleNamespace(case=CASE, stack=stack.load("null"))
    of = subject(CASE, "f", "p", MACHINE)
    monkeypatch.setattr(prover, "_check", lambda _: None)
    monkeypatch.setattr(prover, "_reference", reference)
    monkeypatch.setattr(prover, "_Bench", Dying)
    ended = [
        e.proof for e in prover.prove(ready, Own(), of, seeds) if isinstance(e, events.ProofEnded)
    ]
    assert [proof.outcome for proof in ended] == outcomes
