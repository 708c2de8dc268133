"""Which cards and drivers run what was built for a CUDA version."""

from __future__ import annotations

import pytest

from cnnbench.envs.cuda import unfit
from cnnbench.machine.gpu import Gpu


def card(name: str, capability: tuple[int, int], cuda: str) -> Gpu:
    return Gpu(name=name, memory_bytes=None, driver="1", capability=capability, cuda=cuda)


def v100(cuda: str) -> Gpu:
    return card("Tesla V100", (7, 0), cuda)


def h100(cuda: str) -> Gpu:
    return card("NVIDIA H100", (9, 0), cuda)


@pytest.mark.parametrize(
    ("cuda", "gpus"),
    [
        ("9.0", [v100("9.0")]),
        ("9.0", [h100("12.4"), v100("12.4")]),
        ("12.0", [h100("12.4")]),
        ("13.0", [h100("13.0")]),
        (None, [h100("13.0")]),
    ],
)
def test_a_card_and_driver_that_fit_give_no_reason(cuda: str | None, gpus: list[Gpu]) -> None:
    assert unfit(cuda, gpus) is None


@pytest.mark.parametrize(
    ("cuda", "gpus", "said"),
    [
        ("9.0", [h100("12.4")], "NVIDIA H100 (compute capability 9.0) is too new for CUDA"),
        ("12.0", [card("Tesla K80", (3, 7), "12.4")], "(compute capability 3.7) is too old"),
        ("13.0", [v100("13.0")], "needs 7.5 or more"),
        ("13.0", [h100("12.4")], "serves CUDA 12.4, not 13.0; update the driver"),
    ],
)
def test_what_does_not_fit_is_named(cuda: str, gpus: list[Gpu], said: str) -> None:
    assert said in (unfit(cuda, gpus) or "")
