"""The table of results, in the columns of "Detailed CNN Benchmark Results" and a few more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench.case import KERAS
from cnnbench.machine.facts import label
from cnnbench.report import grid
from cnnbench.result import FAILED, REFUSED, SETTLED, UNSUPPORTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnbench.case import Case
    from cnnbench.result import Estimate, Result
    from cnnbench.stats.interval import Interval

BACKENDS = {
    "tensorflow": "TensorFlow",
    "mxnet": "MXNet",
    "jax": "JAX",
    "torch": "PyTorch",
    "native": "plain PyTorch",
}
FORMATS = {"channels_last": "channel last", "channels_first": "channel first"}
SILENT = (FAILED, REFUSED, UNSUPPORTED)  # verdicts without a number, whose reason stands below
OPTIONAL = ("Devices", "Precision", "Augmented", "Threads", "Loader", "Recipes", "Notes")
SPEED, INTERVAL = "Speed (images/s)", "95 % interval"


def rows(results: Sequence[Result]) -> list[dict[str, str]]:
    """One row of texts by column for each result that is of speed, in their order.

    Columns that only some tables need (devices, precision, augmentation, threads, notes) are there
    when a row has something to say in them. The last two are always the speed and its interval.
    """
    return filled([_row(result) for result in results if result.case.until is None])


def filled(found: Sequence[Mapping[str, str]], *more: str) -> list[dict[str, str]]:
    """Rows without the optional columns, and those named besides, in which no row has a word."""
    optional = (*OPTIONAL, *more)
    empty = {name for name in optional if not any(row[name] for row in found)}
    return [{k: v for k, v in row.items() if k not in empty} for row in found]


def markdown(results: Sequence[Result]) -> str:
    """The table as Markdown, and under it the reasons of the rows without a number."""
    found = rows(results)
    speeds = [result for result in results if result.case.until is None]
    return f"{grid.markdown(found)}{reasons(speeds)}" if found else "Nothing was measured yet."


def place(case: Case) -> tuple[str | float, ...]:
    """Where a case stands in a table: what is to be compared, the stacks, stands together."""
    return (
        *(case.model, case.dataset, case.method, case.global_batch, case.data_format),
        *(case.stack, case.device, case.devices, case.precision, case.until or 0.0),
        case.loader,
        *case.recipes,
    )


def number(value: float) -> str:
    """A number with three digits that count, or all before the point."""
    if value >= 100:  # noqa: PLR2004
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004


def interval(estimate: Estimate | Interval | None) -> str:
    """`low - high`; `none` for a single launch; nothing without a number."""
    if estimate is None:
        return ""
    if estimate.low is None or estimate.high is None:
        return "none (1 launch)"
    return f"{number(estimate.low)} - {number(estimate.high)}"


def instance(machine: Mapping[str, object]) -> str:
    """What the first column says: the instance type that the user named, or what the host is."""
    named = machine.get("instance_type")
    return str(named) if named else label(machine)  # type: ignore[arg-type]


def about(result: Result) -> dict[str, str]:
    """The cells that say what was measured, by column."""
    case, facts = result.case, result.facts
    backend = str(facts.get("backend", ""))
    return {
        "Instance Type": instance(result.machine),
        "GPU used": str(case.devices) if case.device == "gpu" else "0",
        "Stack": case.stack,
        "Model": case.model,
        "Data Set": case.dataset,
        "Method": f"`{case.method}`",
        "Backend": BACKENDS.get(backend, backend),
        "Package": str(facts.get("package", "")),
        "Batch Size": str(case.global_batch),
        "Data Format": FORMATS[case.data_format],
        "Devices": f"{case.devices} virtual" if _is_virtual(case) else "",
        "Precision": "" if case.precision == "float32" else case.precision,
        "Augmented": "yes" if case.augment else "",
        "Threads": str(case.threads or ""),
        "Loader": "" if case.loader == KERAS else case.loader,
        "Recipes": ", ".join(case.recipes),
        "Notes": notes(result),
    }


def _row(result: Result) -> dict[str, str]:
    speed = result.images_per_second
    return {
        **about(result),
        SPEED: number(speed.point) if speed else result.verdict,
        INTERVAL: interval(speed),
    }


def _is_virtual(case: Case) -> bool:
    """Whether the devices are parts of one CPU."""
    return case.device == "cpu" and case.devices > 1


def notes(result: Result) -> str:
    """What a reader must know of a number: a verdict that is not `settled`, and labels."""
    said = list(result.labels)
    if result.verdict not in (SETTLED, *SILENT):
        said.insert(0, f"{result.verdict}: {result.reason}")
    return "; ".join(said)


def reasons(results: Sequence[Result]) -> str:
    """A paragraph with the reasons of the results without a number; empty where all have one.

    Cases of one reason share a line.
    """
    said: dict[tuple[str, str], list[Case]] = {}
    for result in results:
        if result.verdict in SILENT:
            said.setdefault((result.verdict, result.reason), []).append(result.case)
    lines = [f"- {_who(cases)}: {verdict}: {why}" for (verdict, why), cases in said.items()]
    return "\n\n" + "\n".join(" ".join(line.split()) for line in lines) if lines else ""


def _who(cases: Sequence[Case]) -> str:
    if len(cases) == 1:
        return cases[0].title
    return f"{len(cases)} cases of {', '.join(dict.fromkeys(case.stack for case in cases))}"
