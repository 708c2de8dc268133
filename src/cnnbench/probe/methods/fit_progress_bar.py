"""`fit` with its progress bar, `verbose=1`, as most people run it.

A window is that of `fit`. The bar goes to the launch's log, a file, where Keras writes it anew as
often as to a terminal, on lines of its own; what a terminal takes to show it is not measured.
"""

from typing import Any

from .fit import repeat

IN_MEMORY = True
FROM_START = True


def train(task: Any, windows: Any) -> None:
    """Call `fit` with a progress bar until the host has seen enough."""
    repeat(task, windows, verbose=1)
