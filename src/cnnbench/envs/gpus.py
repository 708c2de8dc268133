"""NVIDIA cards and driver, and whether they can run what was built for a CUDA version."""

from __future__ import annotations

from dataclasses import dataclass

import pynvml

# Compute capability of the oldest and newest card that each CUDA compiles for (release notes of
# 9.0, 12.0 and 13.0). None: a newer card also runs, from the PTX that the packages carry.
_CARDS: dict[str, tuple[tuple[int, int], tuple[int, int] | None]] = {
    "9.0": ((3, 0), (7, 0)),
    "12.0": ((5, 0), None),
    "13.0": ((7, 5), None),
}


@dataclass(frozen=True, slots=True)
class Card:
    """One GPU: its product name and compute capability."""

    name: str
    capability: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Gpus:
    """What the driver answers: the newest CUDA that it serves, and the cards."""

    cuda: tuple[int, int]
    cards: tuple[Card, ...]


def found() -> Gpus | None:
    """Ask the driver; None if none answers."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        number = pynvml.nvmlSystemGetCudaDriverVersion_v2()
        cards = tuple(_card(index) for index in range(pynvml.nvmlDeviceGetCount()))
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()
    return Gpus((number // 1000, number % 1000 // 10), cards)


def unfit(cuda: str | None, gpus: Gpus | None) -> str | None:
    """Why no card here runs packages built for a CUDA version, and what to do; None if one does.

    Args:
        cuda: Such as `9.0`; None asks for a working driver and card only.
        gpus: What was found.
    """
    if gpus is None:
        return "no NVIDIA driver answers here; install one (nvidia-smi must work)"
    if not gpus.cards:
        return "the NVIDIA driver finds no card; see nvidia-smi -L"
    if cuda is None:
        return None
    if gpus.cuda < _version(cuda):
        return f"the NVIDIA driver serves CUDA {_dotted(gpus.cuda)}, not {cuda}; update the driver"
    misfits = [_misfit(cuda, card) for card in gpus.cards]
    return None if None in misfits else f"{misfits[0]}; choose another stack"


def _misfit(cuda: str, card: Card) -> str | None:
    oldest, newest = _CARDS.get(cuda, ((0, 0), None))
    this = f"{card.name} (compute capability {_dotted(card.capability)})"
    if card.capability < oldest:
        return f"{this} is too old for CUDA {cuda}, which needs {_dotted(oldest)} or more"
    if newest and card.capability > newest:
        return f"{this} is too new for CUDA {cuda}, which ends at {_dotted(newest)}"
    return None


def _card(index: int) -> Card:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
    return Card(pynvml.nvmlDeviceGetName(handle), (major, minor))


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _dotted(pair: tuple[int, int]) -> str:
    return f"{pair[0]}.{pair[1]}"
