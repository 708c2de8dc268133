"""Names of results that are as short as can be: subjects, and in what their results differ."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from cnnbench.case import KERAS
from cnnbench.report.table import instance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnbench.case import Case
    from cnnbench.result import Result


class Subject(NamedTuple):
    """Results that are worth comparing with each other.

    Attributes:
        title: The model, what it was trained on, and where.
        places: Of its results among the page's.
        labels: Of each: in what it differs from the others, but for its data format.
    """

    title: str
    places: Sequence[int]
    labels: Sequence[str]


def subjects(results: Sequence[Result]) -> list[Subject]:
    """Results of one model and data set on one kind of device together, in their order."""
    groups: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for place, result in enumerate(results):
        groups[result.case.model, result.case.dataset, result.case.device].append(place)
    return [
        Subject(
            f"{model} on {dataset}{', on GPUs' if device == 'gpu' else ''}",
            places,
            labels([results[place] for place in places]),
        )
        for (model, dataset, device), places in groups.items()
    ]


def labels(results: Sequence[Result]) -> list[str]:
    """The stack of each, and the values of the other axes in which they differ."""
    words = [dict(_words(result)) for result in results]
    telling = [axis for axis in words[0] if len({word[axis] for word in words}) > 1]
    telling = [axis for axis in telling if axis != "stack"]
    return [" · ".join([w["stack"], *filter(None, (w[a] for a in telling))]) for w in words]


def _words(result: Result) -> Iterator[tuple[str, str]]:
    case: Case = result.case
    yield "stack", case.stack
    yield "method", case.method
    yield "batch", f"batch {case.global_batch}"
    yield "devices", "1 device" if case.devices == 1 else f"{case.devices} devices"
    yield "precision", case.precision
    yield "augmented", "augmented" if case.augment else ""
    yield "threads", f"{case.threads} threads" if case.threads else ""
    yield "loader", f"loader {case.loader}" if case.loader != KERAS else ""
    yield "recipes", "+".join(case.recipes)
    yield "machine", f"{instance(result.machine)} {result.machine.get('machine_id')}"
