"""A whole launch on GPUs: what the guest sees, what is recorded. NVML and the guest are faked."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

import cnnbench
from cnnbench import events, launch
from cnnbench.case import Budget, Case
from cnnbench.envs import stack
from cnnbench.link import bundle
from cnnbench.machine import gpu, gpu_monitor
from cnnbench.metrics import energy_per_image, gpu_energy, gpu_peak_memory
from cnnbench.prepare import Ready
from cnnbench.record import WARM_UP, Launch
from cnnbench.result import conclude

if TYPE_CHECKING:
    from tests.fake_nvml import FakeNvml

GIB = 2**30
CASE = Case(stack="null", model="simple_cnn", dataset="synthetic-32", method="fit", device="gpu")
BUDGET = Budget(
    precision=0.1,
    launches=(1, 1),
    warmup_seconds=0.0,
    warmup_windows=1,
    windows=(3, 3),
    window_seconds=0.02,
    case_seconds=60.0,
)
# Trains by sleeping, and tells which GPUs it was shown.
GUEST = """
import json, os, sys, time
sys.path.insert(0, {source!r})
from cnnbench.probe import wire

def say(kind, **fields):
    everything = dict.fromkeys(kind._fields, 0)
    print(wire.encode(kind(**dict(everything, **fields))), flush=True)

sys.stdin.readline()
say(wire.Stage, name="import")
shown = {{name: os.environ.get(name) for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")}}
say(wire.Booted, version=wire.VERSION, facts=shown)
say(wire.Loaded, facts={{}})
say(wire.Built)
say(wire.Compiled, facts={{}})
for line in sys.stdin:
    request = wire.decode(line)
    if isinstance(request, wire.Finish):
        say(wire.Finished, facts={{}})
        break
    {do}
    begun = time.perf_counter()
    time.sleep(0.002 * request.steps)
    seconds = time.perf_counter() - begun
    images = 32 * request.steps - {missing}
    say(wire.Window, steps=request.steps, images=images, seconds=seconds, loss=None)
"""


def write(script: Path, do: str = "pass", missing: str = "0") -> None:
    """The guest's file: what it does before each window, and images that the window lacks."""
    source = str(Path(cnnbench.__file__).parents[1])
    script.write_text(GUEST.format(source=source, do=do, missing=missing), encoding="utf-8")


@pytest.fixture(autouse=True)
def guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    script = tmp_path / "guest.py"
    write(script)
    monkeypatch.setattr(bundle, "build", lambda _: script)
    monkeypatch.setattr(gpu_monitor, "PERIOD_SECONDS", 0.002)
    monkeypatch.setattr(launch, "Monitor", lambda cards: gpu_monitor.Monitor(cards, 0.002))
    return script


def launched(cards: list[gpu.Gpu], budget: Budget = BUDGET) -> tuple[Launch, list[events.Event]]:
    ready = Ready(
        case=replace(CASE, devices=max(len(cards), 1)),
        stack=stack.load("null"),
        python=Path(sys.executable),
        data=None,
        model_file=None,
        dataset_file=None,
        cards=tuple(cards),
    )
    head = Launch(
        id="launch",
        campaign="campaign",
        case=ready.case,
        number=1,
        seed=7,
        stack_fingerprint="",
        probe_digest="",
        started_at="2018-05-01T12:00:00Z",
        machine={},
    )
    seen: list[events.Event] = []
    living = launch.live(ready, head, budget)
    while True:
        try:
            seen.append(next(living))
        except StopIteration as stop:
            return stop.value, seen


def test_a_launch_sees_its_cards_alone_and_records_what_it_took_of_them(driver: FakeNvml) -> None:
    me = psutil.Process()
    others = set(me.children())  # of tests before, as a browser that is still open
    for card in driver.cards:
        card.processes = lambda: [(one.pid, 3 * GIB) for one in me.children() if one not in others]
    cards = gpu.gpus()
    ended, seen = launched([cards[1], cards[0]])
    facts = ended.facts
    assert ended.failure is None
    assert facts["CUDA_VISIBLE_DEVICES"] == "GPU-bbbb2222-0000,GPU-aaaa1111-0000"
    assert facts["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    assert facts["gpu_used"] == "1: Tesla V100-SXM2-16GB, 0: NVIDIA A100-SXM4-40GB"
    assert (facts["gpu_watts before"], facts["gpu_celsius after"]) == (200.0, 40)
    assert gpu_peak_memory.of(ended) == 3 * GIB
    whole, per_image = gpu_energy.of(ended), energy_per_image.of(ended)
    assert whole
    assert per_image
    assert facts["metered_images"] == sum(window.images for window in ended.steady)
    assert 0 < per_image * sum(window.images for window in ended.steady) <= whole
    assert not any(isinstance(event, events.Shared) for event in seen)
    assert driver.open == 0


def test_what_the_first_window_with_a_smaller_batch_took_is_of_no_steady_window(
    driver: FakeNvml, guest: Path
) -> None:
    assert len(driver.cards) > 1
    counted = "count = globals().get('count', 0) + 1"
    write(guest, do=counted, missing="24 * (count == 6)")
    ended, _ = launched(gpu.gpus()[:1])

    (smaller,) = (window for window in ended.windows if window.images < 32 * window.steps)
    assert smaller.role == WARM_UP
    assert smaller.index > ended.steady[0].index
    assert len(ended.steady) == BUDGET.windows[0]
    assert ended.facts["metered_images"] == sum(window.images for window in ended.steady)


def test_a_launch_on_the_cpu_has_no_facts_of_gpus(driver: FakeNvml) -> None:
    driver.vanished = True
    ended, _ = launched([])
    assert ended.failure is None
    assert not [name for name in ended.facts if name.startswith("gpu")]
    assert (gpu_peak_memory.of(ended), gpu_energy.of(ended)) == (None, None)
    assert energy_per_image.of(ended) is None


def test_a_busy_card_is_told_by_name_and_recorded_without(driver: FakeNvml) -> None:
    other = psutil.Process(os.getppid())
    driver.cards[0].processes = lambda: [(other.pid, GIB)]
    ended, seen = launched(gpu.gpus()[:1])
    (shared,) = [event for event in seen if isinstance(event, events.Shared)]
    assert f"GPU 0 is in use by {other.name()} of {other.username()} (process" in shared.reason
    assert f"GPU 0 is in use by {other.name()} (process" in str(ended.facts["gpu_others"])
    assert ended.failure is None
    assert "GPU shared" in conclude([ended], BUDGET).labels


def test_a_busy_card_is_refused_where_the_budget_is_exclusive(driver: FakeNvml) -> None:
    driver.cards[0].processes = lambda: [(os.getppid(), GIB)]
    strict = replace(BUDGET, exclusive=True)
    ended, _ = launched(gpu.gpus()[:1], strict)
    result = conclude([ended], strict)
    assert (result.verdict, ended.windows) == ("unsupported", ())
    assert "GPU 0 is in use by" in result.reason
    assert "name another card in CUDA_VISIBLE_DEVICES" in result.reason
    assert launched(gpu.gpus()[1:], strict)[0].failure is None


def test_a_driver_that_vanishes_meanwhile_ends_no_launch(
    driver: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = driver.cards[0].count

    def last() -> int:
        driver.vanished = True
        return count()

    cards = gpu.gpus()[:1]
    monkeypatch.setattr(driver.cards[0], "count", last)
    ended, _ = launched(cards)
    assert ended.failure is None
    assert len(ended.steady) == BUDGET.windows[1]
    assert ended.facts["gpu_energy_joules"] is None
    assert (ended.facts["gpu_watts before"], ended.facts["gpu_watts after"]) == (100.0, None)


def test_a_guest_that_dies_of_memory_is_a_failure_with_its_remedy(
    driver: FakeNvml, guest: Path
) -> None:
    assert driver
    death = "sys.stderr.write('cudaMalloc failed: out of memory'); sys.stderr.flush(); os.abort()"
    guest.write_text(guest.read_text().replace("    pass\n", f"    {death}\n"), encoding="utf-8")
    ended, _ = launched(gpu.gpus()[:1])
    result = conclude([ended], BUDGET)
    assert result.verdict == "failed"
    assert "SIGABRT: out of memory; take a smaller --batch-size, or --halve-batch" in result.reason
