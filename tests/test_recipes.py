"""Recipes: which go together, where they are refused, and what they set."""

from __future__ import annotations

import itertools
import platform
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnbench import catalog, recipes
from cnnbench.errors import UsageError
from cnnbench.plan import BUDGETS
from cnnbench.proof import subject
from cnnbench.result import conclude
from tests.blank import LAUNCH

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cnnbench.case import Case

NAMES = catalog.names("recipes")
CASE = replace(LAUNCH.case, stack="keras3-torch", method="fit")
ONEDNN = catalog.module("recipes", "bfloat16_math")._onednn

names = st.lists(st.sampled_from(NAMES), max_size=4)


def mixed(*wanted: str, **changed: Any) -> Case:
    return replace(CASE, recipes=wanted, **changed)


@pytest.fixture
def cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have recipes see a CPU with some instructions."""

    def has(flags: str) -> None:
        (tmp_path / "cpuinfo").write_text(f"processor: 0\nflags: {flags}\n")
        monkeypatch.setattr(ONEDNN, "CPUS", str(tmp_path / "cpuinfo"))

    return has


@given(chosen=names, other=st.randoms())
def test_a_mixture_is_the_same_in_whatever_order_it_is_said(chosen: list[str], other: Any) -> None:
    shuffled = other.sample(chosen, len(chosen))
    slots = {name: getattr(catalog.module("recipes", name), "SLOT", name) for name in chosen}
    if len(set(slots.values())) < len(slots):
        with pytest.raises(UsageError, match="exclude each other"):
            recipes.read("+".join(chosen))
        return
    found = recipes.read("+".join(chosen) or "none")
    assert recipes.read(" + ".join(shuffled) or "none") == found == tuple(sorted(set(chosen)))


def test_none_is_no_recipe() -> None:
    assert recipes.read("none") == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("jitt", "unknown recipe 'jitt'; did you mean jit"),
        ("jit+no_jit", "recipes jit and no_jit exclude each other"),
        ("keep_memory+jemalloc", "recipes jemalloc and keep_memory exclude each other"),
    ],
)
def test_what_cannot_be_mixed_is_told(text: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        recipes.read(text)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("case", "backend", "told"),
    [
        (mixed("jit"), "jax", "recipe jit: jax has no such switch"),
        (mixed("spin"), "tensorflow", "recipe spin: tensorflow computes in threads of its own"),
        (mixed("fused_batch_norm"), "jax", "recipe fused_batch_norm: it is of PyTorch under Keras"),
        (mixed("channels_last_memory"), "torch", "they lie so with channels last"),
        (mixed("cudnn_autotune"), "torch", "cuDNN is of NVIDIA GPUs"),
        (
            mixed("bfloat16_math", stack="keras3-jax"),
            "jax",
            "keras3-jax does not compute with oneDNN",
        ),
        (mixed("bfloat16_math", precision="bfloat16"), "torch", "it is of float32"),
        (mixed("own_buffers"), "torch", "torch is not MXNet"),
        (mixed("own_buffers", device="gpu"), "mxnet", "MKL computes on CPUs"),
        (mixed("no_float16_math"), "jax", "does not compute with oneDNN"),
        (mixed("no_float16_math"), "torch", "it is of float16"),
        (mixed("steps_per_execution"), "torch", "torch has none"),
        (mixed("steps_per_execution", method="train_on_batch"), "jax", "it is of fit, not of tr"),
        (mixed("no_jit"), "jax", "it is of TensorFlow on GPUs"),
    ],
)
def test_a_recipe_says_why_it_does_not_go_with_a_case(case: Case, backend: str, told: str) -> None:
    assert told in (recipes.refusal(case, backend) or "")


def test_a_case_without_recipes_has_nothing_to_refuse_and_sets_nothing() -> None:
    assert recipes.refusal(CASE, "torch") is None
    assert recipes.environment(CASE, "torch") == {}


def test_no_two_recipes_that_mix_set_the_same_variable() -> None:
    for one, other in itertools.combinations(NAMES, 2):
        slots = {getattr(catalog.module("recipes", name), "SLOT", name) for name in (one, other)}
        if len(slots) == 2 and not any(name.endswith("malloc") for name in (one, other)):
            first, second = (recipes.environment(mixed(name), "torch") for name in (one, other))
            assert not first.keys() & second.keys(), (one, other)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="keep_memory is of glibc")
def test_the_variables_of_all_recipes_stand_together() -> None:
    found = recipes.environment(mixed("keep_memory", "spin"), "torch")
    assert found["MALLOC_MMAP_MAX_"] == "0"
    assert found["OMP_WAIT_POLICY"] == "ACTIVE"


def test_a_library_that_is_not_here_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    preload = catalog.module("recipes", "jemalloc")._preload
    monkeypatch.setattr(preload, "FOLDERS", ())
    told = recipes.refusal(mixed("jemalloc"), "torch") or ""
    assert "install libjemalloc2" in told


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("fpu avx2", "recipe bfloat16_math: this CPU does not multiply in bfloat16"),
        ("fpu avx2 avx512f avx512_bf16", None),
        ("asimd bf16", None),
    ],
)
def test_bfloat16_math_is_refused_where_the_cpu_would_stay_in_float32(
    cpu: Callable[[str], None], flags: str, told: str | None
) -> None:
    cpu(flags)
    assert recipes.refusal(mixed("bfloat16_math"), "torch") == told


def test_bfloat16_math_is_tried_where_nobody_says_what_the_cpu_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ONEDNN, "CPUS", str(tmp_path / "none"))
    assert recipes.refusal(mixed("bfloat16_math"), "torch") is None


@pytest.mark.parametrize("flags", ["fpu avx2", "avx512_bf16", "avx512_fp16 amx_fp16"])
def test_no_float16_math_is_refused_where_onednn_is_fast_or_has_no_float16(
    cpu: Callable[[str], None], flags: str
) -> None:
    cpu(flags)
    case = mixed("no_float16_math", precision="float16")
    assert "oneDNN has no slow float16" in (recipes.refusal(case, "torch") or "")


def test_no_float16_math_takes_from_each_framework_what_makes_it_slow(
    cpu: Callable[[str], None],
) -> None:
    cpu("avx512_bf16 avx512_fp16 amx_bf16")
    case = mixed("no_float16_math", precision="float16")
    assert recipes.refusal(case, "torch") is None
    assert "no float16" in (recipes.refusal(case, "native") or "")
    assert recipes.environment(case, "torch") == {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}
    assert recipes.environment(case, "tensorflow") == {"TF_ENABLE_ONEDNN_OPTS": "0"}


def test_no_float16_math_leaves_tensorflow_with_channels_first_what_it_needs(
    cpu: Callable[[str], None],
) -> None:
    cpu("avx512_fp16")
    more = {"precision": "float16", "stack": "keras3-tensorflow"}
    last, first = (
        recipes.refusal(mixed("no_float16_math", data_format=name, **more), "tensorflow")
        for name in ("channels_last", "channels_first")
    )
    assert last is None
    assert "channels last only" in (first or "")


def test_what_mends_wrong_training_is_known_where_it_goes_with_a_case() -> None:
    case = replace(CASE, stack="keras2.1.6-mxnet1.1.0")
    assert recipes.mending(case, "mxnet") == ["own_buffers"]
    assert recipes.mending(replace(case, recipes=("own_buffers",)), "mxnet") == []
    assert recipes.mending(replace(case, device="gpu"), "mxnet") == []
    assert recipes.mending(CASE, "torch") == []


def test_recipes_are_part_of_what_a_case_and_its_proof_are() -> None:
    plain, faster = CASE, mixed("keep_memory")
    assert plain.id != faster.id
    assert "keep_memory" in faster.title
    assert subject(plain, "f", "p", {}).id != subject(faster, "f", "p", {}).id


def test_a_number_that_rounds_otherwise_than_its_precision_says_so() -> None:
    launch = replace(LAUNCH, case=mixed("bfloat16_math"))
    assert recipes.rounds_like(launch.case) == "bfloat16"
    assert "rounds like bfloat16" in conclude([launch], BUDGETS["quick"]).labels
    plain = replace(LAUNCH, case=mixed("keep_memory"))
    assert not any("rounds" in label for label in conclude([plain], BUDGETS["quick"]).labels)


def test_a_recipe_that_only_another_cnnbench_knows_can_still_be_read() -> None:
    launch = replace(LAUNCH, case=mixed("from_the_future"))
    assert conclude([launch], BUDGETS["quick"]).case.recipes == ("from_the_future",)
