"""Energy of the CPUs, by the counters of their packages (RAPL, as Linux shows it of Intel and AMD).

A package is a whole socket: whatever else runs on it is counted too. Only root reads the counters
on most systems (CVE-2020-8694), and virtual machines have none.
Source: Documentation/power/powercap/powercap.rst of the Linux kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench.machine import files

if TYPE_CHECKING:
    from pathlib import Path

    from cnnbench.record import Scalar

ZONES = "sys/class/powercap"
MICRO = 1e-6


class Meter:
    """Adds up what all packages take in stretches of time.

    Args:
        root: Under which the kernel's files lie.
    """

    def __init__(self, root: Path = files.ROOT) -> None:
        self._root = root
        self._packages = [zone for zone in _zones(root) if _is_package(root, zone)]
        self._begun: list[int | None] = []
        self._joules: float | None = 0.0

    def begin(self) -> None:
        """A stretch begins now."""
        self._begun = self._read()

    def end(self) -> None:
        """It ends now. A counter that is as far as it goes begins again at zero."""
        for zone, before, after in zip(self._packages, self._begun, self._read(), strict=True):
            if before is None or after is None or self._joules is None:
                self._joules = None
                return
            around = files.number(self._root, f"{zone}/max_energy_range_uj") or 0
            self._joules += MICRO * (after - before + (around if after < before else 0))

    def facts(self) -> dict[str, Scalar]:
        """What was taken; {} where no counter can be read."""
        return {"cpu_steady_joules": self._joules} if self._packages and self._joules else {}

    def _read(self) -> list[int | None]:
        return [files.number(self._root, f"{zone}/energy_uj") for zone in self._packages]


def _zones(root: Path) -> list[str]:
    """Top zones: `intel-rapl:0`, whoever made the CPU; parts of one have another colon."""
    found = sorted((root / ZONES).glob("intel-rapl:*"))
    return [f"{ZONES}/{path.name}" for path in found if path.name.count(":") == 1]


def _is_package(root: Path, zone: str) -> bool:
    """Whether a zone is a socket, not the whole platform around it, and tells."""
    name = files.text(root, f"{zone}/name") or ""
    return name.startswith("package") and files.number(root, f"{zone}/energy_uj") is not None
