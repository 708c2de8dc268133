"""Whatever the user's own files do, it is a row that says why; the other cases are measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cnnbench import cli

if TYPE_CHECKING:
    from tests.cli.conftest import OwnFolders

BUILD = "def build(keras, shape, classes):\n    "
MODELS = {
    "fine": (
        f"{BUILD}x = keras.layers.Input(shape=shape)\n"
        "    y = keras.layers.Dense(classes)(keras.layers.Flatten()(x))\n"
        "    return keras.models.Model(x, y)"
    ),
    "syntax": "def build(:",
    "nothing": "x = 1",
    "raises": f"{BUILD}raise ValueError('no such layer\\nand more')",
    "gives_none": f"{BUILD}pass",
    "exits": f"import os\n{BUILD}os._exit(3)",
    "leaves": f"import sys\n{BUILD}sys.exit(4)",
    "kills": f"import os, signal\n{BUILD}os.kill(os.getpid(), signal.SIGKILL)",
    "hangs": f"import time\n{BUILD}time.sleep(600)",
}
MODELS["prints"] = "import os\nos.write(1, b'garbage\\n\\xff')\nprint('more')\n" + MODELS["fine"]
DATASETS = {
    "lacks": "SHAPE = (8, 8, 3)",
    "breaks": "SHAPE, CLASSES = (8, 8, 3), 2\ndef arrays(count, seed): return 1 / 0",
}
TOLD = {
    "syntax": "build: SyntaxError: ",
    "nothing": "defines no build(keras, shape, classes)",
    "raises": "build: ValueError: no such layer",
    "gives_none": "build: ",
    "exits": "build: the guest ended early with status 3",
    "leaves": "build: the guest ended early with status 4",
    "kills": "build: the guest was killed by SIGKILL",
    "hangs": "build: the guest said nothing for 3 s and was killed; raise silence_seconds",
    "lacks": "data: lacks.py does not define CLASSES, arrays",
    "breaks": "data: breaks.py: arrays(10000, ",
    "no_classes": "data: no_classes holds no class folders",
    "empty_class": "data: class folder a holds no .jpeg, .jpg, .png",
    "corrupt": "/1.jpg is not an image that Pillow knows",
    "large": "data: a batch of 10001 is larger than the data set of 10000 images; take a smaller",
}


def _run(patch: pytest.MonkeyPatch, *flags: str) -> list[dict[str, Any]]:
    patch.setattr(sys, "argv", ["cnnbench", "run", "mine.toml", "--json", "out.json", *flags])
    with pytest.raises(SystemExit):
        cli.main()
    results: list[dict[str, Any]] = json.loads(Path("out.json").read_text())["results"]
    return results


@pytest.fixture(scope="module")
def results(
    own_folders: OwnFolders, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """Every broken file's result, by its name; measured once, for a launch takes its time."""
    folder = tmp_path_factory.mktemp("broken")
    for name, source in (MODELS | DATASETS).items():
        (folder / f"{name}.py").write_text(source)
    for name in ("no_classes", "empty_class/a", "corrupt/a", "corrupt/b"):
        (folder / name).mkdir(parents=True)
    for name in ("a", "b"):
        (folder / "corrupt" / name / "1.jpg").write_bytes(b"no photograph")
    models = [f"--model={name}.py" for name in MODELS]
    names = [*(f"{name}.py" for name in DATASETS), "no_classes", "empty_class", "corrupt"]
    datasets = [f"--dataset={name}" for name in names]
    with pytest.MonkeyPatch.context() as patch:
        own_folders(folder, patch)
        suite = folder / "mine.toml"
        suite.write_text(suite.read_text().replace("20.0", "3.0"))
        found = {r["case"]["model"]: r for r in _run(patch, *models)}
        found |= {r["case"]["dataset"]: r for r in _run(patch, "--batch-size=1", *datasets)}
        (found["large"],) = _run(patch, "--batch-size=10001")
    return {name.partition("@")[0].removesuffix(".py"): result for name, result in found.items()}


@pytest.mark.parametrize("name", TOLD)
def test_a_broken_file_is_a_row_that_says_why(
    results: dict[str, dict[str, Any]], name: str
) -> None:
    result = results[name]
    assert result["verdict"] == "failed"
    assert TOLD[name] in result["reason"]
    assert "\n" not in result["reason"]
    assert result["images_per_second"] is None


@pytest.mark.parametrize("name", ["fine", "prints"])
def test_what_trains_is_measured_beside_them(results: dict[str, dict[str, Any]], name: str) -> None:
    assert results[name]["images_per_second"]["point"] > 0
