"""Proofs that the training which was measured is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench.proof import UNVERIFIED
from cnnbench.report import proofs
from cnnbench.report.page.parts import Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.report.page.material import Material
    from cnnbench.report.page.parts import Part

TITLE = "Correctness"
PLACE = 100
ABOUT = (
    "Each proof holds one stack's training against the same model in plain PyTorch in float64:"
    " the same weights and images must give the same gradients, updates and losses. Excess is the"
    " largest deviation over what rounding explains: below 1, training is right."
)


def parts(material: Material) -> Iterator[Part]:
    """The table of proofs, and how many results have one."""
    speeds = [result for result in material.results if result.images_per_second]
    if not speeds and not material.proofs:
        return
    yield Text(ABOUT)
    proven = sum(UNVERIFIED not in result.labels for result in speeds)
    yield Text(f"{proven} of {len(speeds)} results with a number have a proof of their own.")
    if material.proofs:
        yield Table("Proofs", proofs.rows(material.proofs))
