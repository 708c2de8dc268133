"""A gate as Markdown for people, and as JSON for programs. New keys may be added, none change."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from cnnbench.gate import REGRESSION, UNDECIDED
from cnnbench.report import comparisons, grid
from cnnbench.report.document import SCHEMA
from cnnbench.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cnnbench.case import Case
    from cnnbench.gate import Decision
    from cnnbench.record import Facts

# Options whose value says where things go, not what is measured; a store's may hold a password.
PLACES = ("--store", "--json", "--junit", "--summary")
SIGNS = {REGRESSION: "❌", UNDECIDED: "❔"}


def summary(decision: Decision, command: str) -> str:
    """GitHub-flavoured Markdown: the verdict, the table of all passes, and how to reproduce it.

    Args:
        decision: Of the gate.
        command: That measures the same again, as `reproducing` writes it.
    """
    rows = [
        {"Pass": str(number), **row}
        for number, found in enumerate(decision.passes, 1)
        for row in comparisons.rows(found)
    ]
    remarks = dict.fromkeys(
        " ".join(one.split()) for found in decision.passes for one in comparisons.remarks(found)
    )
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", command)), default=0))
    sign = SIGNS.get(decision.word, "✅" if decision.status == 0 else "❌")
    parts = [
        f"### {sign} cnnbench gate: {decision.word}",
        " ".join(decision.reason.split()),
        grid.markdown(rows),
        "\n".join(f"- {one}" for one in remarks),
        f"Measured by cnnbench {VERSION}; to measure it again on a machine like that:",
        f"{fence}sh\n{command}\n{fence}",
    ]
    return "\n\n".join(parts) + "\n\n"


def document(decision: Decision, machine: Facts, command: str) -> dict[str, Any]:
    """The whole answer of `gate`.

    Args:
        decision: Of the gate.
        machine: Facts of the host.
        command: That measures the same again.
    """
    return {
        "schema": SCHEMA,
        "verdict": decision.word,
        "reason": decision.reason,
        "exit_status": decision.status,
        "command": command,
        "passes": [comparisons.document(found, machine) for found in decision.passes],
    }


def reproducing(arguments: Sequence[str], cases: Mapping[str, Case]) -> str:
    """The command that measures the same again, as a shell takes it.

    Revisions are by the commits that they were; where results go is left out.

    Args:
        arguments: Of the program, its command first.
        cases: What the texts of `--base` and `--head` came to.
    """
    kept: list[str] = []
    option = ""
    for argument in arguments:
        if option and not argument.startswith("--"):  # it is the value of the option before it
            kept += [pinned(argument, cases[option])] if option in cases else []
            option = ""
            continue
        option, sign, value = argument.partition("=")
        if option in cases:
            kept += [option, pinned(value, cases[option])] if sign else [option]
        elif option not in PLACES:
            kept.append(argument)
        if sign or option not in (*PLACES, *cases):
            option = ""
    return shlex.join(["cnnbench", *kept])


def pinned(text: str, case: Case) -> str:
    """The text of an arm, its revision by the commit that it was."""
    names = (case.model, case.dataset)
    commit = next((name.rpartition("@")[2] for name in names if ".py@" in name), "")
    parts = [
        f"rev={commit}" if commit and part.strip().startswith("rev=") else part
        for part in text.split(",")
    ]
    return ",".join(parts)
