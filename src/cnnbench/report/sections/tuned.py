"""Races of configurations: what was tuned, against what there was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench import catalog
from cnnbench.judge import measured
from cnnbench.report.page.parts import Table, Text
from cnnbench.report.table import number
from cnnbench.report.tuned import interval
from cnnbench.stats.interval import geometric
from cnnbench.tuned import CONFIDENCE, SUITE, Lap, gain, unfailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnbench.record import Launch
    from cnnbench.report.page.material import Material
    from cnnbench.report.page.parts import Part, Row
    from cnnbench.store.exchange import Origin

TITLE = "Tuned"
PLACE = 80
ABOUT = (
    "Configurations race in blocks, and leave when they are proven to be behind. Ratios are over"
    " the first configuration of a race, from the blocks that both were in. The last race of a"
    " tuning has two: what there was, and the winner, in launches that did not choose it."
)


def parts(material: Material) -> Iterator[Part]:
    """A table for each race."""
    found = [(origin, _rows(origin, launches)) for origin, launches in material.campaigns(SUITE)]
    told = [(origin, rows) for origin, rows in found if rows]
    if told:
        yield Text(ABOUT)
    for origin, rows in told:
        yield Table(f"{origin.arms[0].case.model}: {len(origin.arms)} configurations", rows)


def _rows(origin: Origin, every: Sequence[Launch]) -> Sequence[Row]:
    launches = unfailed(every)
    speed = catalog.module("metrics", "images_per_second").of
    blocks = measured(launches, origin.budget, speed)
    lap = Lap(
        name="", arms=origin.arms, blocks=blocks, standing=None, failures={}, launches=launches
    )
    found = []
    for arm in origin.arms:
        own = [value for one in launches if one.arm == arm.name and (value := speed(one))]
        if own:
            over = gain(lap, arm.name, origin.arms[0].name)
            found.append(
                {
                    "Configuration": arm.name,
                    "images/s": number(geometric(own, CONFIDENCE).point),
                    "Launches": str(len(own)),
                    "Ratio": f"{over.ratio:.2f}" if over else "",
                    "95 % interval": interval(over),
                }
            )
    return found
