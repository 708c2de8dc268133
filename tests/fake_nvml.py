"""An NVIDIA driver that is not there: as much of pynvml as is used, with cards of a test's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pynvml
import pytest

from cnnbench.machine import gpu, nvml

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GIB = 2**30


@dataclass
class Card:
    """What a card tells; `joules_an_ask` is by how much its counter rises each time."""

    name: str
    memory: int
    capability: tuple[int, int]
    uuid: str
    used: int = 0
    watts: float = 100.0
    joules: float = 5000.0
    joules_an_ask: float = 1.0
    celsius: int = 40
    mhz: tuple[int, int, int] = (1410, 0, 1215)
    reasons: int = 0
    ecc: int = 1
    processes: Callable[[], Sequence[tuple[int, int | None]]] = field(default=lambda: ())

    def count(self) -> int:
        """Millijoules so far."""
        self.joules += self.joules_an_ask
        return round(1000 * self.joules)


def _process(pid: int, memory: int | None) -> SimpleNamespace:
    return SimpleNamespace(pid=pid, usedGpuMemory=memory)


ANSWERS: dict[str, Callable[..., object]] = {
    "nvmlDeviceGetName": lambda card: card.name,
    "nvmlDeviceGetUUID": lambda card: card.uuid,
    "nvmlDeviceGetMemoryInfo": lambda card: SimpleNamespace(total=card.memory, used=card.used),
    "nvmlDeviceGetCudaComputeCapability": lambda card: card.capability,
    "nvmlDeviceGetMaxClockInfo": lambda card, domain: card.mhz[domain],
    "nvmlDeviceGetClockInfo": lambda card, domain: card.mhz[domain] - 10,
    "nvmlDeviceGetEnforcedPowerLimit": lambda _: 400_000,
    "nvmlDeviceGetPowerUsage": lambda card: round(1000 * card.watts),
    "nvmlDeviceGetTotalEnergyConsumption": lambda card: card.count(),
    "nvmlDeviceGetTemperature": lambda card, _: card.celsius,
    "nvmlDeviceGetPersistenceMode": lambda _: 1,
    "nvmlDeviceGetEccMode": lambda card: [card.ecc, 1],
    "nvmlDeviceGetMigMode": lambda _: [0, 1],
    "nvmlDeviceGetCurrentClocksEventReasons": lambda card: card.reasons,
    "nvmlDeviceGetCurrentClocksThrottleReasons": lambda card: card.reasons,
    "nvmlDeviceGetComputeRunningProcesses": lambda card: [_process(*p) for p in card.processes()],
}


class FakeNvml:
    """The module pynvml.

    Attributes:
        cards: In order of PCI bus.
        broken: Names of functions, and the error that each raises.
        vanished: Whether the driver was taken away: every function raises.
        open: How often it was begun and not ended.
    """

    NVMLError = pynvml.NVMLError
    NVMLError_LibraryNotFound = pynvml.NVMLError_LibraryNotFound
    NVMLError_DriverNotLoaded = pynvml.NVMLError_DriverNotLoaded

    def __init__(self, cards: list[Card]) -> None:
        self.cards = cards
        self.broken: dict[str, int] = {}
        self.vanished = False
        self.open = 0

    def __getattr__(self, name: str) -> Callable[..., object]:
        if not name.startswith("nvml"):
            raise AttributeError(name)

        def function(*arguments: object) -> object:
            if self.vanished:
                raise pynvml.NVMLError(pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
            if name in self.broken:
                raise pynvml.NVMLError(self.broken[name])
            return self._answer(name, *arguments)

        return function

    def _answer(self, name: str, *arguments: object) -> object:
        if name in ("nvmlInit", "nvmlShutdown"):
            self.open += 1 if name == "nvmlInit" else -1
            return None
        if name == "nvmlDeviceGetHandleByIndex":
            return self.cards[int(str(arguments[0]))]
        if arguments and arguments[0] is None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_INVALID_ARGUMENT)
        whole = {
            "nvmlDeviceGetCount": len(self.cards),
            "nvmlSystemGetDriverVersion": "550.54.15",
            "nvmlSystemGetCudaDriverVersion": 12040,
        }
        return whole[name] if name in whole else ANSWERS[name](*arguments)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    """A driver with an A100 and a V100; the user hides neither."""
    cards = [
        Card("NVIDIA A100-SXM4-40GB", 40 * GIB, (8, 0), "GPU-aaaa1111-0000"),
        Card("Tesla V100-SXM2-16GB", 16 * GIB, (7, 0), "GPU-bbbb2222-0000"),
    ]
    fake = FakeNvml(cards)
    monkeypatch.setattr(gpu, "pynvml", fake)
    monkeypatch.setattr(nvml, "pynvml", fake)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return fake
