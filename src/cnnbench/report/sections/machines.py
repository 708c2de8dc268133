"""The machines and the versions that numbers are from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench.report.page.parts import Table
from cnnbench.report.table import instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.report.page.material import Material
    from cnnbench.report.page.parts import Part

TITLE = "Machines and versions"
PLACE = 120
GIB = 2**30
VERSIONS = {
    "backend": "Backend",
    "backend_version": "Version",
    "keras_version": "Keras",
    "numpy_version": "NumPy",
    "python_version": "Python",
    "package": "Package",
}


def parts(material: Material) -> Iterator[Part]:
    """A table of machines, and one of stacks."""
    launches = material.recorded.launches
    machines = {one.machine.get("machine_id"): one.machine for one in launches}
    if machines:
        rows = [
            {
                "Machine": str(name),
                "Instance Type": instance(facts),
                "CPU": str(facts.get("cpu")),
                "Instructions": str(facts.get("cpu_flags") or ""),
                "CPUs": str(facts.get("cpus_usable")),
                "Memory (GiB)": f"{float(facts.get('memory_bytes') or 0) / GIB:.0f}",
                "GPUs": str(facts.get("gpus") or 0),
                "GPU": str(facts.get("gpu") or ""),
                "System": str(facts.get("os")),
                "Kernel": str(facts.get("kernel")),
                "Virtualisation": str(facts.get("virtualisation") or "none"),
            }
            for name, facts in machines.items()
        ]
        yield Table("Machines", rows)
    stacks = {
        (one.case.stack, one.stack_fingerprint): one.facts
        for one in launches
        if one.facts.get("backend_version")
    }
    if stacks:
        rows = [
            {
                "Stack": name,
                "Fingerprint": fingerprint,
                **{word: str(facts.get(fact) or "") for fact, word in VERSIONS.items()},
            }
            for (name, fingerprint), facts in sorted(stacks.items())
        ]
        yield Table("Stacks", rows)
