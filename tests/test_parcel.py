"""The user's own files, as they travel to another machine."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from cnnbench.errors import UsageError
from cnnbench.parcel import Parcel
from cnnbench.prepare import Own

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNBENCH_CACHE_DIR", str(tmp_path / "cache"))


def test_a_file_arrives_as_it_was_and_by_the_name_that_it_had(tmp_path: Path) -> None:
    model = tmp_path / "net.py"
    model.write_bytes(b"def build(): ...\r\n")
    sent = pickle.dumps(Parcel.of(Own(models={"net.py@1": model})))
    model.unlink()

    there = pickle.loads(sent).unpack()  # noqa: S301  made above

    assert there.models["net.py@1"].read_bytes() == b"def build(): ...\r\n"
    assert there.models["net.py@1"].name == "net.py"


def test_two_files_of_one_name_do_not_meet(tmp_path: Path) -> None:
    own = Own()
    for text in ("one", "two"):
        path = tmp_path / text / "net.py"
        path.parent.mkdir()
        path.write_text(text)
        own.models[text] = path
    there = Parcel.of(own).unpack()
    assert {name: path.read_text() for name, path in there.models.items()} == {
        "one": "one",
        "two": "two",
    }


def test_a_folder_of_images_stays_at_its_path(tmp_path: Path) -> None:
    there = Parcel.of(Own(datasets={"photographs@1": tmp_path})).unpack()
    assert there.datasets == {"photographs@1": tmp_path}


def test_an_environment_of_this_machine_does_not_travel(tmp_path: Path) -> None:
    own = Own(environments={"python@1": tmp_path})  # type: ignore[dict-item]
    with pytest.raises(UsageError, match="nodes build stacks"):
        Parcel.of(own)
