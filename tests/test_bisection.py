"""Where along a row of candidates the speed changed, asked of candidates whose speeds are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from cnnbench.bisection import (
    CANNOT_RUN,
    FOUND,
    GRADUAL,
    NO_CHANGE,
    UNDECIDED,
    Answer,
    search,
)
from cnnbench.comparison import EQUIVALENT, FASTER, INCONCLUSIVE, SLOWER, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MARGIN = 0.02
COUNTS = st.integers(2, 40)


def asked(count: int, answer: Callable[[int, int], str]) -> tuple[Answer, list[tuple[int, int]]]:
    """What a search finds, and what it asked for."""
    searching, questions = search(count), []
    question = next(searching)
    while True:
        questions.append(question)
        try:
            question = searching.send(answer(*question))
        except StopIteration as end:
            return end.value, questions


def of(speeds: Sequence[float], broken: frozenset[int] = frozenset()) -> Callable[[int, int], str]:
    """Verdicts without error."""

    def answer(one: int, other: int) -> str:
        if other in broken:
            return CANNOT_RUN
        ratio = speeds[other] / speeds[one]
        return verdict(ratio * 0.999, ratio * 1.001, MARGIN)

    return answer


@given(count=COUNTS, data=st.data(), ratio=st.sampled_from([0.5, 0.9, 1.1, 2.0]))
def test_the_step_is_found_wherever_it_is(count: int, data: st.DataObject, ratio: float) -> None:
    step = data.draw(st.integers(1, count - 1))
    found, questions = asked(count, of([1.0] * step + [ratio] * (count - step)))
    assert found == Answer(FOUND, step - 1, step, SLOWER if ratio < 1 else FASTER)
    assert len(questions) <= count.bit_length() + 2


@given(count=COUNTS, data=st.data())
def test_candidates_that_cannot_run_are_passed_over(count: int, data: st.DataObject) -> None:
    step = data.draw(st.integers(1, count - 1))
    others = sorted(set(range(1, count - 1)) - {step - 1, step})
    broken = data.draw(st.sets(st.sampled_from(others))) if others else set()
    speeds = [1.0] * step + [0.5] * (count - step)
    found, _ = asked(count, of(speeds, frozenset(broken)))
    assert found == Answer(FOUND, step - 1, step, SLOWER)


def test_where_all_in_between_are_broken_it_says_between_which_it_must_be() -> None:
    found, _ = asked(6, of([1, 1, 0.5, 0.5, 0.5, 0.5], frozenset({1, 2, 3})))
    assert found == Answer(UNDECIDED, 0, 4, SLOWER)


@given(count=COUNTS)
def test_ends_that_are_alike_are_asked_once(count: int) -> None:
    found, questions = asked(count, of([1.0] * count))
    assert found == Answer(NO_CHANGE, 0, count - 1)
    assert questions == [(0, count - 1)]


def test_a_speed_that_falls_a_little_with_each_has_no_place_where_it_changed() -> None:
    found, _ = asked(9, of([0.985**number for number in range(9)]))
    assert found.word == GRADUAL
    assert found.after - found.before == 1


def test_what_a_comparison_leaves_open_is_not_guessed() -> None:
    assert asked(5, lambda _, __: INCONCLUSIVE)[0] == Answer(UNDECIDED, 0, 4)
    assert asked(5, lambda _, __: CANNOT_RUN)[0] == Answer(UNDECIDED, 0, 4)
    answers = iter([SLOWER, EQUIVALENT, INCONCLUSIVE])
    assert asked(5, lambda _, __: next(answers))[0] == Answer(UNDECIDED, 2, 4, SLOWER)
