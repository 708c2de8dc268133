"""Findings on a machine: each disturbance is found, and a quiet machine has none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.machine import doctor
from cnnbench.machine.gpu import Gpu

if TYPE_CHECKING:
    from cnnbench.record import Scalar

GIB = 2**30
FACTS: dict[str, Scalar] = {
    "cpu": "Intel Xeon",
    "cpu_flags": "avx2 avx512f avx512_bf16",
    "cpus": 8,
    "cpus_usable": 8,
    "cpu_quota": None,
    "memory_bytes": 32 * GIB,
    "memory_limit_bytes": None,
    "governor": "performance",
    "turbo": False,
    "smt": False,
    "virtualisation": "none",
}
CONDITIONS: dict[str, Scalar] = {
    "load_1min": 0.1,
    "steal_percent": 0.0,
    "memory_available_bytes": 30 * GIB,
    "swap_used_bytes": 0,
    "on_battery": False,
    "cpu_celsius": 45.0,
    "cpu_throttles": 0,
}
GPUS = [Gpu(name="A100", memory_bytes=40 * GIB, driver="550.1", capability=(8, 0))]


def remarks(
    facts: dict[str, Scalar] | None = None, conditions: dict[str, Scalar] | None = None
) -> list[doctor.Finding]:
    found = doctor.check(FACTS | (facts or {}), CONDITIONS | (conditions or {}), GPUS)
    return [finding for finding in found if finding.level != "ok"]


def test_a_quiet_machine_is_ok_in_everything() -> None:
    assert remarks() == []
    assert len(doctor.check(FACTS, CONDITIONS, GPUS)) == 12


@pytest.mark.parametrize(
    ("facts", "conditions", "level", "what", "advice"),
    [
        ({"governor": "powersave"}, {}, "warning", "powersave", "cpupower"),
        ({"governor": "performance powersave"}, {}, "warning", "powersave", "cpupower"),
        ({"turbo": True}, {}, "note", "turbo is on", "echo 1 > intel_pstate/no_turbo"),
        ({"turbo": True, "cpu": "AMD"}, {}, "note", "turbo is on", "echo 0 > cpufreq/boost"),
        ({"smt": True}, {}, "note", "share cores", "smt/control"),
        ({}, {"load_1min": 0.9}, "warning", "load 0.90 on 8 CPUs", "top"),
        ({}, {"steal_percent": 1.5}, "warning", "1.5 %", "instance"),
        ({"cpu_quota": 1.5}, {}, "warning", "1.5 of 8 CPUs", "--cpuset-cpus"),
        ({}, {"swap_used_bytes": GIB}, "warning", "1.0 GiB", "swapoff"),
        ({}, {"memory_available_bytes": 3 * GIB}, "warning", "3.0 of 32.0 GiB", "end other"),
        ({"memory_limit_bytes": GIB}, {}, "warning", "1.0 of 1.0 GiB", "end other"),
        ({"virtualisation": "kvm"}, {}, "note", "(kvm)", "compare"),
        ({"cpu_flags": "avx2 avx512f"}, {}, "note", "no instructions for bfloat16", "compare"),
        ({}, {"on_battery": True}, "warning", "battery", "plug"),
        ({}, {"cpu_celsius": 88.4}, "warning", "88 °C", "cool"),
        ({}, {"cpu_throttles": 7}, "note", "heat 7 times", "fans"),
        ({"turbo": None}, {"cpu_celsius": None}, "note", "turbo, temperature", "host"),
    ],
)
def test_each_disturbance_is_the_one_remark(
    facts: dict[str, Scalar], conditions: dict[str, Scalar], level: str, what: str, advice: str
) -> None:
    (finding,) = remarks(facts, conditions)
    assert finding.level == level
    assert what in finding.what
    assert advice in finding.advice


def test_no_gpu_is_a_note() -> None:
    (finding,) = [f for f in doctor.check(FACTS, CONDITIONS, []) if f.level != "ok"]
    assert (finding.level, finding.advice) == ("note", "nvidia-smi tells why")


def test_a_quota_of_all_usable_cpus_and_a_little_swap_are_ok() -> None:
    assert remarks({"cpu_quota": 8.0}, {"swap_used_bytes": GIB // 8}) == []


def test_a_machine_that_tells_nothing_gets_one_note_and_the_gpu() -> None:
    first, second = doctor.check({}, {}, [])
    assert "no GPU" in first.what
    assert "governor, turbo, SMT, virtualisation, steal, temperature, throttling" in second.what


KNOWN = st.one_of(st.none(), st.booleans(), st.integers(0, 2**50), st.floats(0, 1e6))


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(FACTS, KNOWN | st.text(max_size=9))),
    st.fixed_dictionaries({}, optional=dict.fromkeys(CONDITIONS, KNOWN)),
)
def test_whatever_was_recorded_gives_lines_and_a_remark_has_advice(
    facts: dict[str, Scalar], conditions: dict[str, Scalar]
) -> None:
    for finding in doctor.check(facts, conditions, GPUS):
        assert finding.what
        assert bool(finding.advice) == (finding.level != "ok")


def test_cards_that_are_busy_hot_or_forgotten_are_remarked() -> None:
    forgotten = [replace(GPUS[0], persistence=False)]
    hot: dict[str, Scalar] = {**CONDITIONS, "gpu_throttle_reasons": "power cap, heat (driver)"}
    found = doctor.check(FACTS, hot, forgotten, "GPU 0 is in use by python")
    remarked = [(finding.level, finding.what) for finding in found if finding.level != "ok"]
    assert remarked == [
        ("note", "the NVIDIA driver is unloaded between launches, which then begin slowly"),
        ("warning", "GPU 0 is in use by python"),
        ("warning", "a GPU is slowed down: power cap, heat (driver)"),
    ]


@pytest.mark.parametrize("reasons", [None, "none", "power cap", "clock setting"])
def test_a_card_at_its_power_cap_is_as_it_was_sold(reasons: str | None) -> None:
    assert remarks(conditions={"gpu_throttle_reasons": reasons}) == []


def test_clocks_of_gpus_that_float_are_a_note_and_set_ones_are_ok() -> None:
    cards = [replace(GPUS[0], max_mhz=1980), replace(GPUS[0], max_mhz=1410)]
    free: dict[str, Scalar] = {**CONDITIONS, "gpu_mhz": 345, "gpu_throttle_reasons": "none"}
    (finding,) = [f for f in doctor.check(FACTS, free, cards) if f.level != "ok"]
    assert finding.level == "note"
    assert "free up to 1410 MHz, now at 345 MHz" in finding.what
    assert "--lock-gpu-clocks" in finding.advice
    found = doctor.check(FACTS, {**free, "gpu_throttle_reasons": "clock setting"}, cards)
    assert "the clocks of the GPUs are set" in [f.what for f in found if f.level == "ok"]
