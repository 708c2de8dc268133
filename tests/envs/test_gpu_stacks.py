"""Which cards and drivers run what was built for a CUDA version."""

from __future__ import annotations

import pytest

from cnnbench.envs.gpus import Card, Gpus, unfit

V100, H100 = Card("Tesla V100", (7, 0)), Card("NVIDIA H100", (9, 0))
K80 = Card("Tesla K80", (3, 7))


@pytest.mark.parametrize(
    ("cuda", "gpus"),
    [
        ("9.0", Gpus((9, 0), (V100,))),
        ("9.0", Gpus((12, 4), (H100, V100))),
        ("12.0", Gpus((12, 4), (H100,))),
        ("13.0", Gpus((13, 0), (H100,))),
        (None, Gpus((13, 0), (H100,))),
    ],
)
def test_a_card_and_driver_that_fit_give_no_reason(cuda: str | None, gpus: Gpus) -> None:
    assert unfit(cuda, gpus) is None


@pytest.mark.parametrize(
    ("cuda", "gpus", "said"),
    [
        ("9.0", None, "no NVIDIA driver answers here"),
        ("9.0", Gpus((12, 4), ()), "finds no card"),
        ("9.0", Gpus((12, 4), (H100,)), "NVIDIA H100 (compute capability 9.0) is too new for CUDA"),
        ("12.0", Gpus((12, 4), (K80,)), "Tesla K80 (compute capability 3.7) is too old for CUDA"),
        ("13.0", Gpus((13, 0), (V100,)), "needs 7.5 or more"),
        ("13.0", Gpus((12, 4), (H100,)), "serves CUDA 12.4, not 13.0; update the driver"),
    ],
)
def test_what_does_not_fit_is_named(cuda: str, gpus: Gpus | None, said: str) -> None:
    reason = unfit(cuda, gpus)

    assert reason is not None
    assert said in reason
