"""Out of memory: what a failure of that kind looks like, what to do, and the half of a case."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnbench.case import Case
    from cnnbench.record import Failure

# PyTorch, XLA, TensorFlow, MXNet, CUDA's libraries, Python and C++, each in its own words.
WORDS = re.compile(
    r"out of memory|OutOfMemory|RESOURCE_EXHAUSTED|ResourceExhausted|OOM when allocating"
    r"|failed to allocate|can't allocate memory|Unable to allocate|MemoryError|std::bad_alloc"
    r"|(CUDNN|CUBLAS)_STATUS_ALLOC_FAILED|cudaErrorMemoryAllocation",
    re.IGNORECASE,
)
REMEDY = "take a smaller --batch-size, or --halve-batch"
# Where memory is taken that a smaller batch would save.
STAGES = ("data", "build", "compile", "first step", "training")


def is_out_of_memory(failure: Failure) -> bool:
    """Whether a launch died for want of memory, of a device or of the host.

    A guest that raised is judged by what it raised, as Keras may put the framework's words behind
    its own; one that died by the end of its log, which is all that is left of it.
    """
    if failure.stage not in STAGES or failure.kind == "unsupported":
        return False
    if WORDS.search(failure.message):
        return True
    if failure.kind == "error":
        return bool(WORDS.search(_raised(failure.traceback)))
    return failure.kind in ("died", "killed") and bool(WORDS.search(failure.log_tail))


def with_remedy(failure: Failure) -> Failure:
    """The failure, its message ending with what to do if it is for want of memory."""
    if not is_out_of_memory(failure) or "--batch-size" in failure.message:
        return failure
    cause = "" if WORDS.search(failure.message) else ": out of memory"
    return replace(failure, message=f"{failure.message}{cause}; {REMEDY}")


def halved(case: Case) -> Case | None:
    """The case with half the batch; None if there is no half."""
    return None if case.batch_size < 2 else replace(case, batch_size=case.batch_size // 2)  # noqa: PLR2004


def _raised(traceback: str) -> str:
    """The exception at the end of a traceback, behind the last of its indented frames."""
    frames = traceback.rpartition('\n  File "')[2].splitlines()[1:]
    return "\n".join(itertools.dropwhile(lambda line: line.startswith(" "), frames))
