"""Who else computes on a card. NVML is faked, the processes are real."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psutil
import pynvml

from cnnbench.machine import gpu
from cnnbench.machine.gpu_users import User, told, users

if TYPE_CHECKING:
    from tests.fake_nvml import FakeNvml

NOBODY = 2**22 + 1  # above the largest process id of Linux


def test_a_busy_card_names_program_account_and_memory(driver: FakeNvml) -> None:
    other = psutil.Process(os.getppid())
    driver.cards[1].processes = lambda: [(other.pid, 3 * 2**30)]
    found = users(gpu.gpus())
    assert found == [
        User(
            card=1,
            pid=other.pid,
            command=other.name(),
            account=other.username(),
            memory_bytes=3 * 2**30,
        )
    ]
    said = f"GPU 1 is in use by {other.name()} of {other.username()} (process {other.pid}, 3.0 GiB)"
    assert told(found, accounts=True) == said
    assert told(found, accounts=False) == said.replace(f" of {other.username()}", "")
    assert driver.open == 0


def test_this_process_is_nobody_else(driver: FakeNvml) -> None:
    driver.cards[0].processes = lambda: [(os.getpid(), 1)]
    assert users(gpu.gpus()) == []


def test_a_process_that_cannot_be_seen_is_told_by_its_number(driver: FakeNvml) -> None:
    driver.cards[0].processes = lambda: [(NOBODY, None), (NOBODY + 1, 2**29)]
    found = users(gpu.gpus())
    assert told(found, accounts=True) == (
        f"GPU 0 is in use by a program (process {NOBODY}), "
        f"a program (process {NOBODY + 1}, 0.5 GiB)"
    )


def test_several_cards_are_told_one_after_the_other(driver: FakeNvml) -> None:
    for card in driver.cards:
        card.processes = lambda: [(NOBODY, None)]
    assert told(users(gpu.gpus()), accounts=True).count("; GPU 1 is in use by") == 1


def test_a_driver_that_does_not_tell_names_nobody(driver: FakeNvml) -> None:
    cards = gpu.gpus()
    driver.broken["nvmlDeviceGetComputeRunningProcesses"] = pynvml.NVML_ERROR_NOT_SUPPORTED
    assert users(cards) == []
    driver.vanished = True
    assert users(cards) == []
    assert users([]) == []
