"""Facts of the machine, its id and its label."""

from __future__ import annotations

import os
import re
import socket
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from cnnbench.machine import facts as module
from cnnbench.machine import hypervisor
from cnnbench.machine.gpu import Gpu

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cnnbench.record import Scalar

    Tree = Callable[[dict[str, str]], Path]

CPU = "sys/devices/system/cpu"
A100 = Gpu(name="A100", memory_bytes=2**35, driver="550.1", capability=(8, 0))
BASE: dict[str, Scalar] = {
    "cpu": "AMD EPYC",
    "cpu_flags": "avx2 avx512f avx512_bf16",
    "cpus": 2,
    "cpus_usable": 2,
    "cpu_quota": None,
    "memory_bytes": 25276502016,
    "memory_limit_bytes": None,
    "gpus": 0,
    "gpu": None,
    "machine_key": "0123456789ab",
    "kernel": "6.1",
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither py-cpuinfo nor systemd nor a driver: they are slow, or differ between machines."""
    monkeypatch.setattr(module, "_cpu", lambda: ("Test CPU", frozenset({"avx2", "bf16", "sse2"})))
    monkeypatch.setattr(module, "gpus", list)
    monkeypatch.setattr(hypervisor, "_systemd", lambda: None)


def test_every_fact_is_a_scalar_and_none_holds_the_host_name(tree: Tree) -> None:
    found = module.facts(tree({"etc/machine-id": "c0ffee"}))
    assert all(isinstance(value, str | int | float | bool | None) for value in found.values())
    assert socket.gethostname() not in found.values()
    assert "c0ffee" not in "".join(map(str, found.values()))


def test_nothing_to_read_gives_none_and_no_crash(tmp_path: Path) -> None:
    found = module.facts(tmp_path)
    unknown = ("governor", "turbo", "smt", "cpu_quota", "memory_limit_bytes", "machine_key", "gpu")
    assert {found[name] for name in unknown} == {None}


def test_a_system_without_affinity_can_use_all_cpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(psutil, "cpu_count", lambda *, logical: 8 if logical else None)
    found = module.facts(tmp_path)
    assert (found["cpus"], found["cores"], found["cpus_usable"]) == (8, None, 8)


def test_flags_are_those_that_matter_in_a_fixed_order(tmp_path: Path) -> None:
    assert module.facts(tmp_path)["cpu_flags"] == "avx2 bf16"


@pytest.mark.parametrize(
    ("governors", "expected"),
    [(["performance"] * 2, "performance"), (["powersave", "performance"], "performance powersave")],
)
def test_all_governors_are_told_each_once(tree: Tree, governors: list[str], expected: str) -> None:
    texts = {f"{CPU}/cpu{i}/cpufreq/scaling_governor": name for i, name in enumerate(governors)}
    assert module.facts(tree(texts))["governor"] == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({f"{CPU}/intel_pstate/no_turbo": "0"}, True),
        ({f"{CPU}/intel_pstate/no_turbo": "1"}, False),
        ({f"{CPU}/cpufreq/boost": "1"}, True),
        ({f"{CPU}/cpufreq/boost": "0"}, False),
    ],
)
def test_turbo_is_read_from_either_driver(
    tree: Tree, texts: dict[str, str], expected: object
) -> None:
    assert module.facts(tree(texts))["turbo"] is expected


@pytest.mark.parametrize(("text", "expected"), [("1", True), ("0", False)])
def test_smt_is_whether_siblings_are_active(tree: Tree, text: str, expected: object) -> None:
    assert module.facts(tree({f"{CPU}/smt/active": text}))["smt"] is expected


def test_cards_are_counted_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "gpus", lambda: [A100, A100])
    found = module.facts(tmp_path)
    assert (found["gpus"], found["gpu"], found["gpu_driver"]) == (2, "A100", "550.1")


def test_the_key_of_a_machine_is_stable_and_an_unset_id_gives_none(tree: Tree) -> None:
    key = module.facts(tree({"etc/machine-id": "c0ffee"}))["machine_key"]
    assert key == module.facts(tree({"etc/machine-id": "c0ffee"}))["machine_key"]
    assert key != module.facts(tree({"etc/machine-id": "decaf"}))["machine_key"]
    assert module.facts(tree({"etc/machine-id": "uninitialized"}))["machine_key"] is None


def test_py_cpuinfo_is_asked_once_and_its_gaps_are_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    calls: list[int] = []

    def answer() -> dict[str, Any]:
        calls.append(1)
        return {"brand_raw": "Some  CPU  @ 3 GHz", "flags": ["avx2"]} if len(calls) == 1 else {}

    monkeypatch.setattr("cpuinfo.get_cpu_info", answer)
    module._cpu.cache_clear()
    try:
        assert module._cpu() == module._cpu() == ("Some CPU @ 3 GHz", frozenset({"avx2"}))
        assert len(calls) == 1
        module._cpu.cache_clear()
        name, flags = module._cpu()
        assert name
        assert flags == frozenset()
    finally:
        module._cpu.cache_clear()


def test_the_id_is_twelve_digits_that_ignore_kernel_and_a_little_memory() -> None:
    number = module.machine_id(BASE)
    assert re.fullmatch("[0-9a-f]{12}", number)
    assert number == module.machine_id(
        {**BASE, "kernel": "6.9", "memory_bytes": 25276502016 - 2**20}
    )


@pytest.mark.parametrize(
    "change",
    [
        {"cpu": "Intel"},
        {"cpu_flags": "avx2"},
        {"cpus": 4},
        {"cpus_usable": 1},
        {"cpu_quota": 1.5},
        {"memory_bytes": 2**36},
        {"gpus": 1, "gpu": "A100"},
        {"machine_key": None},
    ],
)
def test_the_id_differs_where_speeds_may_not_be_pooled(change: dict[str, Scalar]) -> None:
    assert module.machine_id({**BASE, **change}) != module.machine_id(BASE)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "AMD EPYC (avx512_bf16), 2 CPUs, 24 GiB"),
        ({"cpus_usable": 1}, "AMD EPYC (avx512_bf16), 1 CPU, 24 GiB"),
        ({"cpu_quota": 1.5}, "AMD EPYC (avx512_bf16), 1.5 CPUs, 24 GiB"),
        ({"cpu_quota": 64.0}, "AMD EPYC (avx512_bf16), 2 CPUs, 24 GiB"),
        ({"memory_limit_bytes": 2**29}, "AMD EPYC (avx512_bf16), 2 CPUs, 512 MiB"),
        ({"gpus": 2, "gpu": "A100"}, "AMD EPYC (avx512_bf16), 2 CPUs, 24 GiB, 2 x A100"),
        ({"cpu": None, "cpu_flags": ""}, "unknown CPU, 2 CPUs, 24 GiB"),
        ({"cpu": "AMD EPYC 9R14"}, "AMD EPYC 9R14, 2 CPUs, 24 GiB"),
        ({"cpu_flags": "avx2"}, "AMD EPYC (avx2), 2 CPUs, 24 GiB"),
    ],
)
def test_the_label_says_what_this_process_may_use(change: dict[str, Scalar], expected: str) -> None:
    assert module.label({**BASE, **change}) == expected
