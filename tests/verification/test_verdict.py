"""The fewest known differences with which everything agrees, or wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.verification.checks import Check
from cnnbench.verification.explanations import EXPLANATIONS, Explanation, applied, candidates
from cnnbench.verification.optimizers import Rule
from cnnbench.verification.traits import Traits
from cnnbench.verification.verdict import taught, told, verdict, worst

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN = Traits(rule=Rule(name="adam", rate=1e-3))
NAMES = ("a", "b", "c", "d")


def named(name: str) -> Explanation:
    return Explanation(
        name=name,
        about="",
        layer="",
        stacks="",
        holds=lambda *_: True,
        change=lambda traits: replace(traits, variants=traits.variants | {name}),
    )


def check(what: str = "loss", deviation: float = 0.0, step: int = 1) -> Check:
    return Check(what=what, where="", step=step, deviation=deviation, tolerance=1.0)


def stack(does: set[str]) -> Callable[[Traits], list[Check]]:
    """Deviates by 10 for each difference that it is not held to, and by 10 for each too many."""
    return lambda traits: [check(deviation=10.0 * len(traits.variants ^ does))]


@given(does=st.sets(st.sampled_from(NAMES)))
def test_exactly_the_differences_that_a_stack_has_are_found(does: set[str]) -> None:
    found = verdict(stack(does), PLAIN, [named(name) for name in NAMES])
    assert found.right
    assert {one.name for one in found.explanations} == does


def test_a_difference_that_nobody_knows_is_wrong_and_told_of_the_nearest() -> None:
    found = verdict(stack({"a", "unknown"}), PLAIN, [named("a"), named("b")])
    assert not found.right
    assert told(found.checks) == "loss in step 1 is off by 10, where rounding explains 1"


def learning(does: set[str]) -> tuple[list[set[str]], Callable[[Traits], Any]]:
    """What was asked for so far, and what learns with some differences; `late` shows in no step."""
    asked: list[set[str]] = []

    def learn(traits: Traits) -> tuple[Check, list[float]]:
        asked.append(set(traits.variants))
        off = 10.0 * len(traits.variants ^ does)
        return check("late loss", off, step=24), [float(len(asked))]

    return asked, learn


def steps(traits: Traits) -> list[Check]:
    """Steps with one difference, which do not show whether there is `late`, too."""
    return stack({"a"})(replace(traits, variants=traits.variants - {"late"}))


@pytest.mark.parametrize(
    ("does", "explained", "losses"),
    [({"a"}, ["a"], [1.0]), ({"a", "late"}, ["a", "late"], [2.0])],
)
def test_a_difference_that_shows_in_no_step_may_explain_learning(
    does: set[str], explained: list[str], losses: list[float]
) -> None:
    known = [named(name) for name in ("a", "b", "late")]
    found = verdict(steps, PLAIN, known)
    _, learn = learning(does)

    found, right = taught(steps, learn, applied(PLAIN, found.explanations), known, found)

    assert found.right
    assert [one.name for one in found.explanations] == explained
    assert right == losses


def test_learning_is_not_held_to_what_no_step_agrees_with() -> None:
    known = [named(name) for name in ("a", "b", "late")]
    found = verdict(steps, PLAIN, known)
    asked, learn = learning({"a", "b"})

    found, right = taught(steps, learn, applied(PLAIN, found.explanations), known, found)

    assert not found.right
    assert told(found.checks).startswith("late loss in step 24")
    assert asked == [{"a"}, {"a", "late"}]
    assert right == [1.0]


def test_what_is_infinite_everywhere_is_wrong_and_still_told() -> None:
    found = verdict(lambda _: [check(deviation=float("nan"))], PLAIN, [named("a")])
    assert not found.right
    assert "off by nan" in told(found.checks)


def test_the_worst_of_each_kind_is_kept() -> None:
    found = worst([check(deviation=0.5), check(deviation=0.9, step=2), check("gradient")])
    assert [(one.what, one.step) for one in found] == [("loss", 2), ("gradient", 1)]


def test_nothing_deviates_from_what_needs_no_tolerance() -> None:
    assert replace(check(), tolerance=0.0).excess == 0
    assert replace(check(deviation=1e-30), tolerance=0.0).excess == float("inf")


def test_explanations_have_names_of_their_own_and_say_what_they_are() -> None:
    assert len({one.name for one in EXPLANATIONS}) == len(EXPLANATIONS)
    assert all(one.about and one.layer for one in EXPLANATIONS)


def test_explanations_of_one_stack_are_not_for_another() -> None:
    from cnnbench.case import Case

    case = Case(
        stack="s",
        model="simple_cnn",
        dataset="synthetic-32",
        method="fit",
        data_format="channels_first",
    )

    def of(backend: str, version: str, jit: str = "none") -> set[str]:
        facts = {"backend": backend, "keras_version": version, "jit": jit}
        return {one.name for one in candidates(case, facts)}

    assert of("jax", "3.15.1") == of("torch", "3.0.0") == {"epsilon inside the root"}
    assert of("tensorflow", "3.15.1") == {
        *("epsilon inside the root", "bias along the width", "loss of logits")
    }
    assert of("tensorflow", "3.15.1", "xla") == {
        *("epsilon inside the root", "bias added along the width", "loss of logits")
    }
    assert "channels first in flat images" in of("mxnet", "2.1.6")
    assert "channels first in flat images" not in of("mxnet", "2.2.4.3")
    assert of("mxnet", "2.2.4.3").isdisjoint(of("tensorflow", "2.1.5"))
    plain = {one.name for one in candidates(case, {"backend": "native"})}
    assert plain == {"loss of logits", "unbiased variance of PyTorch"}
