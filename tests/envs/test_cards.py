"""Which GPUs a case gets, and what is said where there are too few. NVML is faked."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench import prepare
from cnnbench.case import Case
from cnnbench.envs import cards
from cnnbench.envs import stack as stacks
from cnnbench.errors import StackError
from cnnbench.machine.gpu import Gpu

if TYPE_CHECKING:
    from tests.fake_nvml import FakeNvml

CASE = Case(
    stack="keras3-jax-gpu",
    model="simple_cnn",
    dataset="synthetic-32",
    method="fit",
    device="gpu",
)
TF32 = replace(CASE, precision="tf32")


def card(index: int, capability: tuple[int, int] = (8, 0)) -> Gpu:
    return Gpu(name="NVIDIA X", memory_bytes=1, driver="1", capability=capability, index=index)


def indices(
    case: Case, *found: Gpu, cuda: str | None = None, busy: set[int] | None = None
) -> object:
    return [chosen.index for chosen in cards.choose(case, cuda, found, busy or set())]


def refusal(case: Case, *found: Gpu, cuda: str | None = None) -> str:
    with pytest.raises(StackError) as refused:
        cards.choose(case, cuda, found)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.fixture(autouse=True)
def _nothing_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_the_first_cards_that_can_do_it_are_taken() -> None:
    old, new = card(0, (3, 5)), card(1)
    assert indices(CASE, old, new, card(2), cuda="12.0") == [1]
    assert indices(TF32, card(0, (7, 5)), new) == [1]
    assert indices(replace(CASE, devices=2), card(2), card(0), card(1)) == [2, 0]


def test_idle_cards_are_taken_before_busy_ones_and_busy_ones_before_none() -> None:
    assert indices(CASE, card(0), card(1), busy={0}) == [1]
    assert indices(replace(CASE, devices=2), card(0), card(1), busy={0}) == [1, 0]


@given(st.sets(st.integers(0, 7), min_size=1), st.sets(st.integers(0, 7)), st.integers(1, 8))
def test_a_case_gets_as_many_cards_as_it_asks_for_or_none(
    here: set[int], busy: set[int], devices: int
) -> None:
    case, found = replace(CASE, devices=devices), [card(index) for index in sorted(here)]
    if devices > len(here):
        assert f"{devices} GPUs are asked for, {len(here)} " in refusal(case, *found)
        return
    chosen = [one.index for one in cards.choose(case, None, found, busy)]
    assert len(set(chosen)) == devices
    assert len(set(chosen) & busy) == max(0, devices - len(here - busy))


def test_more_cards_than_there_are_names_both_numbers_and_the_remedy() -> None:
    said = refusal(replace(CASE, devices=8), *map(card, range(4)))
    assert said == "8 GPUs are asked for, 4 are here; take --devices 4 or fewer"
    said = refusal(replace(CASE, devices=2), card(0, (3, 5)), card(1), cuda="12.0")
    assert "2 are here, of which 1 can run this; take --devices 1" in said


def test_cards_that_the_user_hides_are_told_as_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "CUDA_VISIBLE_DEVICES='' hides every GPU; unset it" in refusal(CASE)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    said = refusal(replace(CASE, devices=2), card(0))
    assert "1 is here let through by CUDA_VISIBLE_DEVICES; take --devices 1" in said


def test_a_card_without_tf32_says_so() -> None:
    assert "compute capability 7.5) has no TF32, which needs 8.0" in refusal(TF32, card(0, (7, 5)))
    assert indices(TF32, card(0, (8, 6))) == [0]


def test_a_card_too_new_for_the_stacks_cuda_says_so() -> None:
    said = refusal(CASE, card(0, (9, 0)), cuda="9.0")
    assert "is too new for CUDA 9.0, which ends at 7.0; choose another stack" in said


def prepared(case: Case) -> str:
    ready = prepare.prepare(case, prepare.Own(), lambda _: None)
    assert isinstance(ready, prepare.NotReady)
    assert (ready.failure.kind, ready.failure.stage) == ("unsupported", "stack")
    return ready.failure.message


def test_a_case_that_cannot_have_its_cards_is_not_ready_and_builds_nothing(
    driver: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "3 GPUs are asked for, 2 are here" in prepared(replace(CASE, devices=3))
    driver.cards.pop(0)
    assert "Tesla V100-SXM2-16GB (compute capability 7.0) has no TF32" in prepared(TF32)
    old = replace(CASE, stack="keras2.1.5-tensorflow-gpu1.7.0")
    driver.cards[0].capability = (9, 0)
    assert "is too new for CUDA 9.0" in prepared(old)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    assert "CUDA_VISIBLE_DEVICES='7' hides every GPU" in prepared(CASE)
    driver.vanished = True
    assert "the NVIDIA driver is installed but not loaded" in prepared(CASE)


def test_tf32_is_of_gpus() -> None:
    cpu = replace(TF32, stack="keras3-jax", device="cpu")
    assert prepared(cpu) == "TF32 is of NVIDIA GPUs; take --device gpu or --precision float32"


def test_the_card_that_nobody_uses_is_chosen_here(driver: FakeNvml) -> None:
    stack = stacks.load("keras3-jax-gpu")
    assert [chosen.index for chosen in cards.cards_for(CASE, stack)] == [0]
    driver.cards[0].processes = lambda: [(os.getppid(), 1)]
    assert [chosen.index for chosen in cards.cards_for(CASE, stack)] == [1]
    assert cards.cards_for(replace(CASE, device="cpu"), stack) == ()


def test_fewer_devices_are_as_many_as_are_visible(
    driver: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = replace(CASE, devices=8)
    assert prepare.with_fewer_devices(many).devices == len(driver.cards)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert prepare.with_fewer_devices(many).devices == 1
