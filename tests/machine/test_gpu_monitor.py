"""What is concluded of samples of cards, and that watching them harms nobody. NVML is faked."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pynvml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.machine import gpu, gpu_monitor
from cnnbench.machine.gpu_monitor import Monitor, Sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnbench.record import Scalar
    from tests.fake_nvml import FakeNvml

GIB = 2**30
QUICK = 0.002
CARD = gpu.Gpu(name="A100", memory_bytes=GIB, driver="1", capability=(8, 0))
ENERGY = "nvmlDeviceGetTotalEnergyConsumption"
UNKNOWN = {
    "gpu_peak_memory_bytes",
    "gpu_memory_source",
    "gpu_energy_joules",
    "gpu_energy_source",
    "gpu_steady_joules",
    "gpu_throttle_reasons",
}


def sample(
    time: float,
    joules: float | None = None,
    watts: float | None = None,
    card_bytes: int | None = None,
    process_bytes: int | None = None,
) -> Sample:
    return Sample(time, joules, watts, card_bytes, process_bytes, None)


def concluded(
    *cards: list[Sample], windows: list[tuple[float, float]] | None = None
) -> dict[str, Scalar]:
    monitor = Monitor([CARD] * len(cards), period=0.1)
    monitor._samples = list(cards)
    monitor._windows = windows or []
    return monitor.facts()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(QUICK)


def test_the_counter_of_each_card_is_taken_and_their_energies_add_up() -> None:
    one = [sample(0, joules=1000, watts=9), sample(1, watts=9), sample(2, joules=1100, watts=9)]
    two = [sample(0, joules=5), sample(1, joules=6), sample(2, joules=8)]
    found = concluded(one, two)
    assert (found["gpu_energy_joules"], found["gpu_energy_source"]) == (103, "counter")


def test_without_a_counter_power_is_integrated_by_trapezoids_and_said_so() -> None:
    one = [sample(0, watts=100), sample(1, watts=200), sample(3, watts=200)]
    two = [sample(0, joules=0), sample(3, joules=50)]
    found = concluded(one, two)
    assert found["gpu_energy_joules"] == pytest.approx(150 + 400 + 50)
    assert found["gpu_energy_source"] == "power samples"


@pytest.mark.parametrize("lost", [0, -1])
def test_energy_that_is_not_known_from_begin_to_end_is_none(lost: int) -> None:
    samples = [sample(t, joules=t, watts=t) for t in range(5)]
    samples[lost] = sample(samples[lost].time)
    found = concluded(samples, [sample(0, joules=0), sample(4, joules=9)])
    assert found["gpu_energy_joules"] is None
    assert found["gpu_energy_source"] is None


def test_energy_of_steady_windows_is_that_of_their_time() -> None:
    samples = [sample(t / 10, joules=t * 3.0) for t in range(101)]  # 30 W
    found = concluded(samples, windows=[(2.0, 3.0), (3.05, 5.05)])
    assert found["gpu_steady_joules"] == pytest.approx(90)


def test_windows_too_short_for_the_samples_have_no_energy_of_their_own() -> None:
    samples = [sample(t / 10, joules=t) for t in range(101)]
    assert concluded(samples, windows=[(2.0, 2.9)])["gpu_steady_joules"] is None
    assert concluded(samples)["gpu_steady_joules"] is None


@given(
    st.lists(st.floats(0, 700), min_size=2, max_size=30),
    st.lists(st.floats(0, 3), min_size=2, max_size=12),
)
def test_energy_of_parts_is_never_more_than_of_the_whole(
    watts: list[float], ends: list[float]
) -> None:
    samples = [sample(t / 10, watts=w) for t, w in enumerate(watts)]
    bounds = sorted(ends)
    found = concluded(samples, windows=list(zip(bounds[::2], bounds[1::2], strict=False)))
    whole, steady = found["gpu_energy_joules"], found["gpu_steady_joules"]
    assert isinstance(whole, float)
    assert not isinstance(steady, float) or -1e-9 <= steady <= whole + 1e-6


def test_windows_never_overlap_though_a_guests_clock_may_run_ahead() -> None:
    monitor = Monitor([CARD])
    for _ in range(3):
        monitor.window(1000.0)
    bounds = [bound for window in monitor._windows for bound in window]
    assert bounds == sorted(bounds)


def test_memory_of_the_launchs_processes_is_preferred() -> None:
    one = [sample(0, card_bytes=5), sample(1, card_bytes=90, process_bytes=40)]
    two = [sample(0, card_bytes=5), sample(1, card_bytes=70, process_bytes=60)]
    found = concluded(one, two)
    assert (found["gpu_peak_memory_bytes"], found["gpu_memory_source"]) == (60, "process")


def test_else_memory_is_what_the_card_had_in_use_more_than_before() -> None:
    one = [sample(0, card_bytes=500), sample(1, card_bytes=900), sample(2, card_bytes=600)]
    found = concluded(one)
    assert (found["gpu_peak_memory_bytes"], found["gpu_memory_source"]) == (400, "card")


def test_without_cards_nothing_is_watched_and_nothing_told() -> None:
    before = threading.active_count()
    with Monitor([]) as monitor:
        monitor.follow(1)
        monitor.window(1.0)
        assert threading.active_count() == before
    assert monitor.facts() == {}


def test_two_cards_are_watched_until_the_block_ends(driver: FakeNvml) -> None:
    first, second = driver.cards
    with Monitor(gpu.gpus(), QUICK) as monitor:
        monitor.follow(os.getpgid(0))
        assert driver.open == 1
        first.processes = lambda: [(os.getpid(), 3 * GIB), (os.getpid(), GIB), (1, 9 * GIB)]
        second.reasons = 0x20
        wait_for(lambda: len(monitor._samples[0]) > 5)
        first.processes, first.reasons, second.reasons = (lambda: ()), 0x04, 0
        wait_for(lambda: len(monitor._samples[0]) > 10)
    found = monitor.facts()
    assert driver.open == 0
    assert found["gpu_peak_memory_bytes"] == 4 * GIB
    assert found["gpu_memory_source"] == "process"
    assert found["gpu_throttle_reasons"] == "power cap, heat (driver)"
    # The counters rise by a joule an ask.
    assert found["gpu_energy_joules"] == pytest.approx(2 * (int(str(found["gpu_samples"])) - 1))


def test_a_driver_that_vanishes_costs_the_facts_and_nothing_else(driver: FakeNvml) -> None:
    driver.cards[0].used = GIB
    with Monitor(gpu.gpus(), QUICK) as monitor:
        wait_for(lambda: len(monitor._samples[0]) > 3)
        driver.vanished = True
        told = len(monitor._samples[0])
        wait_for(lambda: len(monitor._samples[0]) > told + 3)
    found = monitor.facts()
    assert found["gpu_energy_joules"] is None
    assert found["gpu_peak_memory_bytes"] == 0


def test_a_driver_that_does_not_start_is_nothing_known(driver: FakeNvml) -> None:
    cards = gpu.gpus()
    driver.vanished = True
    with Monitor(cards, QUICK) as monitor:
        monitor.window(1.0)
    found = monitor.facts()
    assert found.pop("gpu_samples") == 0
    assert found == dict.fromkeys(UNKNOWN)


def test_what_a_card_does_not_support_is_none_and_the_rest_is_told(driver: FakeNvml) -> None:
    unsupported = pynvml.NVML_ERROR_NOT_SUPPORTED
    driver.broken = dict.fromkeys(
        [ENERGY, "nvmlDeviceGetMemoryInfo", "nvmlDeviceGetComputeRunningProcesses"], unsupported
    )
    with Monitor(gpu.gpus(), QUICK) as monitor:
        monitor.follow(os.getpgid(0))
        wait_for(lambda: len(monitor._samples[0]) > 3)
    found = monitor.facts()
    assert found["gpu_energy_source"] == "power samples"
    assert isinstance(found["gpu_energy_joules"], float)
    assert found["gpu_peak_memory_bytes"] is None


def test_a_driver_that_hangs_is_not_waited_for(
    driver: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu_monitor, "PATIENCE_SECONDS", 0.01)
    cards, answered = gpu.gpus(), threading.Event()
    monkeypatch.setattr(driver.cards[0], "count", answered.wait)
    with Monitor(cards, QUICK) as monitor:
        pass
    assert monitor.facts()["gpu_energy_joules"] is None
    answered.set()
    monitor._thread.join()


def test_whatever_the_bindings_raise_the_block_ends_well(
    driver: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> int:
        raise ValueError("no such thing")

    cards = gpu.gpus()
    monkeypatch.setattr(driver.cards[0], "count", broken)
    with Monitor(cards, QUICK) as monitor:
        pass
    assert monitor.facts()["gpu_energy_joules"] is None
    assert driver.open == 0
