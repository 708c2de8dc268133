"""Batches: exact counts, order, data format, type and augmentation."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnbench.probe import feed as feed_module
from cnnbench.probe.datasets._held import Held
from cnnbench.probe.feed import Feed

CLASSES = 7
SHAPE = (20, 12, 3)
FORMATS = ("channels_last", "channels_first")

counts = st.integers(1, 40)
seeds = st.integers(0, 2**32 - 1)


def held(count: int, shape: tuple[int, int, int] = (2, 2, 3)) -> Held:
    """Images whose every pixel is their index; labels that follow from it."""
    indices = np.arange(count)
    images = np.broadcast_to(indices[:, None, None, None], (count, *shape)).astype("uint8")
    return Held(images, indices % CLASSES, {})


def noise(count: int) -> Held:
    """Images without two pixels that are alike, as far as a byte can tell."""
    images = np.random.default_rng(0).integers(0, 256, (count, *SHAPE), dtype="uint8")
    return Held(images, np.arange(count) % CLASSES, {})


def feed_of(source: Held, batch_size: int, seed: int = 0, **changes: Any) -> Feed:
    share = changes.pop("share", (0, 1))
    case = {"data_format": "channels_last", "augment": False, "batch_size": batch_size}
    return Feed(source, CLASSES, case | {"devices": 1} | changes, seed, share)


def indices(x: Any) -> list[int]:
    """Which images of `held` these are."""
    return [round(float(image.flat[0]) * 255) for image in x]


@st.composite
def sizes(draw: st.DrawFn) -> tuple[int, int]:
    """Images, and a batch size up to that."""
    count = draw(counts)
    return count, draw(st.integers(1, count))


@given(
    size=sizes(), position=st.integers(0, 100), steps=st.integers(0, 100), in_memory=st.booleans()
)
def test_images_are_counted_as_they_are_delivered(
    *, size: tuple[int, int], position: int, steps: int, in_memory: bool
) -> None:
    feed = feed_of(held(size[0]), size[1])
    if in_memory:
        feed.keep_in_memory()

    delivered = sum(len(feed.batch(i)[0]) for i in range(position, position + steps))

    assert feed.images(position, steps) == delivered


@given(sizes(), seeds, st.integers(0, 3))
def test_every_pass_has_every_image_once_and_all_passes_are_alike(
    size: tuple[int, int], seed: int, number: int
) -> None:
    feed = feed_of(held(size[0]), size[1], seed)
    first = number * len(feed)

    batches = [indices(feed.batch(first + i)[0]) for i in range(len(feed))]

    assert sorted(itertools.chain(*batches)) == list(range(size[0]))
    assert all(len(batch) == size[1] for batch in batches[:-1])
    assert batches == [indices(feed.batch(i)[0]) for i in range(len(feed))]


@given(sizes(), seeds)
def test_labels_stay_with_their_images(size: tuple[int, int], seed: int) -> None:
    feed = feed_of(held(size[0]), size[1], seed)

    for i in range(len(feed)):
        x, y = feed.batch(i)
        assert y.shape == (len(x), CLASSES)
        assert y.dtype == np.float32
        assert (y.sum(axis=1) == 1).all()
        assert y.argmax(axis=1).tolist() == [index % CLASSES for index in indices(x)]


@given(sizes(), seeds, st.sampled_from(FORMATS))
def test_batches_are_the_same_from_memory_and_while_reading(
    size: tuple[int, int], seed: int, data_format: str
) -> None:
    reading = feed_of(noise(size[0]), size[1], seed, data_format=data_format)
    kept = feed_of(noise(size[0]), size[1], seed, data_format=data_format)
    kept.keep_in_memory()

    assert (kept.size, len(kept)) == (reading.size, len(reading))
    for i in range(len(reading) + 1):
        for one, other in zip(reading.batch(i), kept.batch(i), strict=True):
            np.testing.assert_array_equal(one, other)


@settings(max_examples=30)
@given(size=sizes(), seed=seeds, augment=st.booleans())
def test_channels_first_is_channels_last_transposed_augmented_or_not(
    *, size: tuple[int, int], seed: int, augment: bool
) -> None:
    last, first = (
        feed_of(noise(size[0]), size[1], seed, data_format=name, augment=augment)
        for name in FORMATS
    )

    for i in range(len(last) + 1):
        x, y = first.batch(i)
        expected, labels = last.batch(i)
        assert x.shape[1] == 3
        np.testing.assert_array_equal(x, expected.transpose(0, 3, 1, 2))
        np.testing.assert_array_equal(y, labels)


def test_pixels_are_float32_from_0_to_1_and_contiguous() -> None:
    images = np.array([0, 51, 255], "uint8").reshape(1, 1, 1, 3)
    for data_format in FORMATS:
        x, _ = feed_of(Held(images, np.array([2]), {}), 1, data_format=data_format).batch(0)
        assert x.dtype == np.float32
        assert x.flags.c_contiguous
        assert x.ravel() == pytest.approx([0, 0.2, 1])


def test_arrays_are_the_first_images_of_the_order() -> None:
    feed = feed_of(held(40), 16, seed=5)
    feed.keep_in_memory()

    x, y = feed.arrays(20)

    assert len(x) == len(y) == 20
    assert indices(x) == (indices(feed.batch(0)[0]) + indices(feed.batch(1)[0]))[:20]


@given(seeds)
def test_the_order_follows_from_the_seed(seed: int) -> None:
    once, again, other = (feed_of(held(40), 40, s) for s in (seed, seed, (seed + 1) % 2**32))

    assert indices(once.batch(0)[0]) == indices(again.batch(0)[0])
    assert indices(once.batch(0)[0]) != indices(other.batch(0)[0])


def test_memory_holds_what_fits_but_at_least_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    image_bytes = 2 * 2 * 3 * 4
    monkeypatch.setattr(feed_module, "IN_MEMORY_BYTES", 10 * image_bytes)
    monkeypatch.setattr(feed_module, "READ_AT_ONCE", 3)

    few, batch = feed_of(held(40), 4), feed_of(held(40), 16)
    whole = sorted(indices(few.batch(0)[0]))
    for feed in (few, batch):
        feed.keep_in_memory()

    assert (few.size, len(few)) == (10, 3)
    assert (batch.size, len(batch)) == (16, 1)
    assert sorted(indices(few.batch(0)[0])) == whole
    assert few.images(0, 3) == 10
    assert len(few.arrays(40)[0]) == 10


class Drawn:
    """Stands for the random numbers of augmentation: given shifts and one draw of the flip."""

    def __init__(self, down: float, across: float, flip: float) -> None:
        self._shift, self._flip = (down, across), flip

    def uniform(self, low: float = 0.0, high: float = 1.0, size: Any = None) -> Any:
        del low, high
        if isinstance(size, tuple):
            return np.broadcast_to(np.array(self._shift), size)
        return np.full(size, self._flip)


def augmented(drawn: Any) -> tuple[Any, Any]:
    """A batch of two as it was, and as it comes out."""
    feed = feed_of(noise(2), 2, augment=True)
    plain = feed_of(noise(2), 2).batch(0)[0]
    feed._random = drawn
    return plain, feed.batch(0)[0]


def test_augmentation_without_shift_or_flip_changes_nothing() -> None:
    before, after = augmented(Drawn(0.0, 0.0, 0.9))

    np.testing.assert_array_equal(before, after)


def test_a_flip_mirrors_left_and_right() -> None:
    before, after = augmented(Drawn(0.0, 0.0, 0.1))

    np.testing.assert_array_equal(before[:, :, ::-1], after)


def test_a_shift_moves_whole_pixels_and_repeats_the_edge() -> None:
    before, after = augmented(Drawn(0.1, -0.1, 0.9))  # of 20 rows two, of 12 columns one

    np.testing.assert_array_equal(after[:, :-2, 1:], before[:, 2:, :-1])
    np.testing.assert_array_equal(after[:, -2:, 1:], before[:, [-1, -1], :-1])
    np.testing.assert_array_equal(after[:, :-2, :1], before[:, 2:, :1])


@settings(max_examples=30)
@given(sizes(), seeds, st.sampled_from(FORMATS))
def test_augmentation_keeps_shape_type_range_and_labels(
    size: tuple[int, int], seed: int, data_format: str
) -> None:
    plain = feed_of(noise(size[0]), size[1], seed, data_format=data_format)
    feed = feed_of(noise(size[0]), size[1], seed, data_format=data_format, augment=True)

    for i in range(len(feed)):
        (x, y), (before, labels) = feed.batch(i), plain.batch(i)
        assert (x.shape, x.dtype) == (before.shape, before.dtype)
        assert before.min() <= x.min() <= x.max() <= before.max()
        np.testing.assert_array_equal(y, labels)


def test_augmentation_draws_anew_for_each_image_and_pass_and_leaves_the_images_alone() -> None:
    same = np.broadcast_to(np.arange(SHAPE[1], dtype="uint8")[:, None], (30, *SHAPE)).copy()
    feed = feed_of(Held(same, np.zeros(30, int), {}), 30, augment=True)
    feed.keep_in_memory()

    first, second = feed.batch(0)[0], feed.batch(1)[0]

    kinds = {image.tobytes() for image in first}
    assert 2 < len(kinds) <= 6  # three shifts across, flipped or not; down changes nothing here
    assert (first != second).any()
    np.testing.assert_array_equal(feed.arrays(30)[0], same.astype("float32") / 255)


@given(
    size=sizes(),
    devices=st.integers(2, 4),
    position=st.integers(0, 50),
    steps=st.integers(0, 50),
    in_memory=st.booleans(),
)
def test_several_devices_take_whole_steps_only(
    *, size: tuple[int, int], devices: int, position: int, steps: int, in_memory: bool
) -> None:
    whole = size[1] * devices
    feed = feed_of(held(size[0] * devices), size[1], devices=devices)
    if in_memory:
        feed.keep_in_memory()

    batches = [feed.batch(i)[0] for i in range(position, position + steps)]

    assert feed.size == size[0] * devices // whole * whole
    assert (feed.batch_size, feed.global_batch) == (whole, whole)
    assert {len(x) for x in batches} <= {whole}
    assert feed.images(position, steps) == steps * whole


@given(size=sizes(), devices=st.integers(2, 4), seed=seeds, in_memory=st.booleans())
def test_processes_feed_together_what_one_feeds_alone(
    *, size: tuple[int, int], devices: int, seed: int, in_memory: bool
) -> None:
    shares = [(0, 1), *((rank, devices) for rank in range(devices))]
    alone, *parts = (
        feed_of(held(size[0] * devices), size[1], seed, devices=devices, share=share)
        for share in shares
    )
    if in_memory:
        for feed in (alone, *parts):
            feed.keep_in_memory()

    assert {(len(part), part.size, part.batch_size) for part in parts} == {
        (len(alone), alone.size, size[1])
    }
    for i in range(len(alone) + 1):
        together = [np.concatenate(kind) for kind in zip(*(p.batch(i) for p in parts), strict=True)]
        for one, other in zip(alone.batch(i), together, strict=True):
            np.testing.assert_array_equal(one, other)
    if in_memory:
        count = alone.images(0, len(alone))
        labelled = {index for part in parts for index in indices(part.arrays(count)[0])}
        assert labelled == set(indices(alone.arrays(count)[0]))
