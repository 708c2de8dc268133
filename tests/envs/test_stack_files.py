"""Stacks as files: what they say, and whether their locks agree."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench.envs import sources, stack
from cnnbench.errors import StackError, UsageError

if TYPE_CHECKING:
    from tests.envs.conftest import Describe, Replace

VERSIONS = st.lists(st.integers(0, 99), min_size=1, max_size=4).map(
    lambda parts: ".".join(map(str, parts))
)


@pytest.mark.parametrize("name", stack.names())
def test_a_shipped_stack_is_readable_and_its_lock_agrees(name: str) -> None:
    shipped = stack.load(name)

    stack.check_lock(shipped)
    assert shipped.name == name
    assert len(shipped.fingerprint) == 12
    assert ("gpu" in shipped.devices) == (shipped.cuda is not None)
    if shipped.packages:
        assert shipped.package in {stack.normal(package) for package in shipped.packages}


@pytest.mark.parametrize("name", stack.names())
def test_everything_that_a_shipped_lock_installs_is_hashed(name: str) -> None:
    lines = [*stack.load(name).lock.splitlines(), ""]

    for line, following in pairwise(lines):
        if not line.startswith(" "):
            assert line.endswith(" \\"), line
            assert following.startswith("    --hash=sha256:"), line


def test_an_unknown_stack_gives_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="unknown stack 'keras3-jaxx'; did you mean keras3-jax"):
        stack.load("keras3-jaxx")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("about", "abut", "bad.toml: about: Field required"),
        ('"torch"', '"theano"', "bad.toml: backend: "),
        ('keras = "3.1.0"', 'keras = ">=3"', "bad.toml: packages.keras: "),
        ('["cpu"]', '["tpu"]', "bad.toml: devices.0: "),
        ("[packages]", "colour = 1\n[packages]", "bad.toml: colour: Extra inputs"),
        ("[packages]", "[packages", "bad.toml: not TOML: "),
    ],
)
def test_a_wrong_file_is_told_in_one_line_with_its_field(
    describe: Describe, old: str, new: str, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        describe("bad", toml=(old, new))

    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_the_fingerprint_follows_the_toml_and_the_lock(describe: Describe) -> None:
    first = describe().fingerprint

    assert describe().fingerprint == first
    assert describe(toml=("about", "# changed\nabout")).fingerprint != first
    assert describe(lock=("keras", "# changed\nkeras")).fingerprint != first


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        (None, "stack tiny has no lock"),
        (("3.1.0", "3.2.0"), "keras is 3.2.0, pinned 3.1.0"),
        (("2.0.0", "2.0.0+cpu"), r"torch is 2.0.0\+cpu, pinned 2.0.0"),
        (("torch", "torchvision"), "torch is not locked, pinned 2.0.0"),
        (
            ("keras", "--index-url https://example.org/simple\nkeras"),
            "names an index or an address",
        ),
        (("keras", "--find-links wheels\nkeras"), "names an index or an address"),
        (("keras", "extra @ file:///wheels/extra.whl\nkeras"), "names an index or an address"),
    ],
)
def test_a_lock_that_says_otherwise_is_refused_with_the_remedy(
    describe: Describe, lock: Replace | None, said: str
) -> None:
    tiny = describe(lock=lock)

    with pytest.raises(StackError, match=said + ".*; run: cnnbench stacks lock tiny$"):
        stack.check_lock(tiny)


def test_extras_and_spelling_of_a_name_make_no_difference(describe: Describe) -> None:
    toml = ("keras =", '"Keras_Core[and-cuda]" =')

    stack.check_lock(describe(toml=toml, lock=("keras", "keras-core")))


@given(version=VERSIONS, name=st.from_regex(r"[a-z]([a-z0-9-]*[a-z0-9])?", fullmatch=True))
def test_exact_requirements_keep_name_and_version_and_leave_hashes_alone(
    version: str, name: str
) -> None:
    hashed = f"{name}=={version} \\\n    --hash=sha256:ab\n"

    exact = sources.exact(hashed)

    assert exact == f"{name}==={version} \\\n    --hash=sha256:ab\n"
    assert sources.exact(exact) == exact
