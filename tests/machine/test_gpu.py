"""What the NVIDIA driver tells, and what is said where there is none. NVML is faked."""

from __future__ import annotations

from types import SimpleNamespace

import pynvml
import pytest

from cnnbench.machine import gpu

CARDS = [("NVIDIA A100-SXM4-40GB", 40 * 2**30, (8, 0)), ("Tesla V100", 16 * 2**30, (7, 0))]


class FakeNvml:
    """As much of pynvml as is used; `broken` maps names of its functions to what they raise."""

    NVMLError = pynvml.NVMLError
    NVMLError_LibraryNotFound = pynvml.NVMLError_LibraryNotFound
    NVMLError_DriverNotLoaded = pynvml.NVMLError_DriverNotLoaded
    NVMLError_NotSupported = pynvml.NVMLError_NotSupported

    def __init__(self, cards: list[tuple[str, int, tuple[int, int]]]) -> None:
        self.cards = cards
        self.broken: dict[str, int] = {}
        self.open = 0

    def __getattribute__(self, name: str) -> object:
        if name.startswith("nvml") and name in self.broken:
            return lambda *_: (_ for _ in ()).throw(pynvml.NVMLError(self.broken[name]))
        return super().__getattribute__(name)

    def nvmlInit(self) -> None:  # noqa: N802
        self.open += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.open -= 1

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetName(self, handle: int) -> str:  # noqa: N802
        return self.cards[handle][0]

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(total=self.cards[handle][1])

    def nvmlDeviceGetCudaComputeCapability(self, handle: int) -> tuple[int, int]:  # noqa: N802
        return self.cards[handle][2]

    def nvmlSystemGetDriverVersion(self) -> str:  # noqa: N802
        return "550.54.15"

    def nvmlSystemGetCudaDriverVersion(self) -> int:  # noqa: N802
        return 12040


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    fake = FakeNvml(list(CARDS))
    monkeypatch.setattr(gpu, "pynvml", fake)
    return fake


def test_each_card_is_told_with_driver_cuda_and_capability(nvml: FakeNvml) -> None:
    first, second = gpu.gpus()
    assert first == gpu.Gpu(
        name="NVIDIA A100-SXM4-40GB",
        memory_bytes=40 * 2**30,
        driver="550.54.15",
        capability=(8, 0),
        cuda="12.4",
    )
    assert second.capability == (7, 0)
    assert gpu.why_none() == ""
    assert nvml.open == 0


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, "no NVIDIA driver is installed"),
        (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, "not loaded"),
        (pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH, "try: nvidia-smi"),
    ],
)
def test_a_driver_that_does_not_start_gives_no_cards_and_a_reason(
    nvml: FakeNvml, code: int, reason: str
) -> None:
    nvml.broken["nvmlInit"] = code
    assert gpu.gpus() == []
    assert reason in gpu.why_none()
    assert "\n" not in gpu.why_none()


def test_a_driver_without_cards_says_so(nvml: FakeNvml) -> None:
    nvml.cards.clear()
    assert gpu.gpus() == []
    assert "finds no GPU" in gpu.why_none()


def test_the_driver_is_let_go_when_a_card_is_lost(nvml: FakeNvml) -> None:
    nvml.broken["nvmlDeviceGetName"] = pynvml.NVML_ERROR_GPU_IS_LOST
    assert gpu.gpus() == []
    assert gpu.why_none()
    assert nvml.open == 0


def test_memory_and_cuda_that_the_driver_does_not_tell_are_none(nvml: FakeNvml) -> None:
    nvml.broken["nvmlDeviceGetMemoryInfo"] = pynvml.NVML_ERROR_NOT_SUPPORTED
    nvml.broken["nvmlSystemGetCudaDriverVersion"] = pynvml.NVML_ERROR_FUNCTION_NOT_FOUND
    assert [(card.memory_bytes, card.cuda) for card in gpu.gpus()] == [(None, None)] * 2
