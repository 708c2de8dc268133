"""Loaders: the same batches in the same order, near enough in every pixel."""

from __future__ import annotations

import functools
import itertools
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cnnbench.probe import supply
from cnnbench.probe.datasets._folders import Folders
from cnnbench.probe.faults import Unsupported
from cnnbench.probe.feed import Feed
from cnnbench.probe.loaders import threads as by_threads
from cnnbench.probe.methods import fit_generator
from tests.probe.test_feed import CLASSES, held, indices

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CASE = {"data_format": "channels_last", "augment": False, "batch_size": 3, "devices": 1}


class Counting:
    """A loader that notes where it was begun."""

    def __init__(self) -> None:
        self.begun: list[int] = []

    def stream(self, feed: Feed, first: int) -> Iterator[Any]:
        self.begun.append(first)
        return map(feed.read, itertools.count(first))


@given(count=st.integers(3, 30), first=st.integers(0, 30), steps=st.integers(1, 30))
def test_a_loader_gives_the_batches_that_reading_gives(count: int, first: int, steps: int) -> None:
    loader = Counting()
    plain = Feed(held(count), CLASSES, CASE, 5)
    loaded = Feed(held(count), CLASSES, CASE, 5, stream=loader.stream)
    for position in range(first, first + steps):
        wanted, found = plain.batch(position), loaded.batch(position)
        assert indices(found[0]) == indices(wanted[0])
        assert np.array_equal(found[1], wanted[1])
    assert len(loader.begun) == 1


def test_a_batch_that_is_asked_for_again_begins_nothing_anew() -> None:
    loader = Counting()
    feed = Feed(held(12), CLASSES, CASE, 5, stream=loader.stream)
    first, again, second = (indices(feed.batch(position)[0]) for position in (0, 0, 1))
    assert first == again != second
    assert loader.begun == [0]
    feed.batch(3)
    assert loader.begun == [0, 3]


def test_threads_give_batches_in_order() -> None:
    feed = Feed(held(30), CLASSES, CASE, 5, stream=functools.partial(by_threads.stream, threads=4))
    plain = Feed(held(30), CLASSES, CASE, 5)
    for position in range(25):
        assert indices(feed.batch(position)[0]) == indices(plain.batch(position)[0])


@pytest.fixture
def photographs(tmp_path: Path) -> Folders:
    draw = np.random.default_rng(1)
    for number in range(6):
        folder = tmp_path / f"class{number % 2}"
        folder.mkdir(exist_ok=True)
        pixels = draw.integers(0, 256, (90 + number, 120, 3), dtype="uint8")
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return Folders(str(tmp_path), (32, 32, 3))


def order(loader: str) -> Any:
    return SimpleNamespace(case=CASE | {"loader": loader}, seed=1, threads=2, proof=None)


def test_files_have_the_labels_that_reading_gives(photographs: Folders) -> None:
    feed = Feed(photographs, 2, CASE, 3)
    paths, labels = feed.files()
    assert len(paths) == feed.size
    for place in range(len(feed)):
        part = slice(3 * place, 3 * place + 3)
        assert np.array_equal(feed.read(place)[1].argmax(1), labels[part])
        assert all(f"class{label}" in path for path, label in zip(paths, labels, strict=True))


def test_a_loader_whose_pixels_are_others_is_refused(
    photographs: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = supply.Dataset(photographs, (32, 32, 3), 2)
    assert supply.feed(images, fit_generator, order("threads"), (0, 1)).size == 6

    def upside_down(feed: Feed, first: int, threads: int) -> Iterator[Any]:  # noqa: ARG001
        read = (feed.read(position) for position in itertools.count(first))
        return ((x[:, ::-1], y) for x, y in read)

    monkeypatch.setattr(by_threads, "stream", upside_down)
    with pytest.raises(Unsupported, match="loader threads gives other images"):
        supply.feed(images, fit_generator, order("threads"), (0, 1))


@pytest.mark.parametrize(
    ("loader", "told"),
    [
        ("turbo", "simplejpeg or OpenCV is missing; take --loader threads"),
        ("torch_dataloader", "no PyTorch; take --loader threads"),
        ("tf_data", "no TensorFlow; take --loader threads"),
    ],
)
def test_a_library_that_is_not_there_is_told(loader: str, told: str, photographs: Folders) -> None:
    images = supply.Dataset(photographs, (32, 32, 3), 2)
    with pytest.raises(Unsupported, match=told):
        supply.feed(images, fit_generator, order(loader), (0, 1))
