"""Which GPUs a case gets, or why it gets none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cnnbench.envs import cuda
from cnnbench.errors import StackError
from cnnbench.machine import gpu, gpu_users

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cnnbench.case import Case
    from cnnbench.envs.stack import Stack
    from cnnbench.machine.gpu import Gpu

TF32_CAPABILITY = (8, 0)


def cards_for(case: Case, stack: Stack) -> tuple[Gpu, ...]:
    """The cards of this machine that a case gets; () on the CPU.

    Raises:
        StackError: There are too few that can do it; one line that says what to do.
    """
    if case.device != "gpu":
        return ()
    if reason := gpu.why_none():
        raise StackError(reason)
    cards = gpu.visible(gpu.gpus())
    busy = {user.card for user in gpu_users.users(cards)}
    return choose(case, stack.cuda, cards, busy)


def choose(
    case: Case, cuda_version: str | None, cards: Sequence[Gpu], busy: Collection[int] = ()
) -> tuple[Gpu, ...]:
    """As many cards as the case asks for: those that can do it, idle ones first.

    Args:
        case: What is to be measured.
        cuda_version: That the stack was built for, like `9.0`; None if any will do.
        cards: Those that this process may use.
        busy: Indices of cards that somebody else uses.

    Raises:
        StackError: There are too few; one line that says what to do.
    """
    if not cards:
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        raise StackError(
            f"CUDA_VISIBLE_DEVICES={hidden!r} hides every GPU; unset it, or let it name one "
            "(see: nvidia-smi -L)"
        )
    if reason := cuda.unfit(cuda_version, cards) or _without_tf32(case, cards):
        raise StackError(reason)
    usable = [card for card in cards if _can(case, cuda_version, card)]
    if len(usable) < case.devices:
        raise StackError(_too_few(case.devices, len(usable), len(cards)))
    return tuple(sorted(usable, key=lambda card: card.index in busy)[: case.devices])


def _can(case: Case, cuda_version: str | None, card: Gpu) -> bool:
    return not (cuda.unfit(cuda_version, [card]) or _without_tf32(case, [card]))


def _without_tf32(case: Case, cards: Sequence[Gpu]) -> str | None:
    """Why no card computes in TF32, if that is asked for and so."""
    if case.precision != "tf32" or any(card.capability >= TF32_CAPABILITY for card in cards):
        return None
    major, minor = cards[0].capability
    return (
        f"{cards[0].name} (compute capability {major}.{minor}) has no TF32, which needs 8.0 or "
        "more; take --precision float32"
    )


def _too_few(asked: int, usable: int, here: int) -> str:
    limit = " let through by CUDA_VISIBLE_DEVICES" if "CUDA_VISIBLE_DEVICES" in os.environ else ""
    fit = "" if usable == here else f", of which {usable} can run this"
    are = "is" if here == 1 else "are"
    remedy = f"take --devices {usable}{' or fewer' if usable > 1 else ''}"
    plural = "" if asked == 1 else "s"
    return f"{asked} GPU{plural} are asked for, {here} {are} here{limit}{fit}; {remedy}"
