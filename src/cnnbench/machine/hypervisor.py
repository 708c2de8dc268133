"""Whose virtual machine this is, if it is one."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from cnnbench.machine import files

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

# Firms whose name in the firmware tables means a guest, for CPUs that have no hypervisor flag.
GUEST_VENDORS = ("QEMU", "Amazon EC2", "Google", "VMware", "Xen", "OpenStack", "DigitalOcean")


def vendor(root: Path, cpu_flags: Collection[str]) -> str | None:
    """The hypervisor, like `kvm` or `amazon`; `none` on bare metal, None if it cannot be told.

    Args:
        root: Of the file system.
        cpu_flags: All the flags of the CPU; empty where unknown.
    """
    return _systemd() or _firmware(root, cpu_flags)


def _systemd() -> str | None:
    program = shutil.which("systemd-detect-virt")
    if program is None:
        return None
    # --vm: a container is not what slows a CPU down. The exit status is 1 for `none`.
    command = [program, "--vm"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def _firmware(root: Path, cpu_flags: Collection[str]) -> str | None:
    maker = files.text(root, "sys/class/dmi/id/sys_vendor")
    product = files.text(root, "sys/class/dmi/id/product_name") or ""
    if not {"hypervisor", "vmm"}.isdisjoint(cpu_flags):  # Linux and macOS spell it differently
        return maker or files.text(root, "sys/hypervisor/type") or "unknown hypervisor"
    if "sse2" in cpu_flags:  # an x86 CPU would say so
        return "none"
    if maker and maker.startswith(GUEST_VENDORS):
        return "none" if ".metal" in product else maker
    return None
