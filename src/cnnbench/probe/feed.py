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

    Attributes:
        size: Images in one pass.
        augment: Whether batches are shifted and flipped at random.
        batch_size: Of every batch but the last of a pass, which has what is left.
    """

    def __init__(self, source: Any, classes: int, case: Any, seed: int) -> None:
        import numpy as np

        self._source = source
        self._classes = classes
        self._channels_first = case["data_format"] == "channels_first"
        self.augment = case["augment"]
        self._random = np.random.RandomState(seed)
        self._order = self._random.permutation(len(source))
        self._arrays = None  # type: Any
        self.batch_size = int(case["batch_size"])
        self.size = len(source)

    def keep_in_memory(self) -> None:
        """Read the images once, as many as fit into 1 GiB of float32, for batches to come from."""
        import numpy as np

        images, _ = self._source.read(self._order[:1])
        fitting = IN_MEMORY_BYTES // (images.size * 4)
        self.size = min(self.size, max(fitting, self.batch_size))
        parts = [
            self._tensors(self._order[start : min(start + READ_AT_ONCE, self.size)])
            for start in range(0, self.size, READ_AT_ONCE)
        ]
        x, y = zip(*parts)
        self._arrays = np.concatenate(x), np.concatenate(y)

    def arrays(self, count: int) -> Tuple[Any, Any]:
        """The first `count` images (float32, 0 to 1, in the data format) and one-hot labels."""
        return self._arrays[0][:count], self._arrays[1][:count]

    def __len__(self) -> int:
        """Batches in one pass."""
        return math.ceil(self.size / self.batch_size)

    def batch(self, position: int) -> Tuple[Any, Any]:
        """Batch number `position` since the launch began; passes follow each other."""
        start = position % len(self) * self.batch_size
        stop = min(start + self.batch_size, self.size)
        if self._arrays is None:
            x, y = self._tensors(self._order[start:stop])
        else:
            x, y = self._arrays[0][start:stop], self._arrays[1][start:stop]
        return (self._shifted_and_flipped(x), y) if self.augment else (x, y)

    def images(self, position: int, steps: int) -> int:
        """Images in `steps` batches from number `position` on, partial batches counted exactly."""
        passes = (position + steps) // len(self) - position // len(self)
        missing = len(self) * self.batch_size - self.size
        return int(steps * self.batch_size - passes * missing)

    def _tensors(self, indices: Any) -> Tuple[Any, Any]:
        import numpy as np

        images, labels = self._source.read(indices)
        if self._channels_first:
            images = images.transpose(0, 3, 1, 2)
        x = np.ascontiguousarray(images, dtype="float32")
        x /= 255.0
        return x, np.eye(self._classes, dtype="float32")[labels]

    def _shifted_and_flipped(self, x: Any) -> Any:
        """Shift by up to a tenth, filled with the nearest pixel, and flip half of the images.

        As the published Simple CNN script asks of Keras' ImageDataGenerator, in whole pixels.
        """
        import numpy as np

        down, across = (2, 3) if self._channels_first else (1, 2)
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
