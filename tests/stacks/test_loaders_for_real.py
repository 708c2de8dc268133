"""Every loader on a stack that has it: real JPEGs, the same pixels, trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.stacks.here import answer, available
from tests.stacks.small import MODEL, write_photographs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.stacks

PAIRS = [
    ("keras3-torch", "threads"),
    ("keras3-torch", "turbo"),
    ("keras3-torch", "torch_dataloader"),
    ("keras3-jax", "turbo"),
    ("keras3-tensorflow", "tf_data"),
    ("keras2.1.5-tensorflow1.7.0", "threads"),
]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photographs")
    write_photographs(root)
    return root


def measured(folder: Path, tiny: Path, photographs: Path, *command: str) -> Any:
    """The only result of `cnnbench run`."""
    (folder / "net.py").write_text(MODEL)
    what = ["--model", str(folder / "net.py"), "--dataset", str(photographs)]
    what += ["--method", "fit_generator", "--no-verify"]
    told, _ = answer(folder, "run", str(tiny), *what, *command)
    (result,) = told["results"]
    return result


@pytest.mark.parametrize(("name", "loader"), PAIRS)
def test_a_loader_feeds_a_real_training(
    name: str, loader: str, tmp_path: Path, tiny: Path, photographs: Path
) -> None:
    available(name)

    result = measured(tmp_path, tiny, photographs, "--stack", name, "--loader", loader)

    assert result["images_per_second"], result["reason"]
    assert result["case"]["loader"] == loader


def test_a_loader_that_leaves_the_filter_out_is_refused(
    tmp_path: Path, tiny: Path, photographs: Path, change: Callable[..., None]
) -> None:
    available("keras3-tensorflow")
    change("loaders/tf_data.py", "antialias=True", "antialias=False")

    result = measured(
        tmp_path, tiny, photographs, "--stack", "keras3-tensorflow", "--loader", "tf_data"
    )

    assert result["verdict"] == "unsupported"
    assert "loader tf_data gives other images" in result["reason"]
