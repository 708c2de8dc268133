"""One word for the layouts of all convolutions of a model."""

from typing import Iterable


def one_layout(layouts: Iterable[str]) -> str:
    """`channels_last` or `channels_first` if all have it, else `both`; `none` if there are none."""
    found = set(layouts)
    if not found:
        return "none"
    return found.pop() if len(found) == 1 else "both"
