"""The arms of a comparison, read from texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cnnbench import arms
from cnnbench.errors import UsageError
from cnnbench.prepare import Own

if TYPE_CHECKING:
    from pathlib import Path

COMMON = {"stack": "null"}


def test_an_arm_says_what_it_says_and_the_rest_is_common() -> None:
    one, two = arms.parse(
        ["stack=keras3-jax,batch_size=8", "data-format=channels_first"],
        {"stack": "null", "model": "resnet20_cifar"},
        Own(),
    )
    assert (one.case.stack, one.case.batch_size) == ("keras3-jax", 8)
    assert (two.case.stack, two.case.data_format) == ("null", "channels_first")
    assert {one.case.model, two.case.model} == {"resnet20_cifar"}


def test_an_arm_is_called_what_it_says_or_as_it_is_told() -> None:
    found = arms.parse(["batch_size=8,precision=bfloat16", "name=mine,batch_size=4"], COMMON, Own())
    assert [arm.name for arm in found] == ["8 bfloat16", "mine"]


def test_equal_arms_are_numbered() -> None:
    found = arms.parse(["stack=null"] * 3, {}, Own())
    assert [arm.name for arm in found] == ["null", "null #2", "null #3"]


def test_a_model_file_is_an_arm(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("def build(keras, shape, classes): ...")
    own = Own()
    one, two = arms.parse([f"model={tmp_path / 'net.py'}", "model=simple_cnn"], COMMON, own)
    assert own.models[one.case.model] == tmp_path / "net.py"
    assert two.case.model == "simple_cnn"


def test_a_global_batch_is_divided_among_devices() -> None:
    one, two = arms.parse(["devices=1", "devices=2"], COMMON | {"global_batch": 64}, Own())
    assert (one.case.batch_size, two.case.batch_size) == (64, 32)


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ([], "two arms"),
        (["stack=null"], "two arms"),
        (["stack=nul", "stack=null"], "did you mean null"),
        (["stak=null", "stack=null"], "did you mean stack"),
        (["stack", "stack=null"], "AXIS=VALUE"),
        (["stack=", "stack=null"], "AXIS=VALUE"),
        (["batch_size=many", "stack=null"], "batch_size"),
        (["batch_size=0", "stack=null"], "batch_size"),
        (["model=simple_cn", "stack=null"], "did you mean simple_cnn"),
        (["name=x again", "stack=null"], "controls"),
        (["stack=all", "stack=null"], "not all"),
        (["rev=HEAD", "stack=null"], "model=FILE.py"),
        (["model=nowhere.py", "stack=null"], "nowhere.py"),
    ],
)
def test_what_cannot_be_an_arm_is_told_in_one_line(texts: list[str], says: str) -> None:
    with pytest.raises(UsageError) as told:
        arms.parse(texts, COMMON, Own())
    assert says in str(told.value)
    assert "\n" not in str(told.value)


def test_an_arm_without_a_stack_is_told_where_to_say_one() -> None:
    with pytest.raises(UsageError, match="--stack NAME"):
        arms.parse(["batch_size=8", "batch_size=4"], {}, Own())
