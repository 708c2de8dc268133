"""What a gate decides, and how programs and people read it."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench import gate
from cnnbench.case import Arm, Case
from cnnbench.comparison import (
    DIFFERENT,
    EQUIVALENT,
    FASTER,
    INCONCLUSIVE,
    SLOWER,
    Comparison,
    Outcome,
)
from cnnbench.plan import BUDGETS
from cnnbench.record import Failure
from cnnbench.report import gating
from cnnbench.report.junit import junit, sayable
from cnnbench.result import Estimate
from cnnbench.store.reading import Campaign

CASE = Case(stack="null", model="net.py@0123abcd", dataset="synthetic-32", method="fit")
BASE, HEAD = Arm(name="main", case=CASE), Arm(name="HEAD", case=CASE)
VERDICTS = (FASTER, SLOWER, EQUIVALENT, DIFFERENT, INCONCLUSIVE)
QUIET = (FASTER, EQUIVALENT, DIFFERENT)
LIKE = BUDGETS["quick"], "guest", "machine"


def outcome(verdict: str, failure: str = "", number: int = 1) -> Outcome:
    arms = gate.arms_of(number, BASE, HEAD)
    failures = {arms[1].name: Failure(stage="build", kind="error", message=failure)}
    return Outcome(
        arms=arms,
        blocks=5,
        margin=0.02,
        comparisons=(
            Comparison(
                baseline=arms[0].name,
                candidate=arms[1].name,
                ratio=Estimate(point=0.9, low=0.89, high=0.91, confidence=0.95, n=5),
                verdict=verdict,
                reason="about 3 more blocks would decide" if verdict == INCONCLUSIVE else "",
            ),
        ),
        failures=failures if failure else {},
    )


def decided(*verdicts: str) -> gate.Decision:
    return gate.decide([outcome(v, number=i) for i, v in enumerate(verdicts, 1)])


@pytest.mark.parametrize("verdict", QUIET)
def test_a_head_that_is_not_slower_passes_after_one_pass(verdict: str) -> None:
    assert not gate.is_slower(outcome(verdict))
    found = decided(verdict)
    assert (found.word, found.status) == ("passed", 0)
    assert found.reason.startswith(f"{verdict}: 0.900 of the base (0.890 - 0.910)")


def test_an_undecided_first_pass_is_undecided_and_says_what_it_would_take() -> None:
    found = decided(INCONCLUSIVE)
    assert (found.word, found.status) == ("undecided", 3)
    assert found.reason == "about 3 more blocks would decide"


def test_only_slower_is_asked_again_and_fails_only_if_it_is_confirmed() -> None:
    assert [v for v in VERDICTS if gate.is_slower(outcome(v))] == [SLOWER]
    found = decided(SLOWER, SLOWER)
    assert (found.word, found.status) == ("regression", 1)
    assert found.reason.startswith("slower in two passes: 0.900 of the base")


@pytest.mark.parametrize("verdict", QUIET)
def test_what_a_second_pass_does_not_confirm_went_away(verdict: str) -> None:
    found = decided(SLOWER, verdict)
    assert found.status == 0
    assert found.reason.startswith("went away: slower in the first pass")
    assert f"then {verdict}" in found.reason


def test_a_second_pass_that_does_not_tell_leaves_the_gate_undecided() -> None:
    found = decided(SLOWER, INCONCLUSIVE)
    assert found.status == 3
    assert found.reason.startswith("slower in the first pass, and the second does not tell: about")


def test_one_slow_pass_alone_decides_nothing() -> None:
    assert decided(SLOWER).status == 3


@given(st.sampled_from(VERDICTS), st.booleans())
def test_an_arm_that_cannot_run_fails_in_either_pass(verdict: str, second: bool) -> None:  # noqa: FBT001
    broken = outcome(verdict, "ValueError:\nno", number=1 + second)
    assert not gate.is_slower(broken)
    found = gate.decide([outcome(SLOWER), broken] if second else [broken])
    assert (found.word, found.status) == ("cannot run", 1)
    assert found.reason == f"{broken.arms[1].name}: build: ValueError: no"


@given(st.sampled_from(VERDICTS))
def test_no_gate_fails_by_one_pass_and_by_two_only_if_both_are_slower(verdict: str) -> None:
    assert decided(verdict).status != 1
    assert (decided(SLOWER, verdict).status == 1) == (verdict == SLOWER)


def campaign(name: str, number: int, *, ended: bool = True) -> Campaign:
    return Campaign(
        id=name,
        digest="d",
        suite="compare",
        budget=LIKE[0],
        probe_digest=LIKE[1],
        machine={"machine_id": LIKE[2]},
        plan=(CASE, CASE),
        started_at="2026-01-01",
        ended_at="2026-01-02" if ended else None,
        arms=gate.arms_of(number, BASE, HEAD),
    )


@pytest.mark.parametrize(
    ("campaigns", "kept"),
    [
        ([], None),
        ([campaign("a", 1, ended=False)], None),  # the first pass itself is gone on with
        ([campaign("a", 1)], "a"),
        ([campaign("a", 1), campaign("b", 2, ended=False)], "a"),
        ([campaign("a", 1), campaign("b", 2)], None),  # a gate that was decided
        ([campaign("a", 1), campaign("b", 2, ended=False), campaign("c", 2)], None),
        ([campaign("a", 1), campaign("b", 1, ended=False)], None),
        ([campaign("a", 1), campaign("b", 2), campaign("c", 1)], "c"),
        ([replace(campaign("a", 1), probe_digest="another")], None),
        ([replace(campaign("a", 1), machine={})], None),
        ([replace(campaign("a", 1), budget=BUDGETS["strict"])], None),
        ([replace(campaign("a", 1), arms=(BASE, HEAD))], None),  # `compare`, not a gate
    ],
)
def test_a_first_pass_is_kept_until_a_second_one_has_ended(
    campaigns: list[Campaign], kept: str | None
) -> None:
    assert gate.first_pass(campaigns, BASE, HEAD, LIKE) == kept


def test_the_arms_of_passes_have_names_of_their_own() -> None:
    names = {arm.name for number in (1, 2) for arm in gate.arms_of(number, BASE, BASE)}
    assert names == {"base main", "head main", "base main, pass 2", "head main, pass 2"}


@given(st.text(), st.sampled_from(VERDICTS))
def test_junit_is_well_formed_whatever_a_framework_says(message: str, verdict: str) -> None:
    found = gate.decide([outcome(verdict, message)])
    root = ET.fromstring(junit(found, 1.5).encode())  # noqa: S314  our own text
    (case,) = root.iter("testcase")
    assert case.get("time") == "1.500"
    assert [one.tag for one in case][-1] == "system-out"


@pytest.mark.parametrize(
    ("verdicts", "element", "counts"),
    [
        ([EQUIVALENT], None, ("0", "0")),
        ([SLOWER, EQUIVALENT], None, ("0", "0")),
        ([SLOWER, SLOWER], "failure", ("1", "0")),
        ([INCONCLUSIVE], "skipped", ("0", "1")),
    ],
)
def test_junit_has_one_case_that_failed_was_skipped_or_neither(
    verdicts: list[str], element: str | None, counts: tuple[str, str]
) -> None:
    root = ET.fromstring(junit(decided(*verdicts), 0.0).encode())  # noqa: S314
    (suite,) = root
    (case,) = suite
    assert (suite.get("failures"), suite.get("skipped")) == counts
    assert [one.tag for one in case if one.tag != "system-out"] == ([element] if element else [])


def test_what_xml_cannot_hold_is_written_as_python_writes_it() -> None:
    assert sayable("a\x1b[31m\x00\ud800é\n") == "a\\x1b[31m\\x00\\ud800é\n"


def test_the_summary_has_verdict_table_of_all_passes_and_command() -> None:
    text = gating.summary(decided(SLOWER, SLOWER), "cnnbench gate --base 'a b'")
    assert text.startswith("### ❌ cnnbench gate: regression\n\nslower in two passes")
    rows = [line for line in text.splitlines() if line.startswith(("| 1 ", "| 2 "))]
    assert [line.split()[1] for line in rows] == ["1", "2"]
    assert "\n```sh\ncnnbench gate --base 'a b'\n```\n" in text
    assert text.endswith("\n\n")


def test_a_command_that_holds_backticks_stays_in_its_fence() -> None:
    assert "\n````sh\nx '```'\n````\n" in gating.summary(decided(EQUIVALENT), "x '```'")


def test_the_document_is_json_with_both_passes() -> None:
    told = json.loads(json.dumps(gating.document(decided(SLOWER, FASTER), {}, "c")))
    assert (told["verdict"], told["exit_status"], told["command"]) == ("passed", 0, "c")
    assert [one["comparisons"][0]["verdict"] for one in told["passes"]] == [SLOWER, FASTER]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--base", "rev=main,threads=1"], ["--base", "rev=0123abcd,threads=1"]),
        (["--base=rev=main", "--json"], ["--base", "rev=0123abcd"]),
        (["--json", "--base", "rev=v1"], ["--base", "rev=0123abcd"]),
        (["--json", "-", "--budget", "quick"], ["--budget", "quick"]),
        (["--store", "mysql://a:pw@db/x", "--fresh"], ["--fresh"]),
        (["--store=mysql://a:pw@db/x", "--junit=a", "--summary", "b"], []),
        (["--model", "my net.py"], ["--model", "my net.py"]),
    ],
)
def test_what_reproduces_a_gate_names_commits_and_no_place_or_password(
    arguments: list[str], told: list[str]
) -> None:
    text = gating.reproducing(["gate", *arguments], {"--base": CASE, "--head": CASE})
    assert shlex.split(text) == ["cnnbench", "gate", *told]


def test_an_arm_without_a_file_of_its_own_is_pinned_as_it_is() -> None:
    case = replace(CASE, model="simple_cnn")
    assert gating.pinned("rev=main,stack=null", case) == "rev=main,stack=null"
