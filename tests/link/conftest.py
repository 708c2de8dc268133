"""What tests of processes need."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], bool]:
    """Waits for something to hold, for two seconds at most after which it is taken not to."""

    def wait(holds: Callable[[], bool], seconds: float = 2.0) -> bool:
        deadline = time.monotonic() + seconds
        while not holds() and time.monotonic() < deadline:
            time.sleep(0.01)
        return holds()

    return wait


@pytest.fixture
def is_gone() -> Callable[[int], bool]:
    """Tells whether a process has ended; one that nobody has waited for counts as ended."""

    def look(pid: int) -> bool:
        try:
            return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return True

    return look
