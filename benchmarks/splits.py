"""Where does the time of a tuned step go, under Keras and in plain PyTorch?

    python benchmarks/splits.py [--model NAME]... [--blocks N] [--write]

`cnnbench diagnose` of the fastest configurations that `benchmarks/tuned.py` found of each model on
this machine. A line of docs/measured/splits.jsonl for each; Ctrl-C keeps what is there, and the
same command goes on. --write makes docs/measured/splits.md. N is 3: a quarter of an hour each of
ResNet-56.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cnnbench import catalog, diagnosis, judge, prepare
from cnnbench.cli.measuring import followed, here
from cnnbench.diagnosing import BUDGET, Diagnosing
from cnnbench.report import diagnoses
from cnnbench.report.table import instance
from cnnbench.store.database import Store
from cnnbench.tuned import label
from lapped import speed
from lines import by_machine, keep, recorded
from pages import ROOT, heading
from tuned import DATASETS, KINDS, STACKS, case_of
from tuned import LINES as TUNED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cnnbench.case import Case
    from cnnbench.diagnosis import Diagnosis

FOLDER = ROOT / "docs" / "measured"
LINES, PAGE, STORE = FOLDER / "splits.jsonl", FOLDER / "splits.md", FOLDER / "splits.sqlite"


def main() -> None:
    """Take apart what is missing; print the tables."""
    flags = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    flags.add_argument("--model", action="append", choices=sorted(DATASETS))
    flags.add_argument("--blocks", type=int, default=3)
    flags.add_argument("--write", action="store_true")
    asked = flags.parse_args()
    done = [(instance(line["machine"]), case_of(line["case"])) for line in recorded(LINES)]
    me = instance(here(None))
    try:
        for line in recorded(TUNED):
            if line["model"] not in (asked.model or DATASETS) or instance(line["machine"]) != me:
                continue
            for case in fastest(line):
                if (me, case) not in done:
                    keep(LINES, measured(case, asked.blocks))
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
    text = page(recorded(LINES))
    print(text)
    if asked.write:
        PAGE.write_text(text, "utf-8")


def fastest(line: Mapping[str, Any]) -> Iterator[Case]:
    """Of a model that was tuned: the fastest of our stacks of Keras 3, and of plain PyTorch."""
    ours = {kind: [*STACKS["cpu"][kind], *STACKS["gpu"][kind]] for kind in KINDS}
    for kind in KINDS:
        cases = [case for case in map(case_of, line["cases"].values()) if case.stack in ours[kind]]
        if cases:
            yield max(cases, key=lambda case: speed(line["blocks"], label(case)))


def measured(case: Case, blocks: int) -> dict[str, Any]:
    """What `cnnbench diagnose` measures of a case."""
    with Store.open(STORE) as store:
        running = Diagnosing(case, blocks, prepare.Own(), here(None), store, resume=True)
        if (cut_off := followed(running.run())) is not None:
            raise KeyboardInterrupt from cut_off
    found, launches = running.diagnosis(), running.launches()
    if not found.parts:
        sys.exit(f"splits.py: {case.title}: {next(iter(found.failures.values()), 'no block')}")
    value = catalog.module("metrics", "images_per_second").of
    return {
        "case": asdict(case),
        "blocks": judge.measured(launches, BUDGET, value),
        "macs": next((one.facts["macs"] for one in launches if "macs" in one.facts), None),
        "peaks": found.peaks and found.peaks._asdict(),
        "failures": dict(found.failures),
        "machine": here(None),
    }


def diagnosed(line: Mapping[str, Any]) -> Diagnosis:
    """What a line of the file says."""
    return diagnosis.diagnosed(
        case_of(line["case"]),
        line["blocks"],
        macs=line["macs"],
        peaks=line["peaks"] and diagnosis.Peaks(**line["peaks"]),
        failures=line["failures"],
    )


def page(lines: Sequence[Mapping[str, Any]]) -> str:
    """The tables as Markdown."""
    parts = [
        *heading("splits.py", "Where a tuned step's time goes"),
        "The fastest configurations of [What tuning gives](tuned.md), each taken apart by",
        "`cnnbench diagnose`: see [Why is it slow?](../diagnosis.md)",
        "",
    ]
    for machine, there in by_machine(lines).items():
        parts += [f"## {machine}", ""]
        for found in map(diagnosed, there):
            parts += [f"### {found.case.title}", "", diagnoses.markdown(found), ""]
    return "\n".join(parts if lines else [*parts, "Nothing was measured yet.", ""])


if __name__ == "__main__":
    main()
