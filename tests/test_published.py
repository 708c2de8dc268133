"""The published rows: equal to the document, flagged, and each a case."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench import catalog, published
from cnnbench.case import DATA_FORMATS, DEVICES, PRECISIONS, Case
from cnnbench.envs import stack as stacks
from cnnbench.errors import UsageError

DOCUMENT = Path(__file__).resolve().parents[2] / "shared" / "seed" / "cnn_results.md"
FIELDS = {
    "Instance Type": "instance_type",
    "Instance": "instance_type",
    "GPU used": "gpus",
    "Model": "model",
    "Backend": "backend",
    "Package": "package",
    "Method": "method",
    "Batch Size": "batch_size",
    "Data Format": "data_format",
    "Speed (images/s)": "images_per_second",
}
ROWS = st.sampled_from(published.rows())
CASES = st.builds(
    Case,
    stack=st.sampled_from([*stacks.names(), "local@0123456789ab"]),
    model=st.sampled_from([*catalog.names("models"), "mine@0123456789ab"]),
    dataset=st.sampled_from([*catalog.names("datasets"), "mine@0123456789ab"]),
    method=st.sampled_from(catalog.names("methods")),
    data_format=st.sampled_from(DATA_FORMATS),
    batch_size=st.integers(1, 4096),
    precision=st.sampled_from(PRECISIONS),
    device=st.sampled_from(DEVICES),
    augment=st.booleans(),
    threads=st.integers(0, 64),
    devices=st.integers(1, 64),
)


def row(name: str) -> published.Row:
    return next(row for row in published.rows() if row.id == name)


def ids(flag: str) -> list[str]:
    return [row.id for row in published.rows() if flag in [f.id for f in row.flags]]


@pytest.fixture(scope="session")
def document() -> list[tuple[str, dict[str, str], list[str], list[list[str]]]]:
    """Of each section of the document: title, configuration, columns and rows."""
    if not DOCUMENT.exists():
        pytest.skip(f"the document itself is not beside the clone: no {DOCUMENT.name}")
    found = []
    for part in re.split(r"^## ", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title = part.partition("\n")[0]
        lines = [cells(line) for line in part.splitlines() if line.startswith("|")]
        lines = [line for line in lines if not set("".join(line)) <= {"-"}]
        head = next(n for n, line in enumerate(lines) if "GPU used" in line)
        configuration = {line[0]: line[1] for line in lines[:head]}
        found.append((title, configuration, lines[head], lines[head + 1 :]))
    return found


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def links(text: str) -> list[tuple[str, str]]:
    return re.findall(r"\[`?([^]`]+)`?\]\(([^)]+)\)", text)


def test_there_are_40_rows_in_three_sections() -> None:
    counts = [len(published.rows(section.name)) for section in published.sections()]
    assert counts == [14, 10, 16]
    assert len({row.id for row in published.rows()}) == 40


def test_every_row_and_column_is_the_documents(document: Any) -> None:
    for section, (title, _, columns, lines) in zip(published.sections(), document, strict=True):
        assert section.title == title
        assert list(section.columns) == columns
        ours = published.rows(section.name)
        for one, line in zip(ours, lines, strict=True):
            said = [str(getattr(one, FIELDS[column])) for column in columns]
            assert said == [cell.strip("`") for cell in line], one.id


def test_every_version_and_link_is_the_documents(document: Any) -> None:
    for section, (_, configuration, _, _) in zip(published.sections(), document, strict=True):
        said = configuration["Data Set"]
        assert links(said) == [(section.data_set.text, section.data_set.link)] or (
            section.data_set == published.Link(said)
        )
        assert configuration.get("Model") == section.model
        assert configuration["Keras Version"] == section.keras
        assert configuration["TensorFlow Version"] == section.tensorflow
        assert configuration["MXNet Version"] == section.mxnet
        for heading, ours in (
            ("Training Method", section.methods),
            ("Training Scripts", section.scripts),
        ):
            assert links(configuration[heading]) == [(link.text, link.link) for link in ours]


def test_every_row_is_a_case_that_cnnbench_has() -> None:
    for one in published.rows():
        case = published.case(one)
        assert case.model in catalog.names("models")
        assert case.dataset in catalog.names("datasets")
        assert case.method in catalog.names("methods")
        assert case.data_format in DATA_FORMATS
        assert (case.device == "gpu") == (one.gpus > 0)
        assert case.global_batch == one.batch_size
        assert case.batch_size == 32
        assert case.devices == max(one.gpus, 1)


def test_the_stack_of_a_row_has_its_package_and_computes_on_its_device() -> None:
    for one in published.rows():
        stack = stacks.load(one.stack)
        assert stack.package == one.package
        assert stack.backend == one.backend.lower() == published.backend_of(one.stack)
        assert published.case(one).device in stack.devices


def test_what_is_called_resnet50_is_three_networks_of_which_one_is() -> None:
    models = {published.case(r).model for r in published.rows() if r.model.startswith("Re")}
    assert models == {"resnet56_cifar", "resnet50"}


def test_a_row_may_be_the_case_of_another_stack() -> None:
    own = published.case(row("cifar10-01"))
    assert published.case(row("cifar10-01"), "keras3-jax") == replace(own, stack="keras3-jax")


def test_a_section_that_is_not_there_has_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean imagenet"):
        published.rows("imagenets")


def test_every_flag_is_explained_in_a_sentence_and_every_explanation_is_used() -> None:
    explained = tomllib.loads((published.FOLDER / "flags.toml").read_text("utf-8"))
    used = published.flags()
    assert explained.keys() <= {flag.id for flag in used}
    assert len({flag.id for flag in used}) == len(used)
    for flag in used:
        assert re.fullmatch(r"[a-z0-9.-]+", flag.id)
        assert re.fullmatch(r"[A-Z\d][^\n]{15,}\.", flag.about), flag.id


def test_every_condition_of_a_flag_touches_a_row() -> None:
    explained = tomllib.loads((published.FOLDER / "flags.toml").read_text("utf-8"))
    for name, flag in explained.items():
        for rule in flag["where"]:
            assert any(published._touches([rule], one) for one in published.rows()), name


def test_eight_gpus_on_a_machine_with_four_are_flagged() -> None:
    impossible = [r.id for r in published.rows() if r.instance_type == "P3.8xLarge" and r.gpus > 4]
    assert ids("impossible-gpus") == impossible == ["cifar10-13"]


def test_rows_that_repeat_the_1_gpu_row_are_flagged() -> None:
    assert ids("repeats-1-gpu") == [
        eight.id for eight, one in pairs(8, 1) if eight.images_per_second == one.images_per_second
    ]


def test_rows_that_are_slower_than_those_of_4_gpus_are_flagged() -> None:
    slower = {e.id for e, four in pairs(8, 4) if e.images_per_second < four.images_per_second}
    assert set(ids("slower-than-4")) == slower
    assert len(slower) == 5


def test_numbers_of_one_digit_are_flagged() -> None:
    assert ids("one-digit") == [r.id for r in published.rows() if r.images_per_second < 10]


def test_rows_without_a_counterpart_are_flagged() -> None:
    def place(one: published.Row) -> tuple[Any, ...]:
        return one.section, one.instance_type, one.model, one.method, one.data_format

    cpu = [one for one in published.rows() if not one.gpus]
    alone = [o.id for o in cpu if not any(place(o) == place(b) and o != b for b in cpu)]
    assert ids("no-counterpart") == alone


def test_a_layout_is_emulated_where_mxnet_is_fed_channel_last() -> None:
    emulated = [r for r in published.rows() if (r.backend, r.data_format[8:]) == ("MXNet", "last")]
    assert ids("layout-emulated") == [one.id for one in emulated]


def test_a_version_of_the_stack_that_is_not_the_published_one_is_flagged() -> None:
    for one in published.rows():
        packages = stacks.load(one.stack).packages
        keras = packages.get("keras") or packages["keras-mxnet"]
        equal = (keras, packages[one.package]) == (one.keras, one.backend_version)
        assert any("-for-" in flag.id for flag in one.flags) != equal, one.id
    assert "tensorflow-1.6.0-for-1.6.0rc1" in [flag.id for flag in row("synthetic-01").flags]


@given(ROWS)
def test_a_published_rows_own_case_is_nearest_to_it_and_differs_in_nothing(
    one: published.Row,
) -> None:
    near = published.nearest(published.case(one))
    assert near is not None
    assert published.case(near[0]) == published.case(one)
    assert near[1] == ()


@given(CASES, st.sampled_from([None, "jax", "mxnet", "tensorflow"]))
def test_every_case_has_a_nearest_row_if_its_model_was_published_on_its_data(
    case: Case, backend: str | None
) -> None:
    subjects = {(c.model, c.dataset) for c in map(published.case, published.rows())}
    near = published.nearest(case, backend)
    assert (near is not None) == ((case.model, case.dataset) in subjects)
    if near is not None:
        own = published.case(near[0])
        assert (own.model, own.dataset) == (case.model, case.dataset)
        if backend is None:
            assert (near[1] == ()) == (case == own)


@given(ROWS, st.integers(1, 4096), st.sampled_from(DEVICES))
def test_method_and_backend_matter_more_than_device_and_batch(
    one: published.Row, batch: int, device: str
) -> None:
    near = published.nearest(replace(published.case(one), batch_size=batch, device=device))
    assert near is not None
    assert (near[0].method, near[0].backend) == (one.method, one.backend)


def test_differences_are_short_words() -> None:
    case = replace(published.case(row("cifar10-03")), batch_size=8, precision="bfloat16", threads=1)
    assert published.nearest(case) == (
        row("cifar10-03"),
        ("batch 8, not 32", "bfloat16, not float32", "1 thread, not all"),
    )
    other = replace(published.case(row("imagenet-04")), stack="keras3-jax", devices=5, augment=True)
    near = published.nearest(other)
    assert near is not None
    assert near[1] == ("jax, not mxnet", "devices 5, not 4", "augmented")


def test_the_users_own_environment_is_near_by_the_backend_that_ran() -> None:
    case = replace(published.case(row("cifar10-03")), stack="local@0123456789ab")
    near = published.nearest(case, "tensorflow")
    assert near == (
        row("cifar10-03"),
        ("local@0123456789ab, not keras2.1.5-tensorflow1.7.0",),
    )


def pairs(gpus: int, fewer: int) -> list[tuple[published.Row, published.Row]]:
    """Rows of so many GPUs, each with the row of fewer that is otherwise the same."""
    return [
        (many, few)
        for many in published.rows()
        for few in published.rows()
        if (many.gpus, few.gpus) == (gpus, fewer)
        and (many.section, many.model, many.backend, many.method, many.data_format)
        == (few.section, few.model, few.backend, few.method, few.data_format)
    ]
