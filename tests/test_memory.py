"""Failures for want of memory: each framework's own words, and what is done about them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.case import Case
from cnnbench.memory import halved, is_out_of_memory, with_remedy
from cnnbench.record import Failure

CASE = Case(stack="keras3-jax", model="resnet50", dataset="synthetic-256", method="fit")
RAISED = [
    "OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total ...",
    "XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 17179869184 bytes",
    "JaxRuntimeError: RESOURCE_EXHAUSTED: Failed to allocate request for 12.00GiB",
    "ResourceExhaustedError: OOM when allocating tensor with shape[256,64,128,128]",
    "MXNetError: src/storage/./pooled_storage_manager.h:107: cudaMalloc failed: out of memory",
    "RuntimeError: DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes",
    "MemoryError: Unable to allocate 37.3 GiB for an array with shape (1, 2)",
    "MemoryError",
    "RuntimeError: cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    "RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
]
BEHIND = """Traceback (most recent call last):
  File ".../keras/trainer.py", line 1, in fit
    raise e
tensorflow.python.framework.errors_impl.ResourceExhaustedError: Graph execution error:

Detected at node conv2d
OOM when allocating tensor
"""
INNOCENT = """Traceback (most recent call last):
  File ".../handlers/memory.py", line 1, in guard
    except MemoryError: raise ValueError("no such layer")
ValueError: no such layer
"""


def failure(
    message: str = "x",
    kind: str = "error",
    stage: str = "training",
    traceback: str = "",
    log_tail: str = "",
) -> Failure:
    return Failure(stage=stage, kind=kind, message=message, traceback=traceback, log_tail=log_tail)


@pytest.mark.parametrize("message", RAISED)
@pytest.mark.parametrize("stage", ["data", "build", "compile", "first step", "training"])
def test_each_frameworks_words_are_understood(message: str, stage: str) -> None:
    found = failure(message, stage=stage)
    assert is_out_of_memory(found)
    assert with_remedy(found).message == (
        f"{message}; take a smaller --batch-size, or --halve-batch"
    )


def test_words_behind_keras_own_are_found_in_what_was_raised_not_in_the_frames() -> None:
    behind = failure("ResourceErr: Graph execution error:", traceback=BEHIND)
    assert is_out_of_memory(behind)
    assert ": out of memory; take a smaller --batch-size" in with_remedy(behind).message
    assert not is_out_of_memory(failure("ValueError: no such layer", traceback=INNOCENT))


@pytest.mark.parametrize("kind", ["died", "killed"])
def test_a_guest_that_died_is_judged_by_its_log(kind: str) -> None:
    log = "terminate called after throwing\nCheck failed: cudaMalloc failed: out of memory"
    died = failure("the guest was killed by SIGABRT", kind=kind, log_tail=log)
    assert is_out_of_memory(died)
    assert with_remedy(died).message.startswith("the guest was killed by SIGABRT: out of memory; ")
    assert not is_out_of_memory(failure(kind=kind, log_tail="Segmentation fault"))


def test_a_log_that_warns_of_memory_does_not_explain_another_error() -> None:
    log = "allocator ran out of memory trying to allocate 2 GiB; not an error"
    assert not is_out_of_memory(failure("ValueError: no such layer", log_tail=log))
    assert not is_out_of_memory(failure("said nothing", kind="silent", log_tail=log))


def test_a_kill_for_memory_of_the_host_counts_and_keeps_its_own_remedy() -> None:
    said = "the guest was killed by SIGKILL: out of memory; take a smaller --batch-size or more"
    killed = failure(said, kind="killed")
    assert is_out_of_memory(killed)
    assert with_remedy(killed) == killed


@pytest.mark.parametrize(
    "other",
    [
        failure("the framework is not installed"),
        failure("out of memory", stage="import"),
        failure("out of memory", kind="unsupported"),
        failure("the guest was killed by SIGKILL", kind="killed"),
    ],
)
def test_what_a_smaller_batch_would_not_mend_stays_as_it_is(other: Failure) -> None:
    assert not is_out_of_memory(other)
    assert with_remedy(other) == other


@given(st.text(), st.text(), st.sampled_from(["error", "died", "killed", "silent"]))
def test_the_remedy_is_told_once_in_one_line(message: str, log: str, kind: str) -> None:
    once = with_remedy(failure(message, kind=kind, log_tail=log))
    assert with_remedy(once) == once
    assert len(once.message.splitlines()) <= max(len(message.splitlines()), 1) + 1


@given(st.integers(1, 4096))
def test_half_a_batch_is_smaller_until_there_is_no_half(batch: int) -> None:
    case: Case | None = Case(
        stack="null", model="m", dataset="d", method="fit", batch_size=batch, devices=2
    )
    steps = 0
    while case is not None:
        following = halved(case)
        assert following is None or following.batch_size == case.batch_size // 2 >= 1
        case, steps = following, steps + 1
    assert steps == batch.bit_length()
