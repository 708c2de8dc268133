"""The NVIDIA GPUs of this machine, as the driver tells them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pynvml

from cnnbench.machine import nvml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.record import Scalar

GRAPHICS, MEMORY = 0, 2  # clock domains of nvml.h


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One card, by what does not change while it works; None where it does not tell.

    Attributes:
        name: As sold, like `NVIDIA A100-SXM4-40GB`.
        memory_bytes: Of the card; None where it shares the memory of the host.
        driver: Version of the driver.
        capability: CUDA compute capability, major and minor.
        cuda: Newest CUDA that the driver can run, like `12.4`.
        index: Position by PCI bus, from 0.
        uuid: `GPU-...`; it names this very card, and so is never recorded.
        max_mhz: Highest clock of its processors.
        max_memory_mhz: Highest clock of its memory.
        power_limit_watts: That is enforced.
        persistence: Whether the driver stays loaded without a user.
        ecc: Whether its memory corrects errors, which costs speed.
        mig: Whether it is cut into slices.
    """

    name: str
    memory_bytes: int | None
    driver: str
    capability: tuple[int, int]
    cuda: str | None = None
    index: int = 0
    uuid: str | None = None
    max_mhz: int | None = None
    max_memory_mhz: int | None = None
    power_limit_watts: float | None = None
    persistence: bool | None = None
    ecc: bool | None = None
    mig: bool | None = None


def gpus() -> list[Gpu]:
    """Every card that the driver knows; `CUDA_VISIBLE_DEVICES` hides none. [] without a driver."""
    return _look()[0]


def why_none() -> str:
    """Why `gpus` finds nothing, in one line that says what to do; empty if it finds some."""
    return _look()[1]


def visible(cards: Sequence[Gpu], variable: str | None = None) -> list[Gpu]:
    """The cards that `CUDA_VISIBLE_DEVICES` lets through, in its order, read as CUDA reads it.

    Entries are indices by PCI bus or beginnings of UUIDs; the first that names no card, or one
    that was named already, ends the list.

    Args:
        cards: All.
        variable: The text; of this process's environment if None.
    """
    text = os.environ.get("CUDA_VISIBLE_DEVICES") if variable is None else variable
    if text is None:
        return list(cards)
    found: list[Gpu] = []
    for entry in text.split(","):
        named = [card for card in cards if _is_named(card, entry.strip())]
        if len(named) != 1 or named[0] in found:
            break
        found += named
    return found


def described(cards: Sequence[Gpu]) -> dict[str, Scalar]:
    """Facts of the cards that a launch uses; values that differ are told one after the other."""
    if not cards:
        return {}
    return {
        "gpus_used": len(cards),
        "gpu_used": ", ".join(f"{card.index}: {card.name}" for card in cards),
        "gpu_memory_bytes": _each(card.memory_bytes for card in cards),
        "gpu_capability": _each("{}.{}".format(*card.capability) for card in cards),
        "gpu_cuda": _each(card.cuda for card in cards),
        "gpu_max_mhz": _each(card.max_mhz for card in cards),
        "gpu_max_memory_mhz": _each(card.max_memory_mhz for card in cards),
        "gpu_power_limit_watts": _each(card.power_limit_watts for card in cards),
        "gpu_persistence": _each(card.persistence for card in cards),
        "gpu_ecc": _each(card.ecc for card in cards),
        "gpu_mig": _each(card.mig for card in cards),
    }


def _look() -> tuple[list[Gpu], str]:
    try:
        with nvml.driver():
            found = [_gpu(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError_LibraryNotFound:
        return [], "no NVIDIA driver is installed; install one, or measure with --device cpu"
    except pynvml.NVMLError_DriverNotLoaded:
        return [], "the NVIDIA driver is installed but not loaded; try: sudo modprobe nvidia"
    except pynvml.NVMLError as error:
        return [], f"the NVIDIA driver answers '{error}'; try: nvidia-smi"
    return found, "" if found else "the NVIDIA driver finds no GPU; try: nvidia-smi"


def _gpu(index: int) -> Gpu:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
    memory = nvml.ask("nvmlDeviceGetMemoryInfo", handle)
    return Gpu(
        name=pynvml.nvmlDeviceGetName(handle),
        memory_bytes=None if memory is None else int(memory.total),
        driver=pynvml.nvmlSystemGetDriverVersion(),
        capability=(major, minor),
        cuda=_cuda(),
        index=index,
        uuid=nvml.ask("nvmlDeviceGetUUID", handle),
        max_mhz=nvml.ask("nvmlDeviceGetMaxClockInfo", handle, GRAPHICS),
        max_memory_mhz=nvml.ask("nvmlDeviceGetMaxClockInfo", handle, MEMORY),
        power_limit_watts=nvml.thousandths("nvmlDeviceGetEnforcedPowerLimit", handle),
        persistence=_is_on(nvml.ask("nvmlDeviceGetPersistenceMode", handle)),
        ecc=_is_on(nvml.ask("nvmlDeviceGetEccMode", handle)),
        mig=_is_on(nvml.ask("nvmlDeviceGetMigMode", handle)),
    )


def _is_on(state: Any) -> bool | None:
    """A mode: a number, or a pair of the current one and that after the next start."""
    current = state[0] if isinstance(state, list | tuple) else state
    return None if current is None else current == 1


def _is_named(card: Gpu, entry: str) -> bool:
    if entry.isdecimal():
        return card.index == int(entry)
    return entry.startswith("GPU-") and (card.uuid or "").startswith(entry)


def _each(values: Any) -> Scalar:
    told = list(values)
    return told[0] if len(set(told)) == 1 else ", ".join(str(value) for value in told)


def _cuda() -> str | None:
    version = nvml.ask("nvmlSystemGetCudaDriverVersion")
    return None if version is None else f"{version // 1000}.{version % 1000 // 10}"
