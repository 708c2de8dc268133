"""What a proof starts from is the same for every stack, and hides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from cnnbench.probe.feed import Feed
from cnnbench.probe.wire import Described
from cnnbench.verification import given

if TYPE_CHECKING:
    from pathlib import Path

DESCRIBED = Described(
    weights=[["kernel", [3, 3, 3, 16]], ["bias", [16]], ["gamma", [16]], ["variance", [16]]],
    shape=[8, 8, 3],
    classes=10,
    batch=4,
    macs=1,
    optimizer="adam",
    settings={"rate": 1e-3},
)
CASE = {"data_format": "channels_last", "batch_size": 4, "devices": 1, "augment": False}


class Numbered:
    """A source whose images are their own numbers."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def read(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        images = np.asarray(indices, np.uint8)[:, None, None, None] * np.ones((8, 8, 3), np.uint8)
        return images, np.zeros(len(indices), int)


def test_a_seed_makes_the_same_files_and_another_others(tmp_path: Path) -> None:
    files = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        given.write(tmp_path / f"{name}.npz", DESCRIBED, seed)
        files.append(dict(np.load(tmp_path / f"{name}.npz")))
    one, same, other = files
    assert all(np.array_equal(one[key], same[key]) for key in one)
    assert not np.array_equal(one["images"], other["images"])
    assert not np.array_equal(one["weights/0/0"], other["weights/0/0"])


def test_no_weight_is_where_a_missing_layer_would_have_it(tmp_path: Path) -> None:
    given.write(tmp_path / "given.npz", DESCRIBED, 1)
    found = np.load(tmp_path / "given.npz")
    for number, ((_, shape), usual) in enumerate(zip(DESCRIBED.weights, (0, 0, 1, 1), strict=True)):
        weight = found[f"weights/0/{number}"]
        assert weight.shape == tuple(shape)
        assert weight.dtype == np.float32
        assert np.abs(weight - usual).min() > 0
    assert (found["weights/0/3"] > 0).all()


def test_images_of_a_class_are_alike_and_those_of_others_are_not(tmp_path: Path) -> None:
    given.write(tmp_path / "given.npz", DESCRIBED, 1)
    found = np.load(tmp_path / "given.npz")
    images, labels = found["images"].astype(float), found["labels"]
    centres = {label: images[labels == label].mean(axis=0) for label in set(labels)}
    for image, label in zip(images, labels, strict=True):
        nearest = min(centres, key=lambda one: np.square(image - centres[one]).sum())
        assert nearest == label


@pytest.mark.parametrize("from_start", [True, False])
def test_rows_are_the_images_that_the_guests_feed_gives(from_start: bool) -> None:  # noqa: FBT001
    count = DESCRIBED.batch * (given.STEPS + given.LEARNING + given.MORE_STEPS)
    feed = Feed(Numbered(count), 10, CASE, 77)

    steps = given.STEPS + given.LEARNING
    for step, rows in enumerate(given.rows(DESCRIBED.batch, 77, steps, from_start=from_start)):
        images, _ = feed.batch(0 if from_start else step)
        assert np.rint(images[:, 0, 0, 0] * 255).astype(int).tolist() == rows
