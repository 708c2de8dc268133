"""Where the time of a training step goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench import catalog, diagnosis
from cnnbench.judge import measured
from cnnbench.report import diagnoses
from cnnbench.report.page.parts import Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.report.page.material import Material
    from cnnbench.report.page.parts import Part

TITLE = "Where a step's time goes"
PLACE = 90
SUITE = "diagnose"
ABOUT = (
    "The same training beside experiments that each leave a part of a step out. The ceiling of a"
    " part is how many times as fast training would be if it took no time."
)


def parts(material: Material) -> Iterator[Part]:
    """The tables of each diagnosis."""
    recorded = material.of(SUITE)
    first = True
    for name, origin in recorded.campaigns.items():
        launches = [launch for launch in recorded.launches if launch.campaign == name]
        speed = catalog.module("metrics", "images_per_second").of
        found = diagnosis.diagnosed(
            origin.arms[0].case,
            measured(launches, origin.budget, speed),
            failures={one.arm: one.failure.message for one in launches if one.failure},
        )
        if not found.parts:
            continue
        if first:
            yield Text(ABOUT)
        first = False
        yield Table(found.case.title, diagnoses.rows(found))
        if rows := diagnoses.effect_rows(found):
            yield Table("Other ways to train", rows)
