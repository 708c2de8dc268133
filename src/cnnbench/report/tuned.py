"""What tuning found, as tables and as JSON. New keys may be added, none change."""

from __future__ import annotations

from dataclasses import asdict
from statistics import mean
from typing import TYPE_CHECKING, Any

from cnnbench import catalog, recipes
from cnnbench.proof import EXPLAINED, SAME, UNVERIFIED
from cnnbench.report import grid
from cnnbench.report.document import SCHEMA, finite
from cnnbench.report.table import FORMATS, number
from cnnbench.stopping import seconds
from cnnbench.tuned import chooser, gain, label, proof

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cnnbench.case import Case
    from cnnbench.record import Facts, Launch
    from cnnbench.stats.interval import Interval
    from cnnbench.tuned import Answer, Gain, Lap

RATIO, RANGE = "Ratio to now", "95 % interval"
SOMETIMES = ("Precision", "Batch Size", "Threads", "Loader")  # columns, where rows differ
GIB = 2**30


def rows(found: Answer) -> list[dict[str, str]]:
    """A row for each configuration of the last race that chose, the best first."""
    lap = chooser(found.races)
    if lap is None or lap.standing is None:
        return []
    behind = lap.standing.behind
    cases = sorted((a.case for a in lap.arms if a.name in behind), key=lambda c: -behind[label(c)])
    table = [_row(case, lap, found) for case in cases]
    empty = {name for name in SOMETIMES if _alike(table, name)}
    return [{k: v for k, v in row.items() if k not in empty} for row in table]


def contribution_rows(found: Answer) -> list[dict[str, str]]:
    """A row for each recipe of the winner."""
    return [
        {
            "Recipe": name,
            "Ratio with it": f"{one.ratio:.2f}",
            RANGE: interval(one),
            "Changes": catalog.module("recipes", name).CHANGES,
            "What it does": next(e.about for e in catalog.entries("recipes") if e.name == name),
        }
        for name, one in sorted(found.contributions.items(), key=lambda pair: -pair[1].ratio)
    ]


def markdown(found: Answer) -> str:
    """Everything, as Markdown."""
    parts = [grid.markdown(rows(found)) if rows(found) else "Nothing was measured."]
    if table := contribution_rows(found):
        parts.append(grid.markdown(table))
    parts.append("\n".join(f"- {line}" for line in remarks(found)))
    return "\n\n".join(parts)


def remarks(found: Answer) -> Iterator[str]:
    """What must be known, a line each: the answer first."""
    yield _verdict(found)
    yield from _training(found)
    for lap in found.races:
        if not lap.launches:
            yield (
                f"{lap.name}: no time was left for {len(lap.arms)} configurations, about"
                f" {_minutes(lap, found)} min a block; give it more --minutes"
            )
            continue
        stayed = len(lap.standing.inside) if lap.standing else 0
        yield (
            f"{lap.name}: {len(lap.arms)} configurations, {len(lap.blocks)} blocks,"
            f" {len(lap.launches)} launches; {stayed} stayed"
        )
    seen: dict[str, list[str]] = {}
    for lap in found.races:
        for name, why in lap.failures.items():
            seen.setdefault(" ".join(why.split()), []).append(name)
    for why, names in seen.items():
        yield f"{' and '.join(dict.fromkeys(names))}: {why}"


def _training(found: Answer) -> Iterator[str]:
    """Whether the winner trains rightly, and what may be as good."""
    if found.best is None:
        return
    best = label(found.best)
    known = {name: proof(found.races, name) for name in (best, *found.maybe)}
    because = f": {why}" if (why := known[best].get("proof_reason")) else ""
    yield f"its training: {known[best].get('proof_outcome', UNVERIFIED)}{because}"
    others = [name for name in found.maybe if name != best]
    right = [name for name in others if known[name].get("proof_outcome") in (SAME, EXPLAINED)]
    if right:
        yield f"no worse, as far as is known: {'; '.join(right)}"
    if rest := [name for name in others if name not in right]:
        yield f"no worse, as far as is known, if their training is right: {'; '.join(rest)}"


def document(found: Answer, machine: Facts) -> dict[str, Any]:
    """The whole answer of `tune`."""
    return {
        "schema": SCHEMA,
        "machine": finite(machine),
        "objective": found.objective,
        "seconds": round(found.seconds, 1),
        "present": _case(found.present),
        "best": found.best and _case(found.best),
        "maybe_best": list(found.maybe),
        "gain": found.gain and found.gain._asdict(),
        "contributions": {name: one._asdict() for name, one in found.contributions.items()},
        "races": [_lap(lap) for lap in found.races],
    }


def _verdict(found: Answer) -> str:
    if found.best is None:
        return "no configuration could be measured"
    if found.best == found.present:
        tried = " that was tried" if found.unraced else ""
        return f"nothing{tried} is better than what there is: {label(found.present)}"
    if found.gain is None:
        return f"{label(found.best)} is ahead; there was no time to confirm by how much"
    one = found.gain
    return (
        f"{label(found.best)}: {one.ratio:.2f} times as good as {label(found.present)}"
        f" ({interval(one)}), in {one.blocks} blocks of new launches"
    )


def _row(case: Case, lap: Lap, found: Answer) -> dict[str, str]:
    against = gain(lap, label(case), label(found.present))
    mine = [one for one in lap.launches if one.case == case and one.failure is None]
    return {
        "Stack": case.stack,
        "Data Format": FORMATS[case.data_format],
        "Precision": case.precision,
        "Batch Size": str(case.batch_size),
        "Threads": str(case.threads or ""),
        "Loader": case.loader,
        "Recipes": ", ".join(case.recipes) or recipes.NONE,
        "Speed (images/s)": _mean(mine, "images_per_second", 1),
        "Memory (GiB)": _mean(mine, "peak_memory", GIB),
        "Blocks": str(against.blocks if against else 0),
        RATIO: f"{against.ratio:.2f}" if against else "",
        RANGE: interval(against),
    }


def _minutes(lap: Lap, found: Answer) -> str:
    """What a block of a race would take, by the launches that there were."""
    took = [seconds(one) for other in found.races for one in other.launches if not one.failure]
    return number(len(lap.arms) * mean(took) / 60) if took else "some"


def _alike(table: Sequence[Mapping[str, str]], name: str) -> bool:
    """Whether a column says the same of all."""
    return len({row[name] for row in table}) == 1


def _mean(launches: Sequence[Launch], metric: str, unit: float) -> str:
    of = catalog.module("metrics", metric).of
    values = [value / unit for launch in launches if (value := of(launch))]
    return number(mean(values)) if values else ""


def interval(one: Gain | Interval | None, digits: int = 2) -> str:
    """`low - high`; nothing where one block gives none."""
    if one is None or one.low is None or one.high is None:
        return ""
    return f"{one.low:.{digits}f} - {one.high:.{digits}f}"


def _case(case: Case) -> dict[str, Any]:
    return {"id": case.id, "name": label(case), **asdict(case)}


def _lap(lap: Lap) -> dict[str, Any]:
    return {
        "name": lap.name,
        "configurations": [_case(arm.case) for arm in lap.arms],
        "blocks": list(lap.blocks),
        "leader": lap.standing.leader if lap.standing else None,
        "stayed": list(lap.standing.inside) if lap.standing else [],
        "behind": finite(lap.standing.behind) if lap.standing else {},
        "failures": dict(lap.failures),
        "proofs": {name: facts["proof_outcome"] for name, facts in lap.proofs.items()},
        "launches": [one.id for one in lap.launches],
    }
