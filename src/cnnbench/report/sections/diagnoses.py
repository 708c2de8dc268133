"""Where the time of a training step goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench import diagnosis
from cnnbench.report import diagnoses
from cnnbench.report.page.parts import Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.report.page.material import Material
    from cnnbench.report.page.parts import Part

TITLE = "Where a step's time goes"
PLACE = 90
ABOUT = (
    "The same training beside experiments that each leave a part of a step out. The ceiling of a"
    " part is how many times as fast training would be if it took no time."
)


def parts(material: Material) -> Iterator[Part]:
    """The tables of each diagnosis."""
    found = [
        diagnosis.concluded(origin.arms[0].case, launches, origin.budget, {})
        for origin, launches in material.campaigns(diagnosis.SUITE)
    ]
    told = [one for one in found if one.parts]
    if told:
        yield Text(ABOUT)
    for one in told:
        yield Table(one.case.title, diagnoses.rows(one))
        if rows := diagnoses.effect_rows(one):
            yield Table("Other ways to train", rows)
        if rows := diagnoses.peak_rows(one):
            yield Table("Peaks of this machine, and the share that training reaches", rows)
