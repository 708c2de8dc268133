"""What gave no number, why, and what the process said last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench.report.page.parts import Table, Text, Unfolding
from cnnbench.result import FAILED, NOT_REACHED, REFUSED, UNSTEADY, UNSUPPORTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.report.page.material import Material
    from cnnbench.report.page.parts import Part

TITLE = "Without a number"
PLACE = 110
WITHOUT = (REFUSED, FAILED, UNSTEADY, NOT_REACHED, UNSUPPORTED)
LONGEST = 20_000  # characters of a log


def parts(material: Material) -> Iterator[Part]:
    """A table, and the log of each launch that failed."""
    results = material.results
    places = [i for i, result in enumerate(results) if result.verdict in WITHOUT]
    if not places:
        return
    places.sort(key=lambda place: WITHOUT.index(results[place].verdict))
    yield Text(f"{len(places)} of {len(results)} results have no number.")
    rows = [
        {
            "Verdict": results[place].verdict,
            "Case": results[place].case.title,
            "Reason": " ".join(results[place].reason.split()),
        }
        for place in places
    ]
    yield Table("Results without a number", rows, places)
    for launch in material.recorded.launches:
        if launch.failure and (said := launch.failure.traceback + launch.failure.log_tail):
            yield Unfolding(
                f"{launch.case.title}, launch {launch.id}: {launch.failure.stage}", _end(said)
            )


def _end(text: str) -> str:
    """The end of a text, which says most of what went wrong."""
    if len(text) <= LONGEST:
        return text
    return f"({len(text) - LONGEST} characters before this are left out)\n{text[-LONGEST:]}"
