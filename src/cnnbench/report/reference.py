"""The published tables as they were published, with what is known to be wrong."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cnnbench import published
from cnnbench.report import grid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cnnbench.published import Flag, Link, Row, Section


def markdown(rows: Sequence[Row]) -> str:
    """The rows in their sections, with configuration and links, and the legend of their flags."""
    parts = [f"# {published.TITLE}"]
    for section in published.sections():
        if own := [row for row in rows if row.section == section.name]:
            parts += [f"## {section.title}", _configuration(section), grid.markdown(texts(own))]
            parts += every_row(own)
    return "\n\n".join([*parts, "## Flags", legend(rows)])


def legend(rows: Sequence[Row]) -> str:
    """The flags of the rows explained, as a Markdown list."""
    return "\n".join(f"- `{flag.id}`: {flag.about}" for flag in flags(rows))


def as_json(row: Row) -> dict[str, Any]:
    """The row for programs: its fields, the ids of its flags, and its case."""
    own = published.case(row)
    fields = {name: value for name, value in asdict(row).items() if name not in ("flags", "stack")}
    return {
        **fields,
        "flags": _ids(row.flags),
        "stack": row.stack,
        "case": {"id": own.id, **asdict(own)},
    }


def texts(rows: Sequence[Row]) -> list[dict[str, str]]:
    """Rows of one section by column as published; then the flags that not all of them have."""
    own = own_flags(rows)
    found = []
    for row in rows:
        cells = published.section(row.section).columns.items()
        said = {heading: str(getattr(row, field)) for heading, field in cells}
        if "Method" in said:
            said["Method"] = f"`{said['Method']}`"
        found.append(said | {"Flags": own[row.id]})
    return found


def configuration(section: Section) -> list[tuple[str, tuple[Link, ...]]]:
    """The section's configuration as published: what it is, and its texts with their links."""
    link = published.Link
    found = [
        ("Data Set", (section.data_set,)),
        ("Model", (link(section.model),) if section.model else ()),
        ("Keras Version", (link(section.keras),)),
        ("TensorFlow Version", (link(section.tensorflow),)),
        ("MXNet Version", (link(section.mxnet),)),
        ("Training Method", tuple(link(f"`{m.text}`", m.link) for m in section.methods)),
        ("Training Scripts", section.scripts),
    ]
    return [(name, values) for name, values in found if values]


def common(rows: Sequence[Row]) -> tuple[Flag, ...]:
    """The flags that each of several rows has; none of a single row's."""
    if len(rows) == 1:
        return ()
    return tuple(flag for flag in rows[0].flags if all(flag in row.flags for row in rows))


def own_flags(rows: Sequence[Row]) -> dict[str, str]:
    """By the row's id, the ids of the flags that not all of several rows have."""
    shared = common(rows)
    return {row.id: ", ".join(_ids(f for f in row.flags if f not in shared)) for row in rows}


def every_row(rows: Sequence[Row]) -> list[str]:
    """A paragraph with the flags that each of several rows has, if there are such."""
    shared = common(rows)
    return [f"Every row: {', '.join(_ids(shared))}."] if shared else []


def flags(rows: Sequence[Row]) -> tuple[Flag, ...]:
    """The flags of the rows, each once, in the order of all flags."""
    return tuple(flag for flag in published.flags() if any(flag in row.flags for row in rows))


def _ids(flags: Iterable[Flag]) -> list[str]:
    return [flag.id for flag in flags]


def _configuration(section: Section) -> str:
    lines = ["| | |", "|---|---|"]
    for name, values in configuration(section):
        lines.append(f"| {name} | {', '.join(map(_linked, values))} |")
    return "\n".join(lines)


def _linked(value: Link) -> str:
    return f"[{value.text}]({value.link})" if value.link else value.text
