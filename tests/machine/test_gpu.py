"""What the NVIDIA driver tells, and what is said where there is none. NVML is faked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pynvml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.machine import gpu
from cnnbench.machine.gpu import Gpu

if TYPE_CHECKING:
    from tests.fake_nvml import FakeNvml

OPTIONAL = {
    "nvmlDeviceGetMemoryInfo": "memory_bytes",
    "nvmlSystemGetCudaDriverVersion": "cuda",
    "nvmlDeviceGetUUID": "uuid",
    "nvmlDeviceGetMaxClockInfo": "max_mhz",
    "nvmlDeviceGetEnforcedPowerLimit": "power_limit_watts",
    "nvmlDeviceGetPersistenceMode": "persistence",
    "nvmlDeviceGetEccMode": "ecc",
    "nvmlDeviceGetMigMode": "mig",
}
UUIDS = ["GPU-aaaa1111", "GPU-aaaa2222", "GPU-bbbb3333"]


def card(index: int, uuid: str | None = None) -> Gpu:
    return Gpu(name="A100", memory_bytes=1, driver="1", capability=(8, 0), index=index, uuid=uuid)


CARDS = [card(index, uuid) for index, uuid in enumerate(UUIDS)]


def test_each_card_is_told_with_all_that_the_driver_knows(driver: FakeNvml) -> None:
    driver.cards[1].ecc = 0
    first, second = gpu.gpus()
    assert first == Gpu(
        name="NVIDIA A100-SXM4-40GB",
        memory_bytes=40 * 2**30,
        driver="550.54.15",
        capability=(8, 0),
        cuda="12.4",
        index=0,
        uuid="GPU-aaaa1111-0000",
        max_mhz=1410,
        max_memory_mhz=1215,
        power_limit_watts=400.0,
        persistence=True,
        ecc=True,
        mig=False,
    )
    assert (second.capability, second.index, second.ecc) == ((7, 0), 1, False)
    assert gpu.why_none() == ""
    assert driver.open == 0


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, "no NVIDIA driver is installed"),
        (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, "not loaded"),
        (pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH, "try: nvidia-smi"),
    ],
)
def test_a_driver_that_does_not_start_gives_no_cards_and_a_reason(
    driver: FakeNvml, code: int, reason: str
) -> None:
    driver.broken["nvmlInit"] = code
    assert gpu.gpus() == []
    assert reason in gpu.why_none()
    assert "\n" not in gpu.why_none()


def test_a_driver_without_cards_says_so(driver: FakeNvml) -> None:
    driver.cards.clear()
    assert gpu.gpus() == []
    assert "finds no GPU" in gpu.why_none()


def test_the_driver_is_let_go_when_a_card_is_lost(driver: FakeNvml) -> None:
    driver.broken["nvmlDeviceGetName"] = pynvml.NVML_ERROR_GPU_IS_LOST
    assert gpu.gpus() == []
    assert gpu.why_none()
    assert driver.open == 0


@pytest.mark.parametrize(
    "code", [pynvml.NVML_ERROR_NOT_SUPPORTED, pynvml.NVML_ERROR_FUNCTION_NOT_FOUND]
)
@pytest.mark.parametrize("function", OPTIONAL)
def test_what_the_driver_does_not_tell_is_none(driver: FakeNvml, function: str, code: int) -> None:
    driver.broken[function] = code
    found = gpu.gpus()
    assert [getattr(card, OPTIONAL[function]) for card in found] == [None, None]
    assert [card.name for card in found] == [card.name for card in driver.cards]


@pytest.mark.parametrize(
    ("variable", "indices"),
    [
        ("0,2", [0, 2]),
        ("2, 0", [2, 0]),
        ("", []),
        ("-1", []),
        ("0,-1,1", [0]),
        ("0,3,1", [0]),
        ("1,1,2", [1]),
        ("GPU-bbbb3333", [2]),
        ("GPU-b,0", [2, 0]),
        ("GPU-aaaa", []),  # of two cards: it names neither
        ("GPU-cccc", []),
        ("bbbb", []),
        ("MIG-aaaa1111", []),
    ],
)
def test_the_users_choice_is_read_as_cuda_reads_it(variable: str, indices: list[int]) -> None:
    assert [card.index for card in gpu.visible(CARDS, variable)] == indices


@given(st.text() | st.lists(st.sampled_from(["0", "1", "2", "-1", *UUIDS, " "])).map(",".join))
def test_whatever_the_user_wrote_no_card_is_there_twice(variable: str) -> None:
    found = gpu.visible(CARDS, variable)
    assert len({card.index for card in found}) == len(found)


def test_without_a_choice_all_cards_are_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert gpu.visible(CARDS) == CARDS
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert gpu.visible(CARDS) == [CARDS[1]]


def test_facts_of_the_cards_used_name_none_by_its_number(driver: FakeNvml) -> None:
    driver.cards[1].ecc = 0
    found = gpu.described(gpu.gpus())
    assert found["gpus_used"] == 2
    assert found["gpu_used"] == "0: NVIDIA A100-SXM4-40GB, 1: Tesla V100-SXM2-16GB"
    assert (found["gpu_max_mhz"], found["gpu_ecc"]) == (1410, "True, False")
    assert "GPU-" not in str(found)
    assert gpu.described([]) == {}
