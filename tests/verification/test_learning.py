"""A loss that falls as it may is right; one that does not is not, and how far is told."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.probe.wire import Described
from cnnbench.verification import learning
from cnnbench.verification.checks import step_losses
from cnnbench.verification.traits import standard

EXACT = [2.3 * 0.9**step for step in range(24)]
ASTRAY = [[loss + off for loss in EXACT] for off in (-3e-4, -1e-4, 2e-4, 1e-4, -2e-4, 3e-4)]
DESCRIBED = Described([], [], 10, 4, 1, "adam", {"rate": 1e-3})


def test_the_exact_losses_are_right() -> None:
    check = learning.check(EXACT, [EXACT, *ASTRAY])
    assert check.deviation == 0
    assert check.excess == 0


@pytest.mark.parametrize(("off", "right"), [(3e-4, True), (1e-2, False), (-1e-2, False)])
def test_what_lies_among_those_led_astray_is_right_and_what_lies_far_off_is_not(
    off: float,
    right: bool,  # noqa: FBT001
) -> None:
    check = learning.check([loss + off for loss in EXACT], [EXACT, *ASTRAY])
    assert (check.excess <= 1) is right
    assert check.step == len(EXACT)


def test_a_loss_that_does_not_fall_is_wrong() -> None:
    assert learning.check([2.3] * 24, [EXACT, *ASTRAY]).excess > 1


def test_a_loss_that_is_no_number_is_wrong() -> None:
    assert learning.check([*EXACT[:-1], math.nan], [EXACT, *ASTRAY]).excess == math.inf


def test_only_late_losses_count() -> None:
    early = [9.0] * 8 + EXACT[8:]
    assert learning.check(early, [EXACT, *ASTRAY]).deviation == 0


@given(st.floats(0.01, 100.0), st.floats(-1.0, 1.0))
def test_the_verdict_does_not_depend_on_the_unit_of_the_loss(scale: float, off: float) -> None:
    found = [[scale * loss for loss in losses] for losses in (EXACT, *ASTRAY)]
    plain = learning.check([loss + off for loss in EXACT], [EXACT, *ASTRAY])
    scaled = learning.check([scale * (loss + off) for loss in EXACT], found)
    assert scaled.excess == pytest.approx(plain.excess, rel=1e-6)


@given(st.lists(st.floats(0.1, 10.0), min_size=1, max_size=20))
def test_losses_told_as_running_means_are_those_of_the_steps(losses: list[float]) -> None:
    means = [sum(losses[:n]) / n for n in range(1, len(losses) + 1)]
    told = replace(standard(DESCRIBED), running_mean=True)
    assert step_losses(means, told) == pytest.approx(losses, rel=1e-9, abs=1e-9)
    assert step_losses(losses, standard(DESCRIBED)) == losses
