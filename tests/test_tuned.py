"""What races say of configurations."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cnnbench.case import Arm, Case
from cnnbench.racing import Rules, Standing, replayed
from cnnbench.record import Failure
from cnnbench.report.tuned import remarks
from cnnbench.tuned import (
    Answer,
    Lap,
    chooser,
    contributions,
    expected,
    gain,
    helping,
    label,
    neighbours,
    promising,
    proof,
    unfailed,
    unhurt,
    unrivalled,
    winner,
)
from tests.blank import LAUNCH

if TYPE_CHECKING:
    from cnnbench.record import Facts

BASE = Case(
    stack="keras3-torch", model="simple_cnn", dataset="synthetic-32", method="train_on_batch"
)
RULES = Rules(confidence=0.95, margin=0.02, blocks=(2, 5))


def mixed(*names: str) -> Case:
    return replace(BASE, recipes=names)


def lap(speeds: dict[Case, float], blocks: int = 3) -> Lap:
    """A race of machines that are slower in each block, without any other noise."""
    names = {label(case): speed for case, speed in speeds.items()}
    run = [{n: math.log(s) - 0.1 * at for n, s in names.items()} for at in range(blocks)]
    return Lap(
        name="together",
        arms=[Arm(name=label(case), case=case) for case in speeds],
        blocks=run,
        standing=replayed(run, list(names), RULES),
        failures={},
        launches=[],
    )


def test_a_label_says_all_in_which_configurations_differ() -> None:
    cases = [BASE, mixed("jit"), mixed("jit", "spin"), replace(BASE, precision="bfloat16")]
    cases += [replace(BASE, batch_size=64), replace(BASE, threads=1)]
    assert len({label(case) for case in cases}) == 6
    assert label(mixed("jit", "spin")) == "keras3-torch channels_last float32 batch 32 jit+spin"


def test_what_helped_is_put_together_the_better_one_of_rivals() -> None:
    found = lap(
        {
            BASE: 100,
            mixed("fused_batch_norm"): 150,
            mixed("keep_memory"): 120,
            mixed("jemalloc"): 130,
            mixed("spin"): 95,
        }
    )
    assert helping(BASE, found) == ("fused_batch_norm", "jemalloc")
    assert math.exp(expected(BASE, found)) == pytest.approx(100 * 1.5 * 1.3 * math.exp(0), rel=1e-6)


def test_around_a_mixture_are_those_of_one_recipe_less_or_more_that_goes_with_the_others() -> None:
    found = neighbours(mixed("jit", "keep_memory"), ["jemalloc", "jit", "no_jit", "spin"])
    assert found == [mixed("keep_memory"), mixed("jit"), mixed("jit", "keep_memory", "spin")]


def test_what_did_not_help_may_be_unhurt() -> None:
    speeds: dict[Case, float] = {
        BASE: 100,
        mixed("spin"): 99,
        mixed("jit"): 60,
        mixed("no_jit"): 50,
    }
    assert helping(BASE, lap(speeds, blocks=1)) == ()
    assert unhurt(BASE, lap(speeds, blocks=1)) == ("spin",)
    assert unhurt(BASE, lap(speeds, blocks=3)) == ()
    assert unhurt(replace(BASE, batch_size=64), lap(speeds)) == ()
    rivals: dict[Case, float] = {BASE: 100, mixed("jit"): 95, mixed("no_jit"): 98}
    assert unhurt(BASE, lap(rivals, blocks=1)) == ("no_jit",)


def test_of_recipes_that_nothing_is_known_of_those_are_taken_that_exclude_no_other() -> None:
    assert unrivalled(["spin", "jit", "no_jit", "keep_memory"]) == ("keep_memory", "spin")
    assert unrivalled([]) == ()


def test_a_base_that_did_not_race_is_helped_by_nothing() -> None:
    other = replace(BASE, stack="keras3-jax")
    assert helping(other, lap({BASE: 100, mixed("jit"): 120})) == ()


def test_a_gain_is_over_the_blocks_that_both_were_in() -> None:
    found = gain(lap({BASE: 100, mixed("jit"): 125}), label(mixed("jit")), label(BASE))
    assert found is not None
    assert found.ratio == pytest.approx(1.25)
    assert found.blocks == 3
    assert gain(lap({BASE: 100}), label(mixed("jit")), label(BASE)) is None


def test_a_gain_of_one_block_has_no_interval() -> None:
    found = gain(lap({BASE: 100, mixed("jit"): 125}, blocks=1), label(mixed("jit")), label(BASE))
    assert found is not None
    assert (found.low, found.high) == (None, None)


def test_a_recipe_contributes_what_is_lost_without_it() -> None:
    both = mixed("jit", "spin")
    found = contributions(lap({BASE: 100, mixed("jit"): 150, mixed("spin"): 120, both: 165}), both)
    assert found["spin"].ratio == pytest.approx(1.1)
    assert found["jit"].ratio == pytest.approx(165 / 120)


def test_the_winner_leads_those_that_may_be_the_best() -> None:
    found = lap({BASE: 100, mixed("jit"): 125})
    assert winner(found) == mixed("jit")
    assert winner(None) is None


def of(stack: str, data_format: str = "channels_last") -> Case:
    return replace(BASE, stack=stack, data_format=data_format)


def test_recipes_are_tried_on_the_best_of_each_stack_though_it_is_behind() -> None:
    speeds: dict[Case, float] = {
        of("keras3-torch"): 30,
        of("keras3-torch", "channels_first"): 33,
        of("keras3-tensorflow"): 61,
        of("keras3-tensorflow", "channels_first"): 42,
    }
    found = promising(lap(speeds), 2, alike)
    assert found == [of("keras3-tensorflow"), of("keras3-torch", "channels_first")]


def alike(_: Case) -> tuple[str, ...]:
    return ("keep_memory",)


def test_of_a_single_stack_recipes_are_tried_on_as_many_as_may_be_the_best() -> None:
    last, first = of("keras3-torch"), of("keras3-torch", "channels_first")
    assert promising(lap({last: 60, first: 42}), 2, alike) == [last]
    names = label(last), label(first)
    standing = Standing(names[0], names, dict(zip(names, (1.0, 0.98), strict=True)), is_over=False)
    undecided = replace(lap({last: 60, first: 59}), standing=standing)
    assert promising(undecided, 2, alike) == [last, first]
    assert promising(undecided, 1, alike) == [last]
    assert promising(None, 2, alike) == []


def test_recipes_of_one_data_format_are_tried_in_that_though_it_is_behind() -> None:
    cases = [
        of(stack, data_format)
        for stack in ("keras3-torch", "keras3-tensorflow")
        for data_format in ("channels_first", "channels_last")
    ]
    speeds: dict[Case, float] = dict(zip(cases, (60, 40, 50, 70), strict=True))

    def having(case: Case) -> tuple[str, ...]:
        own = case.stack == "keras3-torch" and case.data_format == "channels_last"
        return ("keep_memory", "direct_pooling") if own else ("keep_memory",)

    found = promising(lap(speeds), 2, having)
    assert found == [cases[3], cases[0], cases[1]]


def test_an_arm_that_is_refused_later_takes_its_speeds_with_it() -> None:
    right, wrong = replace(LAUNCH, arm="right"), replace(LAUNCH, arm="wrong")
    failure = Failure(stage="proof", kind="refused", message="no softmax")
    assert unfailed([right, wrong, replace(wrong, failure=failure)]) == [right]


def test_the_latest_race_tells_of_a_training() -> None:
    early, late = lap({BASE: 100}), lap({BASE: 100})
    early = replace(early, proofs={label(BASE): {"proof_outcome": "unverified"}})
    assert proof([early, late], label(BASE)) == {"proof_outcome": "unverified"}
    late = replace(late, proofs={label(BASE): {"proof_outcome": "same"}})
    assert proof([early, late], label(BASE)) == {"proof_outcome": "same"}
    assert proof([early, late], "another") == {}


def test_an_answer_says_whose_training_is_right_and_whose_is_not_known() -> None:
    best, second, third = BASE, mixed("jit"), mixed("spin")
    same: Facts = {"proof_outcome": "same", "proof_reason": ""}
    race = lap({best: 100, second: 100, third: 100})
    found = Answer(
        objective="throughput",
        present=best,
        best=best,
        maybe=(label(best), label(second), label(third)),
        gain=None,
        contributions={},
        races=[replace(race, proofs={label(best): same, label(second): same})],
        seconds=1.0,
    )
    told = list(remarks(found))
    assert "its training: same" in told
    assert f"no worse, as far as is known: {label(second)}" in told
    assert any(line.endswith(f"if their training is right: {label(third)}") for line in told)
    unverified: Facts = {"proof_outcome": "unverified", "proof_reason": "there is no reference"}
    alone = replace(found, races=[replace(race, proofs={label(best): unverified})])
    assert "its training: unverified: there is no reference" in list(remarks(alone))
    assert "its training: unverified" in list(remarks(replace(found, races=[race])))


def test_nothing_is_called_best_while_time_left_races_out() -> None:
    raced = replace(lap({BASE: 100, of("keras3-jax"): 50}), launches=[LAUNCH])
    late = replace(lap({BASE: 100, mixed("jit"): 150}, blocks=0), name="recipes")
    found = Answer(
        objective="throughput",
        present=BASE,
        best=BASE,
        maybe=(label(BASE),),
        gain=None,
        contributions={},
        races=[raced, late],
        seconds=60.0,
    )
    told = list(remarks(found))
    assert told[0] == f"nothing that was tried is better than what there is: {label(BASE)}"
    (why,) = [line for line in told if line.startswith("recipes: no time was left for 2")]
    assert why.endswith("min a block; give it more --minutes")
    assert not found.is_confirmed
    whole = replace(found, races=[raced])
    assert next(remarks(whole)) == f"nothing is better than what there is: {label(BASE)}"
    assert whole.is_confirmed
    assert not replace(whole, best=mixed("jit")).is_confirmed


def test_a_race_that_time_left_no_block_for_chooses_nothing() -> None:
    chose = replace(lap({BASE: 100, mixed("jit"): 150}), name="recipes")
    late = replace(lap({BASE: 100, mixed("jit"): 150}, blocks=0), name="together")
    confirmed = replace(lap({BASE: 100, mixed("jit"): 150}), name="confirmation")
    assert chooser([chose, late, confirmed]) == chose
    assert chooser([late]) is None
