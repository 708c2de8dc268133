"""What a job takes as a table and as JSON for programs. New keys may be added, none change."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cnnbench.report import grid
from cnnbench.report.document import SCHEMA
from cnnbench.report.table import about, filled, instance, interval, notes, number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cnnbench.job import Bill, Job
    from cnnbench.stats.interval import Interval

# The longest time, in seconds, that is told in a unit; the unit's name and its seconds.
UNITS = ((90.0, "s", 1.0), (5400.0, "min", 60.0), (math.inf, "h", 3600.0))
KILOWATT_HOUR = 3.6e6  # joules
TIME, TIMES, BEST = "Time", "Time, from - to", "May be best"
LEFT_OUT = ("Backend", "Package")  # of the columns of results: stacks say them


def rows(bills: Sequence[Bill], currency: str) -> list[dict[str, str]]:
    """One row of texts by column for each bill, in their order.

    Columns of money and energy are there when a row has something to say in them.
    """
    longest = max(bill.seconds.point for bill in bills)
    unit, seconds = next((name, length) for most, name, length in UNITS if longest <= most)
    money: dict[str, Callable[[Bill], str]] = {
        f"Cost ({currency})": lambda bill: _point(bill.money),
        "Cost, from - to": lambda bill: _ends(bill.money),
        f"Images per {currency}": lambda bill: _point(bill.images_per_money),
        "Energy (kWh)": lambda bill: _point(bill.joules, KILOWATT_HOUR),
    }
    return filled(
        [
            {
                **{name: cell for name, cell in about(bill.result).items() if name not in LEFT_OUT},
                f"{TIME} ({unit})": _point(bill.seconds, seconds),
                TIMES: _ends(bill.seconds, seconds),
                **{name: cell(bill) for name, cell in money.items()},
                BEST: "" if bill.beaten else "yes",
            }
            for bill in bills
        ],
        *money,
    )


def markdown(bills: Sequence[Bill], currency: str) -> str:
    """The table as Markdown."""
    return grid.markdown(rows(bills, currency))


def document(bills: Sequence[Bill], job: Job, currency: str | None) -> dict[str, Any]:
    """The answer of `cost`."""
    return {
        "schema": SCHEMA,
        "job": job._asdict(),
        "currency": currency,
        "bills": [_bill(bill) for bill in bills],
    }


def _bill(bill: Bill) -> dict[str, Any]:
    result = bill.result
    spans: Mapping[str, Interval | None] = {
        "seconds": bill.seconds,
        "money": bill.money,
        "images_per_money": bill.images_per_money,
        "joules": bill.joules,
    }
    return {
        "case": {"id": result.case.id, **asdict(result.case)},
        "instance": instance(result.machine),
        "machine_id": str(result.machine.get("machine_id", "")),
        "verdict": result.verdict,
        "notes": notes(result),
        **{name: span and span._asdict() for name, span in spans.items()},
        "may_be_best": not bill.beaten,
    }


def _point(span: Interval | None, unit: float = 1.0) -> str:
    return "" if span is None else _number(span.point / unit)


def _ends(span: Interval | None, unit: float = 1.0) -> str:
    if span is None:
        return ""
    if span.low is None or span.high is None:
        return interval(span)
    return f"{_number(span.low / unit)} - {_number(span.high / unit)}"


def _number(value: float) -> str:
    """A number that may be a price of cents: two digits that count at least."""
    return number(value) if value >= 1 else f"{value:.2g}"
