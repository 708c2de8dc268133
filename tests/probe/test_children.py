"""Processes that a library of the guest left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cnnbench

LEAVING = """
import multiprocessing, resource, sys, time
sys.path.insert(0, sys.argv[1])
from probe.__main__ import end_children

def work(ready):
    while time.process_time() < 0.3:
        pass
    ready.set()
    time.sleep(60)

context = multiprocessing.get_context("fork")
ready = context.Event()
context.Process(target=work, args=(ready,), daemon=True).start()
ready.wait()
end_children()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime)
"""


def test_are_ended_and_their_time_counts_as_the_guests() -> None:
    command: list[str | Path] = [sys.executable, "-c", LEAVING, Path(cnnbench.__file__).parent]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert float(done.stdout) > 0.2
