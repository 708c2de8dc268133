"""Backends whose threads are OpenMP's."""

from typing import Any

BACKENDS = ("torch", "native", "mxnet")


def refusal(case: Any) -> str:
    """Of backends with thread pools of their own."""
    if case["backend"] in BACKENDS:
        return ""
    return "%s computes in threads of its own, not OpenMP's" % case["backend"]
