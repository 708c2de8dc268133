"""Comparisons, with their verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench.report import comparisons
from cnnbench.report.page.parts import Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.report.page.material import Material
    from cnnbench.report.page.parts import Part

TITLE = "Comparisons"
PLACE = 70
ABOUT = (
    "Arms were launched in blocks, so that what slows a whole block slows no arm. A ratio is the"
    " candidate's speed over the baseline's, with an interval that holds over every look."
)


def parts(material: Material) -> Iterator[Part]:
    """A table and the remarks of each comparison."""
    if material.comparisons:
        yield Text(ABOUT)
    for found in material.comparisons:
        if rows := comparisons.rows(found):
            names = ", ".join(arm.name for arm in found.arms)
            yield Table(f"{names}: {found.blocks} blocks", rows)
        for remark in comparisons.remarks(found):
            yield Text(remark)
