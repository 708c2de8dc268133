"""Releases of Keras into whose inside is reached."""

from typing import Any, Sequence

from .faults import Unsupported


def keras3(keras: Any, known: Sequence[str], what: str) -> None:
    """See that this is one of some releases, like 3.15.

    Args:
        keras: As imported.
        known: Releases.
        what: Reaches into it, as a message begins.

    Raises:
        Unsupported: It is another.
    """
    release = ".".join(keras.__version__.split(".")[:2])
    if release not in known:
        raise Unsupported(
            "%s knows Keras %s, not %s" % (what, " and ".join(known), keras.__version__)
        )
