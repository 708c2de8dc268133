"""A launch of which nothing is said yet: tests replace what they are about."""

from __future__ import annotations

from cnnbench.case import Case
from cnnbench.record import Launch

LAUNCH = Launch(
    id="l",
    campaign="c",
    case=Case(stack="null", model="simple_cnn", dataset="synthetic-32", method="fit"),
    number=1,
    seed=1,
    stack_fingerprint="f",
    probe_digest="p",
    started_at="2026-01-01T00:00:00+00:00",
    machine={},
)
