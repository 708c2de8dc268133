"""Student's and the normal distribution, as SciPy has them.

SciPy is imported when one is asked for: that takes longer than a command that asks for none.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

from typing import Any


def student_share(freedom: float, value: float) -> float:
    """The share of Student's t, with so many degrees of freedom, that is below a value."""
    from scipy.special import stdtr

    return float(stdtr(freedom, value))


def student_quantile(freedom: float, share: float) -> float:
    """The value below which there is a share of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, share))


def normal_share(value: Any) -> Any:
    """The share of the standard normal distribution that is below a value, or each of an array."""
    from scipy.special import ndtr

    return ndtr(value)


def normal_quantile(share: float) -> float:
    """The value below which there is a share of the standard normal distribution."""
    from scipy.special import ndtri

    return float(ndtri(share))
