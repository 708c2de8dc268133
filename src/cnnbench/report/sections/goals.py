"""How long training takes until it has learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench.report import goals
from cnnbench.report.page.parts import Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.report.page.material import Material
    from cnnbench.report.page.parts import Part

TITLE = "Time to accuracy"
PLACE = 60
ABOUT = (
    "Seconds of training until so many held-out images are classified rightly, over several seeds."
)


def parts(material: Material) -> Iterator[Part]:
    """The table of goals."""
    places = [i for i, result in enumerate(material.results) if result.case.until is not None]
    if places:
        yield Text(ABOUT)
        rows = goals.rows([material.results[place] for place in places])
        yield Table("Training to a goal", rows, places)
