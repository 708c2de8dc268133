"""Releases of Keras into which recipes may reach."""

from typing import Any, Sequence

from ..faults import Unsupported


def keras3(keras: Any, releases: Sequence[str]) -> None:
    """See that this is one of some releases, like 3.15.

    Raises:
        Unsupported: It is another.
    """
    release = ".".join(keras.__version__.split(".")[:2])
    if release not in releases:
        known = " and ".join(releases)
        raise Unsupported("this recipe knows Keras %s, not %s" % (known, keras.__version__))
