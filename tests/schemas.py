"""What a command writes as JSON is held against the schema that `cnnbench schema` prints."""

from __future__ import annotations

import functools
from typing import Any

from jsonschema import Draft202012Validator

from cnnbench.report.schema import schema


@functools.cache
def validator(command: str) -> Draft202012Validator:
    """Of the JSON of a command."""
    return Draft202012Validator(schema(command))


def check(command: str, told: Any) -> None:
    """See that JSON is as the schema says, and that the schema would miss what is not there."""
    validator(command).validate(told)
    for key in told:
        assert not validator(command).is_valid({k: v for k, v in told.items() if k != key})
