"""What disturbed a launch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.disturbance import MIB, SWAPPED_IN, disturbances, foreign_share, steal_share
from cnnbench.plan import BUDGETS

if TYPE_CHECKING:
    from cnnbench.record import Facts

STANDARD = BUDGETS["standard"]
SECONDS = st.floats(0, 1e5)


def grown(**counters: float) -> dict[str, float]:
    """Facts of counters that stood at 7 before the launch and have grown by so much."""
    found: dict[str, float] = {}
    for name, by in counters.items():
        found |= {f"{name} before": 7.0, f"{name} after": 7.0 + by}
    return found


def causes(**counters: float) -> tuple[str, ...]:
    return disturbances(grown(**counters), STANDARD)


def test_a_launch_of_which_nothing_was_recorded_was_not_disturbed() -> None:
    assert disturbances({}, STANDARD) == ()
    assert disturbances({"backend": "jax", "gpu_throttle_reasons": None}, STANDARD) == ()


def test_other_programs_disturb_if_they_take_more_than_is_tolerated() -> None:
    assert causes(cpu_seconds=100, busy_seconds=90, own_seconds=85) == ()
    assert causes(cpu_seconds=100, busy_seconds=90, own_seconds=80) == (
        "other programs took 10% of the CPUs",
    )


def test_the_hypervisor_disturbs_if_it_takes_more_than_is_tolerated() -> None:
    assert causes(cpu_seconds=100, steal_seconds=5) == ()
    assert causes(cpu_seconds=100, steal_seconds=6) == ("the hypervisor took 6% of the CPUs",)


@given(total=st.floats(1, 1e5), busy=SECONDS, own=SECONDS)
def test_the_share_of_others_is_what_was_busy_without_us_and_never_below_0(
    total: float, busy: float, own: float
) -> None:
    share = foreign_share(grown(cpu_seconds=total, busy_seconds=busy, own_seconds=own))
    assert share == pytest.approx(max(0.0, (busy - own) / total), abs=1e-6)


@given(total=st.floats(1, 1e5), steal=SECONDS, tolerated=st.floats(0, 1))
def test_a_budget_that_tolerates_more_finds_no_more_causes(
    total: float, steal: float, tolerated: float
) -> None:
    facts = grown(cpu_seconds=total, busy_seconds=2 * steal, own_seconds=0, steal_seconds=steal)
    here = disturbances(facts, replace(STANDARD, disturbance=tolerated))
    loose = disturbances(facts, replace(STANDARD, disturbance=tolerated + 0.1))
    assert len(loose) <= len(here)


@given(total=st.floats(1, 1e4), share=st.floats(0, 1), factor=st.floats(0.1, 100))
def test_shares_do_not_depend_on_how_long_a_launch_took(
    total: float, share: float, factor: float
) -> None:
    short = steal_share(grown(cpu_seconds=total, steal_seconds=share * total))
    long = steal_share(grown(cpu_seconds=factor * total, steal_seconds=factor * share * total))
    assert long == pytest.approx(short, abs=1e-6)


@pytest.mark.parametrize(
    "facts",
    [
        {},
        grown(cpu_seconds=0.0, busy_seconds=1.0, own_seconds=0.0, steal_seconds=1.0),
        {"cpu_seconds before": 0.0, "steal_seconds before": 0.0},
        grown(cpu_seconds=5.0),
        {**grown(cpu_seconds=5.0), "steal_seconds before": 0.0, "steal_seconds after": "much"},
    ],
)
def test_what_was_not_counted_has_no_share(facts: Facts) -> None:
    assert foreign_share(facts) is None
    assert steal_share(facts) is None
    assert disturbances(facts, STANDARD) == ()


def test_much_that_comes_back_from_swap_disturbs_and_a_little_does_not() -> None:
    assert causes(swapped_in_bytes=SWAPPED_IN) == ()
    assert causes(swapped_in_bytes=100 * MIB) == ("100 MiB came back from swap",)


def test_a_cpu_that_slowed_itself_down_disturbs() -> None:
    assert causes(cpu_throttles=0) == ()
    assert causes(cpu_throttles=1) == ("the CPU was too hot and slowed itself down",)


@pytest.mark.parametrize(
    ("reasons", "found"),
    [
        ("", ()),
        ("power cap", ()),
        ("idle", ()),
        ("heat", ("a GPU was slowed down: heat",)),
        ("power cap, power brake", ("a GPU was slowed down: power cap, power brake",)),
        ("hardware slowdown", ("a GPU was slowed down: hardware slowdown",)),
    ],
)
def test_a_gpu_disturbs_by_a_fault_and_not_by_its_power_cap(
    reasons: str, found: tuple[str, ...]
) -> None:
    assert disturbances({"gpu_throttle_reasons": reasons}, STANDARD) == found


def test_every_cause_is_told() -> None:
    facts = grown(
        cpu_seconds=100,
        busy_seconds=50,
        own_seconds=10,
        steal_seconds=20,
        swapped_in_bytes=SWAPPED_IN + 1,
        cpu_throttles=2,
    )
    assert len(disturbances({**facts, "gpu_throttle_reasons": "heat"}, STANDARD)) == 5


def test_the_null_backend_whose_clock_is_virtual_is_never_disturbed() -> None:
    facts: Facts = {**grown(cpu_seconds=100, steal_seconds=90), "backend": "null"}
    assert disturbances(facts, STANDARD) == ()


@given(speed=st.floats(1e-3, 1e6))
def test_how_fast_a_launch_was_is_no_cause(speed: float) -> None:
    facts = {**grown(cpu_seconds=100, steal_seconds=1), "images_per_second": speed}
    assert disturbances(facts, STANDARD) == ()
