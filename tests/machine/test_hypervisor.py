"""Whose virtual machine this is: asked of systemd, else read from CPU flags and firmware."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from cnnbench.machine import hypervisor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tree = Callable[[dict[str, str]], Path]

DMI = "sys/class/dmi/id"


@pytest.fixture
def no_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)


@pytest.mark.parametrize(("answer", "status"), [("kvm", 0), ("none", 1)])
def test_systemd_is_asked_first_and_about_machines_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    program = tmp_path / "systemd-detect-virt"
    program.write_text(f'#!/bin/sh\n[ "$1" = --vm ] && echo {answer}\nexit {status}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert hypervisor.vendor(tmp_path, {"hypervisor"}) == answer


@pytest.mark.usefixtures("no_systemd")
@pytest.mark.parametrize(
    ("flags", "texts", "expected"),
    [
        ({"sse2", "hypervisor"}, {f"{DMI}/sys_vendor": "Amazon EC2"}, "Amazon EC2"),
        ({"sse2", "hypervisor"}, {"sys/hypervisor/type": "xen"}, "xen"),
        ({"sse2", "vmm"}, {}, "unknown hypervisor"),
        ({"sse2"}, {f"{DMI}/sys_vendor": "Microsoft Corporation"}, "none"),
        ({"asimd"}, {f"{DMI}/sys_vendor": "QEMU"}, "QEMU"),
        (
            {"asimd"},
            {f"{DMI}/sys_vendor": "Amazon EC2", f"{DMI}/product_name": "c6g.metal"},
            "none",
        ),
        ({"asimd"}, {f"{DMI}/sys_vendor": "Ampere"}, None),
        (set(), {}, None),
    ],
)
def test_without_systemd_flags_decide_and_firmware_names(
    tree: Tree, flags: set[str], texts: dict[str, str], expected: str | None
) -> None:
    assert hypervisor.vendor(tree(texts), flags) == expected
