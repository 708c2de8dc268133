"""The NVIDIA GPUs of this machine, as the driver tells them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pynvml

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One card.

    Attributes:
        name: As sold, like `NVIDIA A100-SXM4-40GB`.
        memory_bytes: Of the card; None where it shares the memory of the host.
        driver: Version of the driver.
        capability: CUDA compute capability, major and minor.
        cuda: Newest CUDA that the driver can run, like `12.4`; None if it does not say.
    """

    name: str
    memory_bytes: int | None
    driver: str
    capability: tuple[int, int]
    cuda: str | None = None


def gpus() -> list[Gpu]:
    """Every card that the driver knows; `CUDA_VISIBLE_DEVICES` hides none. [] without a driver."""
    return _look()[0]


def why_none() -> str:
    """Why `gpus` finds nothing, in one line that says what to do; empty if it finds some."""
    return _look()[1]


def _look() -> tuple[list[Gpu], str]:
    try:
        with _driver():
            found = [_gpu(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError_LibraryNotFound:
        return [], "no NVIDIA driver is installed; install one, or measure with --device cpu"
    except pynvml.NVMLError_DriverNotLoaded:
        return [], "the NVIDIA driver is installed but not loaded; try: sudo modprobe nvidia"
    except pynvml.NVMLError as error:
        return [], f"the NVIDIA driver answers '{error}'; try: nvidia-smi"
    return found, "" if found else "the NVIDIA driver finds no GPU; try: nvidia-smi"


@contextmanager
def _driver() -> Iterator[None]:
    pynvml.nvmlInit()
    try:
        yield
    finally:
        pynvml.nvmlShutdown()


def _gpu(index: int) -> Gpu:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
    return Gpu(
        name=pynvml.nvmlDeviceGetName(handle),
        memory_bytes=_memory(handle),
        driver=pynvml.nvmlSystemGetDriverVersion(),
        capability=(major, minor),
        cuda=_cuda(),
    )


def _memory(handle: Any) -> int | None:
    try:
        return int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
    except pynvml.NVMLError_NotSupported:
        return None


def _cuda() -> str | None:
    try:
        version = pynvml.nvmlSystemGetCudaDriverVersion()
    except pynvml.NVMLError:
        return None
    return f"{version // 1000}.{version % 1000 // 10}"
