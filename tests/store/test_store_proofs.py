"""Proofs come out of the store as they went in; the newest of a subject holds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnnbench.proof import Proof, Subject
from cnnbench.store.database import Store, new_id

if TYPE_CHECKING:
    from pathlib import Path

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
numbers = st.floats()
texts = [name for name in Subject.__dataclass_fields__ if name != "recipes"]
subjects = st.builds(
    Subject, **dict.fromkeys(texts, names), recipes=st.lists(names, max_size=3).map(tuple)
)
proofs = st.builds(
    Proof,
    id=st.builds(new_id),
    subject=subjects,
    made_at=names,
    seed=st.integers(0, 2**31),
    outcome=names,
    reason=names,
    explanations=st.lists(names, max_size=3).map(tuple),
    checks=st.lists(
        st.fixed_dictionaries({"what": names, "deviation": numbers, "step": st.integers(1, 9)}),
        max_size=3,
    ).map(tuple),
    losses=st.dictionaries(names, st.lists(numbers, max_size=3).map(tuple), max_size=2),
    facts=st.dictionaries(names, names | numbers | st.booleans() | st.none(), max_size=3),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(proof=proofs)
def test_a_proof_comes_out_as_it_went_in(proof: Proof, tmp_path: Path) -> None:
    with Store.open(tmp_path / f"{proof.id}.sqlite") as store:
        store.add_proof(proof)
        assert repr(store.proof(proof.subject.id)) == repr(proof)
        assert store.proof("another") is None


def test_the_newest_proof_of_a_subject_holds(tmp_path: Path) -> None:
    subject = Subject(**dict.fromkeys(texts, "x"))  # type: ignore[arg-type]
    old = Proof(id="1", subject=subject, made_at="t", seed=1, outcome="wrong", reason="r")
    with Store.open(tmp_path / "s.sqlite") as store:
        store.add_proof(old)
        store.add_proof(replace(old, id="2", outcome="same", reason=""))
        found = store.proof(subject.id)
    assert found is not None
    assert (found.id, found.outcome) == ("2", "same")
