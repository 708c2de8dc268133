"""What changes on cards while they work. NVML is faked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pynvml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.machine import gpu, nvml
from cnnbench.machine.gpu_conditions import gpu_conditions

if TYPE_CHECKING:
    from tests.fake_nvml import FakeNvml

NAMES = {"gpu_celsius", "gpu_watts", "gpu_mhz", "gpu_memory_mhz", "gpu_throttle_reasons"}


def test_several_cards_are_told_together(driver: FakeNvml) -> None:
    first, second = driver.cards
    first.celsius, first.watts, first.reasons = 70, 300, 0x04 | 0x01
    second.celsius, second.mhz, second.reasons = 80, (900, 0, 800), 0x40
    assert gpu_conditions(gpu.gpus()) == {
        "gpu_celsius": 80,
        "gpu_watts": 400.0,
        "gpu_mhz": 890,
        "gpu_memory_mhz": 790,
        "gpu_throttle_reasons": "power cap, heat (hardware)",
    }
    assert driver.open == 0


def test_without_cards_nothing_is_told(driver: FakeNvml) -> None:
    driver.vanished = True
    assert gpu_conditions([]) == {}


def test_a_driver_that_vanished_tells_nothing_and_does_no_harm(driver: FakeNvml) -> None:
    cards = gpu.gpus()
    driver.vanished = True
    assert gpu_conditions(cards) == dict.fromkeys(NAMES)


def test_power_that_one_card_does_not_tell_is_not_the_others(driver: FakeNvml) -> None:
    cards = gpu.gpus()
    driver.broken["nvmlDeviceGetPowerUsage"] = pynvml.NVML_ERROR_NOT_SUPPORTED
    driver.broken["nvmlDeviceGetTemperature"] = pynvml.NVML_ERROR_NOT_SUPPORTED
    found = gpu_conditions(cards)
    assert (found["gpu_watts"], found["gpu_celsius"], found["gpu_mhz"]) == (None, None, 1400)


def test_an_older_driver_tells_its_reasons_by_their_older_name(driver: FakeNvml) -> None:
    driver.cards[0].reasons = 0x80
    cards = gpu.gpus()
    missing = pynvml.NVML_ERROR_FUNCTION_NOT_FOUND
    driver.broken["nvmlDeviceGetCurrentClocksEventReasons"] = missing
    assert gpu_conditions(cards)["gpu_throttle_reasons"] == "power brake"
    driver.broken["nvmlDeviceGetCurrentClocksThrottleReasons"] = missing
    assert gpu_conditions(cards)["gpu_throttle_reasons"] is None


@pytest.mark.parametrize(("bits", "words"), [(None, None), (0, "none"), (1, "none")])
def test_an_idle_card_is_not_slowed_down(bits: int | None, words: str | None) -> None:
    assert nvml.reason_words(bits) == words


def test_every_reason_that_the_bindings_know_has_a_word() -> None:
    names = [name for name in dir(pynvml) if name.startswith("nvmlClocksEventReason")]
    single = {getattr(pynvml, name) for name in names if not name.endswith(("All", "None"))}
    assert single - {pynvml.nvmlClocksEventReasonGpuIdle} == set(nvml.REASONS)


@given(st.lists(st.none() | st.integers(0, 2**9)))
def test_reasons_of_several_are_those_of_any(masks: list[int | None]) -> None:
    together = nvml.union(masks)
    assert (together is None) == all(mask is None for mask in masks)
    for mask in masks:
        assert mask is None or mask & ~(together or 0) == 0
