"""Suites: files of axes, and the cases that they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cnnbench import prepare, published, suite
from cnnbench.cli.run import _suite
from cnnbench.envs import stack
from cnnbench.errors import UsageError
from cnnbench.plan import BUDGETS

if TYPE_CHECKING:
    from pathlib import Path

    from cnnbench.case import Suite

STACKS = {"cpu": ["one", "two"], "gpu": ["three"]}
HEAD = 'about = "x"\nbudget = "quick"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def expanded(folder: Path, text: str) -> Suite:
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    name, definition = suite.read(str(path))
    return suite.expand(name, definition, STACKS)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("about = [", "suite mine.toml is not TOML"),
        ("", "suite mine.toml: about: field required"),
        (HEAD + "speed = 3", "suite mine.toml: speed: extra inputs"),
        ('about = "x"\nbudget = "slow"', "suite mine.toml: budget: input should be 'quick'"),
        (HEAD + "[axes]\nmodell = ['a']", "suite mine.toml: axes.modell: extra inputs"),
        (HEAD + "[axes]\nbatch_size = ['a']", "suite mine.toml: axes.batch_size.0: "),
        (HEAD + "[axes]\nbatch_size = [32, 0]", "suite mine.toml: axes.batch_size.1: "),
        (HEAD + "[axes]\nbatch_size = 32", "suite mine.toml: axes.batch_size: "),
        (HEAD + "[axes]\nbatch_size = []", "suite mine.toml: axes.batch_size: list should have"),
        (HEAD + "[axes]\nthreads = [-1]", "suite mine.toml: axes.threads.0: "),
        (HEAD + "[axes]\ndata_format = ['NHWC']", "axes.data_format.0: input should be 'channels"),
        (HEAD + "[axes]\ndevice = ['tpu']", "suite mine.toml: axes.device.0: "),
        (HEAD + "[limits]\nlaunchs = [1, 1]", "limit in suite mine 'launchs'; did you mean launch"),
        (HEAD + "[limits]\nlaunches = 1", "suite mine: limits: launches: "),
        (HEAD + "[limits]\nlaunches = [0, 0]", "suite mine: limits: launches.0: "),
        (HEAD + "[limits]\nlaunches = [3, 1]", "suite mine: limits: launches: "),
        (HEAD + "[limits]\nwindows = [0, 1]", "suite mine: limits: windows.0: "),
        (HEAD + "[limits]\nprecision = 'high'", "suite mine: limits: precision: "),
        (HEAD + "[limits]\nwindow_seconds = 0", "suite mine: limits: window_seconds: "),
        (HEAD + "[limits]\nconfidence = 95", "suite mine: limits: confidence: "),
        (HEAD + "[[include]]\nmodell = 'a'", "suite mine: include: modell: "),
        (HEAD + "[[include]]\nbatch_size = 0", "suite mine: include: batch_size.0: "),
        (HEAD + "[[exclude]]\nmodell = 'a'", "exclude of suite mine 'modell'; did you mean model"),
        (HEAD + "[[exclude]]\nmodel = 'simple_cnn'", "suite mine has no case"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_file_and_field(
    folder: Path, text: str, told: str
) -> None:
    with pytest.raises(UsageError) as caught:
        expanded(folder, text)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_text_is_told(folder: Path) -> None:
    (folder / "mine.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"mine\.toml is not TOML"):
        suite.read(str(folder / "mine.toml"))


def test_a_path_that_is_not_there_is_told(folder: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        suite.read(str(folder / "mine.toml"))
    folder.joinpath("dir.toml").mkdir()
    with pytest.raises(UsageError, match="Is a directory"):
        suite.read(str(folder / "dir.toml"))


def test_an_unknown_suite_has_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="unknown suite 'quik'; did you mean quick"):
        suite.read("quik")


def test_cases_are_the_product_of_the_axes_in_their_order(folder: Path) -> None:
    found = expanded(folder, HEAD + "[axes]\nmodel = ['a', 'b']\nbatch_size = [8, 16]")
    assert [(case.stack, case.model, case.batch_size) for case in found.cases] == [
        *(("one", "a", 8), ("two", "a", 8), ("one", "a", 16), ("two", "a", 16)),
        *(("one", "b", 8), ("two", "b", 8), ("one", "b", 16), ("two", "b", 16)),
    ]


def test_equal_cases_are_measured_once(folder: Path) -> None:
    text = "[axes]\nstack = ['one', 'one', 'all']\n[[include]]\nstack = 'two'\n[[include]]\n"
    found = expanded(folder, HEAD + text)
    assert [case.stack for case in found.cases] == ["one", "two"]


def test_all_stands_for_the_stacks_of_the_device(folder: Path) -> None:
    found = expanded(folder, HEAD + "[axes]\ndevice = ['cpu', 'gpu']")
    assert [(c.stack, c.device) for c in found.cases] == [
        ("one", "cpu"),
        ("two", "cpu"),
        ("three", "gpu"),
    ]


def test_include_takes_the_first_values_of_what_it_does_not_say(folder: Path) -> None:
    text = "[axes]\nstack = ['one']\nbatch_size = [8, 16]\n[[include]]\nmodel = ['a', 'b']"
    found = expanded(folder, HEAD + text)
    assert [(case.model, case.batch_size) for case in found.cases] == [
        *(("simple_cnn", 8), ("simple_cnn", 16), ("a", 8), ("b", 8)),
    ]


def test_exclude_leaves_out_what_matches_all_that_it_says(folder: Path) -> None:
    text = "[axes]\nbatch_size = [8, 16]\n[[exclude]]\nstack = 'one'\nbatch_size = 8"
    found = expanded(folder, HEAD + text)
    assert [(case.stack, case.batch_size) for case in found.cases] == [
        *(("two", 8), ("one", 16), ("two", 16)),
    ]


def test_limits_change_single_values_of_the_budget(folder: Path) -> None:
    budget = expanded(folder, HEAD + "[limits]\nlaunches = [2, 3]\nprecision = 0.5").budget
    assert (budget.launches, budget.precision) == ((2, 3), 0.5)
    assert budget.windows == BUDGETS["quick"].windows


@pytest.mark.parametrize("name", suite.names())
def test_a_suite_that_ships_has_valid_cases(name: str) -> None:
    found = _suite(name, {})
    assert found.about
    assert len(set(found.cases)) == len(found.cases) > 0
    for case in found.cases:
        assert prepare.named(case, prepare.Own()) == case


def test_a_file_that_a_suite_names_is_a_model_of_the_users_own(folder: Path) -> None:
    path = folder / "mine.py"
    path.write_text("def build(keras, shape, classes): ...")
    own = prepare.Own()
    (case,) = expanded(folder, HEAD + f"[axes]\nstack = ['null']\nmodel = ['{path}']").cases

    known = prepare.named(case, own)

    assert known.model.startswith("mine.py@")
    assert own.models == {known.model: path}


def test_a_rule_about_an_axis_that_a_flag_replaces_falls_away() -> None:
    found = _suite("scaling", {"stack": ["null"], "batch_size": [16]})
    assert {case.batch_size for case in found.cases} == {16}


def test_a_flag_replaces_an_axis_and_leaves_the_others() -> None:
    found = _suite("demo", {"stack": None, "method": ["fit"], "batch_size": [8, 16]})
    assert {case.method for case in found.cases} == {"fit"}
    assert {case.batch_size for case in found.cases} == {8, 16}
    assert {case.model for case in found.cases} == {"simple_cnn", "resnet56_cifar"}
    assert {case.stack for case in found.cases} == {"null"}


def test_all_means_every_stack_of_the_device_but_the_made_up_one() -> None:
    named = {case.stack for case in _suite("quick", {}).cases}
    on_cpu = {name for name in stack.names() if "cpu" in stack.load(name).devices}
    assert named == on_cpu - {"null"}


def of_rows(folder: Path, axes: str, *, sections: str = "['cifar10']") -> list[Any]:
    """The cases of published rows on real stacks."""
    path = folder / "mine.toml"
    path.write_text(f"{HEAD}published = {sections}\n[axes]\n{axes}", "utf-8")
    name, definition = suite.read(str(path))
    cpu = [s for s in stack.names() if s != "null" and "cpu" in stack.load(s).devices]
    gpu = [s for s in stack.names() if "gpu" in stack.load(s).devices]
    return list(suite.expand(name, definition, {"cpu": cpu, "gpu": gpu}).cases)


def test_every_published_row_stands_in_its_suite_on_its_own_stack(folder: Path) -> None:
    for section in published.SECTIONS:
        cases = of_rows(folder, "", sections=f"['{section}']")
        assert {published.case(row) for row in published.rows(section)} <= set(cases)
        assert len(cases) == len(set(cases))


def test_every_published_row_stands_on_every_other_stack_of_its_device(folder: Path) -> None:
    cases = of_rows(folder, "")
    stacks = {case.stack for case in cases if case.device == "cpu"}
    assert stacks == {s for s in stack.names() if stack.load(s).devices == ("cpu",)} - {"null"}
    formats = {case.data_format for case in cases if case.stack == "keras3-jax"}
    assert formats == {"channels_last", "channels_first"}


def test_own_stacks_alone_can_be_asked_for(folder: Path) -> None:
    cases = of_rows(folder, "stack = ['own']")
    assert set(cases) == {published.case(row) for row in published.rows("cifar10")}


def test_what_names_a_row_selects_rows_and_other_axes_replace(folder: Path) -> None:
    cases = of_rows(folder, "stack = ['own']\nmodel = ['simple_cnn']\nbatch_size = [8, 16]")
    assert {(case.model, case.batch_size) for case in cases} == {
        ("simple_cnn", 8),
        ("simple_cnn", 16),
    }
    assert len(cases) == 2 * 4


def test_a_row_of_gpus_runs_on_the_cpu_with_the_batch_of_one_when_asked(folder: Path) -> None:
    cases = of_rows(folder, "stack = ['own']\ndevice = ['cpu']", sections="['imagenet']")
    assert {(case.device, case.devices, case.batch_size) for case in cases} == {("cpu", 1, 32)}
    assert {case.stack for case in cases} == {
        *("keras2.1.3-tensorflow1.6.0", "keras2.1.6-mxnet1.1.0")
    }


def test_a_selection_without_a_published_row_is_told(folder: Path) -> None:
    with pytest.raises(UsageError, match="no published row is like that; see which are"):
        of_rows(folder, "model = ['resnet110_cifar']")


def test_a_global_batch_is_divided_among_devices(folder: Path) -> None:
    found = expanded(folder, HEAD + "[axes]\nglobal_batch = [128]\ndevices = [1, 4]")
    assert {(case.devices, case.batch_size, case.global_batch) for case in found.cases} == {
        *((1, 128, 128), (4, 32, 128))
    }


def test_a_global_batch_that_does_not_divide_is_told_with_those_that_do(folder: Path) -> None:
    with pytest.raises(UsageError, match="10 does not divide among 4 devices; take 8 or 12"):
        expanded(folder, HEAD + "[axes]\nglobal_batch = [10]\ndevices = [4]")


def test_a_batch_of_a_device_in_an_include_wins_over_the_global_batch(folder: Path) -> None:
    text = "[axes]\nglobal_batch = [128]\ndevices = [4]\n[[include]]\nbatch_size = 8"
    found = expanded(folder, HEAD + text)
    assert {case.batch_size for case in found.cases} == {32, 8}


def test_a_flag_for_one_kind_of_batch_replaces_the_other_of_the_file(folder: Path) -> None:
    (folder / "mine.toml").write_text(HEAD + "[axes]\nstack = ['null']\nglobal_batch = [128]")
    planned = _suite(str(folder / "mine.toml"), {"batch_size": [7]})
    assert [case.batch_size for case in planned.cases] == [7]
    with pytest.raises(UsageError, match="give one"):
        _suite("quick", {"batch_size": [7], "global_batch": [7]})
