"""A canary: the same work in one fresh process after the other, to see how a machine varies.

No framework and no stack is needed: what varies here is the machine, not the program. What follows
from it is concluded in `fitness.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cnnbench.errors import CnnbenchError
from cnnbench.fitness import FEWEST_PROCESSES, FEWEST_WINDOWS, Reading
from cnnbench.machine import canary_load

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

PROGRAM = Path(canary_load.__file__)
WINDOWS = 16  # of a process, at most
PROCESSES = 8  # that there is to be time for, before processes get more windows
# Share of a process that its windows take; the rest is its start and warm-up.
SHARE = 0.8
# How the libraries below NumPy are told their threads.
VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def sing(seconds: float) -> Generator[Reading, None, None]:
    """Run processes for about so many seconds, three at least; yield each window when it ends.

    Raises:
        CnnbenchError: The program does not run.
    """
    begun = time.monotonic()
    windows = windows_of(seconds)
    process = 0
    while process < FEWEST_PROCESSES or time.monotonic() - begun < seconds:
        for told in _life(windows):
            rate = told["units"] / told["seconds"]
            yield Reading(process, time.monotonic() - begun, rate, told["seconds"])
        process += 1


def windows_of(seconds: float) -> int:
    """Windows of each process: few where little time is given."""
    fitting = int(SHARE * seconds / PROCESSES / canary_load.WINDOW_SECONDS)
    return max(FEWEST_WINDOWS, min(WINDOWS, fitting))


def _life(windows: int) -> Iterator[dict[str, float]]:
    """What one process tells."""
    threads = _threads()
    command = [sys.executable, "-I", "-B", str(PROGRAM), str(windows), str(threads)]
    variables = os.environ | dict.fromkeys(VARIABLES, str(threads))
    with subprocess.Popen(  # noqa: S603
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101
        assert process.stderr is not None  # noqa: S101
        try:
            for line in process.stdout:
                yield json.loads(line)
            trouble = process.stderr.read().strip()
        except BaseException:  # whoever listened has had enough
            process.kill()
            raise
    if process.returncode:
        last = trouble.splitlines()[-1] if trouble else f"status {process.returncode}"
        raise CnnbenchError(f"the canary cannot run: {last}; is NumPy whole? try: pip check")


def _threads() -> int:
    """CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
