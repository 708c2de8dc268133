"""Who else computes on a card: the processes that the driver names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil
import pynvml

from cnnbench.machine import nvml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnbench.machine.gpu import Gpu

GIB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A process that computes on a card.

    Attributes:
        card: Index of the card.
        pid: As the driver counts; inside a container that may be another than here.
        command: Name of its program; None if it cannot be seen from here.
        account: Who runs it: to be shown, never to be recorded.
        memory_bytes: Of the card; None if the driver does not tell.
    """

    card: int
    pid: int
    command: str | None
    account: str | None
    memory_bytes: int | None


def users(cards: Sequence[Gpu]) -> list[User]:
    """The processes that compute on the cards now, this one apart; those that draw do not count."""
    if not cards:
        return []
    try:
        with nvml.driver():
            return [user for card in cards for user in _of(card)]
    except pynvml.NVMLError:
        return []


def told(users: Sequence[User], *, accounts: bool) -> str:
    """The users in words, like `GPU 0 is in use by python of ann (process 42, 3.1 GiB)`.

    Args:
        users: At least one.
        accounts: Whether to name who runs them.
    """
    by_card: dict[int, list[str]] = {}
    for user in users:
        by_card.setdefault(user.card, []).append(_one(user, accounts=accounts))
    return "; ".join(f"GPU {card} is in use by {', '.join(by_card[card])}" for card in by_card)


def _of(card: Gpu) -> list[User]:
    found = nvml.ask("nvmlDeviceGetComputeRunningProcesses", nvml.handle(card.index)) or []
    here = psutil.Process().pid
    return [_user(card, one.pid, one.usedGpuMemory) for one in found if one.pid != here]


def _user(card: Gpu, pid: int, memory: int | None) -> User:
    try:
        process = psutil.Process(pid)
        command, account = process.name(), process.username()
    except (psutil.Error, KeyError):  # another's, gone, in another container, without an account
        command, account = None, None
    return User(card=card.index, pid=pid, command=command, account=account, memory_bytes=memory)


def _one(user: User, *, accounts: bool) -> str:
    whose = f" of {user.account}" if accounts and user.account else ""
    memory = "" if user.memory_bytes is None else f", {user.memory_bytes / GIB:.1f} GiB"
    return f"{user.command or 'a program'}{whose} (process {user.pid}{memory})"
