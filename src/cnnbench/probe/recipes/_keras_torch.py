"""Recipes that change what Keras does on PyTorch."""

from typing import Any


def refusal(case: Any) -> str:
    """Of other backends."""
    return "" if case["backend"] == "torch" else "it is of PyTorch under Keras"
