"""The energy of CPUs, by the kernel's counters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cnnbench.machine.rapl import Meter
from cnnbench.metrics import energy_per_image
from tests.blank import LAUNCH

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tree = Callable[[dict[str, str]], Path]

ZONES = "sys/class/powercap"


def zone(number: str, name: str, energy: int) -> dict[str, str]:
    folder = f"{ZONES}/intel-rapl:{number}"
    return {
        f"{folder}/name": name,
        f"{folder}/energy_uj": str(energy),
        f"{folder}/max_energy_range_uj": "10000000",
    }


def test_what_all_packages_take_while_it_is_asked_is_added_up(tree: Tree) -> None:
    root = tree(zone("0", "package-0", 1_000_000) | zone("1", "package-1", 2_000_000))
    meter = Meter(root)
    meter.begin()
    tree(zone("0", "package-0", 4_000_000) | zone("1", "package-1", 2_500_000))
    meter.end()
    tree(zone("0", "package-0", 9_000_000))  # between two stretches: not counted
    meter.begin()
    tree(zone("0", "package-0", 9_250_000))
    meter.end()
    assert meter.facts() == {"cpu_steady_joules": pytest.approx(3.75)}


def test_a_counter_that_begins_again_is_followed(tree: Tree) -> None:
    meter = Meter(tree(zone("0", "package-0", 9_000_000)))
    meter.begin()
    tree(zone("0", "package-0", 1_000_000))
    meter.end()
    assert meter.facts() == {"cpu_steady_joules": pytest.approx(2.0)}


def test_parts_of_a_package_and_the_platform_around_it_are_not_counted_again(tree: Tree) -> None:
    zones = zone("0", "package-0", 0) | zone("0:0", "core", 0) | zone("1", "psys", 0)
    meter = Meter(tree(zones))
    meter.begin()
    tree(zone("0", "package-0", 1_000_000) | zone("0:0", "core", 500_000) | zone("1", "psys", 9))
    meter.end()
    assert meter.facts() == {"cpu_steady_joules": pytest.approx(1.0)}


def test_without_counters_or_with_one_that_stops_nothing_is_told(tree: Tree) -> None:
    none = Meter(tree({}))
    none.begin()
    none.end()
    assert none.facts() == {}
    root = tree(zone("0", "package-0", 1_000_000))
    meter = Meter(root)
    meter.begin()
    (root / f"{ZONES}/intel-rapl:0/energy_uj").unlink()
    meter.end()
    assert meter.facts() == {}


def test_an_image_takes_what_its_gpus_take_and_what_the_cpus_take_where_there_is_none() -> None:
    facts = {"cpu_steady_joules": 100.0, "metered_images": 50}
    on_cpu = replace(LAUNCH, facts=facts)
    on_gpu = replace(LAUNCH, facts={**facts, "gpu_steady_joules": 500.0})
    untold = replace(LAUNCH, facts={**facts, "gpu_steady_joules": None})
    assert [energy_per_image.of(one) for one in (on_cpu, on_gpu, untold)] == [2.0, 10.0, None]
