"""Whether the cards and driver of this machine run what was built for a CUDA version."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.machine.gpu import Gpu

# Compute capability of the oldest and newest card that each CUDA compiles for (release notes of
# 9.0, 12.0 and 13.0). None: a newer card also runs, from the PTX that the packages carry.
_CARDS: dict[str, tuple[tuple[int, int], tuple[int, int] | None]] = {
    "9.0": ((3, 0), (7, 0)),
    "12.0": ((5, 0), None),
    "13.0": ((7, 5), None),
}


def unfit(cuda: str | None, gpus: Sequence[Gpu]) -> str | None:
    """Why no card runs packages built for a CUDA version, and what to do; None if one does.

    Args:
        cuda: Such as `9.0`; None asks for a card only.
        gpus: At least one.
    """
    if cuda is None:
        return None
    driver = gpus[0].cuda
    if driver is not None and _version(driver) < _version(cuda):
        return f"the NVIDIA driver serves CUDA {driver}, not {cuda}; update the driver"
    misfits = [_misfit(cuda, gpu) for gpu in gpus]
    return None if None in misfits else f"{misfits[0]}; choose another stack"


def _misfit(cuda: str, gpu: Gpu) -> str | None:
    oldest, newest = _CARDS.get(cuda, ((0, 0), None))
    this = f"{gpu.name} (compute capability {_dotted(gpu.capability)})"
    if gpu.capability < oldest:
        return f"{this} is too old for CUDA {cuda}, which needs {_dotted(oldest)} or more"
    if newest and gpu.capability > newest:
        return f"{this} is too new for CUDA {cuda}, which ends at {_dotted(newest)}"
    return None


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _dotted(pair: tuple[int, int]) -> str:
    return f"{pair[0]}.{pair[1]}"
