"""JSON that carries every value, whatever wrote it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.case import Budget, Case
from cnnbench.errors import StoreError
from cnnbench.store.codec import from_dict, pack, to_dict, unpack

if TYPE_CHECKING:
    from cnnbench.record import Scalar

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(st.dictionaries(st.text() | st.just("$float"), scalars))
def test_facts_survive_strict_json(facts: dict[str, Scalar]) -> None:
    text = json.dumps(pack(facts), allow_nan=False)
    assert repr(unpack(json.loads(text))) == repr(facts)


def test_a_budget_survives_with_its_tuples_and_infinity(budget: Budget) -> None:
    text = json.dumps(to_dict(budget), allow_nan=False)
    assert from_dict(Budget, json.loads(text)) == budget


def test_a_field_that_did_not_exist_when_it_was_written_takes_its_default(case: Case) -> None:
    data = to_dict(case)
    del data["threads"], data["augment"]
    assert from_dict(Case, data) == case


def test_a_field_of_a_newer_version_says_to_upgrade(case: Case) -> None:
    with pytest.raises(StoreError, match=r"case with sharding, which .* upgrade"):
        from_dict(Case, {**to_dict(case), "sharding": ["fused_norm"]})


def test_a_field_that_cannot_be_guessed_says_that_the_store_is_damaged(case: Case) -> None:
    data = to_dict(case)
    del data["model"]
    with pytest.raises(StoreError, match="case without model; it is damaged"):
        from_dict(Case, data)
