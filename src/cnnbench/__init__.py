"""cnnbench: how fast a convolutional network really trains, on every Keras backend."""

from typing import TYPE_CHECKING, Any

from cnnbench.version import VERSION

if TYPE_CHECKING:
    from cnnbench.api import load

__all__ = ["__version__", "load"]

__version__ = VERSION


def __getattr__(name: str) -> Any:
    """`load`, imported when it is asked for: it brings the store and statistics."""
    if name == "load":
        from cnnbench.api import load  # noqa: PLC0415

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
