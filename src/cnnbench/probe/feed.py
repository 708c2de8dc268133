"""Images on their way to the model: order, batches, type and data format, in one place."""

import math
from typing import Any, Tuple

IN_MEMORY_BYTES = 1 << 30
READ_AT_ONCE = 256
HALF = 0.5


class Feed:
    """The batches of one launch.

    Args:
        source: `len(source)` images; `source.read(indices)` gives uint8 images (n, height, width,
            3) and their labels (n,).
        classes: Length of a one-hot label.
        case: The fields of the case.
        seed: Of the order of the images and of augmentation.
        share: Which part of each step this process feeds, and how many such parts there are.
        stream: Gives batches from a number on, as loaders do; without, they are read as they are
            asked for.

    Attributes:
        classes: Length of a one-hot label.
        channels_first: Whether channels come before rows.
        size: Images in one pass, of all devices. Several devices take whole steps only: a device
            with fewer images than the others would count as much as they do.
        augment: Whether batches are shifted and flipped at random.
        global_batch: Images in a step of all devices; the last of a pass has what is left.
        batch_size: Those of them that this process feeds.
    """

    def __init__(
        self,
        source: Any,
        classes: int,
        case: Any,
        seed: int,
        share: Tuple[int, int] = (0, 1),
        *,
        stream: Any = None,
    ) -> None:
        import numpy as np

        self._source = source
        self.classes = classes
        self.channels_first = case["data_format"] == "channels_first"
        self.augment = case["augment"]
        self._random = np.random.RandomState(seed)
        self._order = self._random.permutation(len(source))
        self._arrays = None  # type: Any
        self._devices = int(case["devices"])
        self._share = share
        self.global_batch = int(case["batch_size"]) * self._devices
        self.batch_size = self.global_batch // share[1]
        self._begin_stream = stream
        self._stream = None  # type: Any
        self._last: Any = None
        self._take(len(source))

    def keep_in_memory(self) -> None:
        """Read the images once, as many as fit into 1 GiB of float32, for batches to come from."""
        import numpy as np

        images, _ = self._source.read(self._order[:1])
        fitting = IN_MEMORY_BYTES // (images.size * 4)
        self._take(min(self.size, max(fitting, self.global_batch)))
        parts = [
            self._tensors(self._own[start : start + READ_AT_ONCE])
            for start in range(0, len(self._own), READ_AT_ONCE)
        ]
        x, y = zip(*parts)
        self._arrays = np.concatenate(x), np.concatenate(y)

    def arrays(self, count: int) -> Tuple[Any, Any]:
        """Of the first `count` images those that this process feeds, and their one-hot labels.

        Images are float32, from 0 to 1, in the data format.
        """
        own = count // self._share[1]
        return self._arrays[0][:own], self._arrays[1][:own]

    def __len__(self) -> int:
        """Batches in one pass."""
        return math.ceil(self.size / self.global_batch)

    def batch(self, position: int) -> Tuple[Any, Any]:
        """What this process feeds in step `position` of the launch; passes follow each other."""
        place = position % len(self)
        if self._arrays is not None:
            part = self._part(place)
            x, y = self._arrays[0][part], self._arrays[1][part]
        elif self._begin_stream is None:
            x, y = self.read(place)
        else:
            x, y = self.loaded(place)
        return (self._shifted_and_flipped(x), y) if self.augment else (x, y)

    def read(self, position: int, **how: Any) -> Tuple[Any, Any]:
        """Read a batch from the source, with what else that takes; nothing is augmented."""
        return self._tensors(self._own[self._part(position % len(self))], **how)

    def loaded(self, place: int) -> Tuple[Any, Any]:
        """The loader's next batch, or the last one again; any other place begins it anew."""
        if self._last is None or place not in (self._last[0], (self._last[0] + 1) % len(self)):
            self._stream = self._begin_stream(self, place)
            self._last = (place, next(self._stream))
        elif place != self._last[0] or len(self) == 1:
            self._last = (place, next(self._stream))
        x, y = self._last[1]
        return x, y

    @property
    def has_files(self) -> bool:
        """Whether images are files, one each."""
        return hasattr(self._source, "path")

    @property
    def shape(self) -> Tuple[int, int, int]:
        """Height, width and channels of an image, as it is read."""
        images, _ = self._source.read(self._own[:1])
        return tuple(images.shape[1:])

    def files(self) -> Tuple[Any, Any]:
        """Paths and labels of the images of a pass, in its order."""
        paths = [self._source.path(index) for index in self._own]
        return paths, self._source.labels(self._own)

    def images(self, position: int, steps: int) -> int:
        """Images of all devices in `steps` steps from `position` on, partial batches exactly."""
        passes = (position + steps) // len(self) - position // len(self)
        missing = len(self) * self.global_batch - self.size
        return int(steps * self.global_batch - passes * missing)

    def _part(self, place: int) -> slice:
        """Which images a batch has, of those in a pass."""
        return slice(place * self.batch_size, (place + 1) * self.batch_size)

    def _take(self, size: int) -> None:
        """Make the first `size` images of the order a pass, and know those of this process."""
        self.size = size if self._devices == 1 else size - size % self.global_batch
        which, shares = self._share
        order = self._order[: self.size]
        if shares > 1:
            order = order.reshape(-1, shares, self.batch_size)[:, which].ravel()
        self._own = order

    def _tensors(self, indices: Any, **how: Any) -> Tuple[Any, Any]:
        import numpy as np

        images, labels = self._source.read(indices, **how)
        if self.channels_first:
            images = images.transpose(0, 3, 1, 2)
        # Converted and divided at once: each pass over a batch of photographs costs.
        x = np.divide(images, 255.0, dtype="float32", casting="unsafe", order="C")
        return x, np.eye(self.classes, dtype="float32")[labels]

    def _shifted_and_flipped(self, x: Any) -> Any:
        """Shift by up to a tenth, filled with the nearest pixel, and flip half of the images.

        As the published Simple CNN script asks of Keras' ImageDataGenerator, in whole pixels.
        """
        import numpy as np

        down, across = (2, 3) if self.channels_first else (1, 2)
        result = np.empty_like(x)
        rows, columns = x.shape[down], x.shape[across]
        shifts = self._random.uniform(-0.1, 0.1, size=(len(x), 2)) * (rows, columns)
        flips = self._random.uniform(size=len(x)) < HALF
        for i, (shift, flip) in enumerate(zip(np.rint(shifts).astype(int), flips)):
            row = np.clip(np.arange(rows) + shift[0], 0, rows - 1)
            column = np.clip(np.arange(columns) + shift[1], 0, columns - 1)
            if flip:
                column = column[::-1]
            result[i] = x[i].take(row, axis=down - 1).take(column, axis=across - 1)
        return result
