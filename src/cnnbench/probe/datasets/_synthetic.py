"""Images that are made: a smooth pattern for each class, shifted at random, under noise.

A class is a grid of 4x4 random colours, interpolated linearly on a torus. An image of it is that
pattern, moved by up to an eighth of its side, plus uniform noise. The patterns do not depend on the
seed, shifts and noise do: every seed draws from one distribution, from which the label can be
learned. All arithmetic is in integers, so every NumPy and every processor makes the same images.
"""

import functools
from typing import Any, Dict, Tuple

GRID = 4
COLOURS = 192  # of the pattern; with the noise on top a pixel stays below 256
NOISE = 64
PATTERNS_SEED = 2018

# Noise is cut from one block at random places: drawing it anew costs more than all the rest.
NOISE_BYTES = 1 << 22


class Synthetic:
    """Images made at the moment they are read.

    Args:
        size: Height and width, a multiple of 8.
        classes: How many; the label of image i is i modulo this.
        count: How many images.
        seed: Of shifts and noise.
    """

    def __init__(self, size: int, classes: int, count: int, seed: int) -> None:
        import numpy as np

        random = np.random.RandomState(seed % 2**32)
        self._size = size
        self._classes = classes
        self._shifts = random.randint(0, size // 4 + 1, size=(count, 2))
        self._starts = random.randint(0, NOISE_BYTES - size * size * 3, size=count)
        self._noise = np.frombuffer(random.bytes(NOISE_BYTES), np.uint8) % NOISE

    def __len__(self) -> int:
        return len(self._starts)

    def read(self, indices: Any) -> Tuple[Any, Any]:
        """Images and labels at these indices."""
        import numpy as np

        chosen = np.asarray(indices, np.int64)
        labels = chosen % self._classes
        images = np.empty((len(chosen), self._size, self._size, 3), np.uint8)
        for image, index, label in zip(images, chosen, labels):
            self._draw(image, index, int(label))
        return images, labels

    def facts(self) -> Dict[str, Any]:
        """How many images and classes, and that they were made."""
        return {"images": len(self), "classes": self._classes, "from": "made"}

    def _draw(self, image: Any, index: int, label: int) -> None:
        import numpy as np

        down, across = self._shifts[index]
        pattern = _pattern(label, self._classes, self._size)
        seen = pattern[down : down + self._size, across : across + self._size]
        start = self._starts[index]
        noise = self._noise[start : start + image.size].reshape(image.shape)
        np.add(seen, noise, out=image)


# As many as the small sets have classes; 1000 patterns of 256x256 would take 300 MB.
@functools.lru_cache(maxsize=16)
def _pattern(label: int, classes: int, size: int) -> Any:
    """What images of a class are cut from: uint8 (1.25 size, 1.25 size, 3)."""
    side = size + size // 4
    return _smooth(_smooth(_grids(classes)[label], size, side).swapaxes(0, 1), size, side).astype(
        "uint8"
    )


@functools.lru_cache(maxsize=2)
def _grids(classes: int) -> Any:
    """The colours of every class: uint16 (classes, 4, 4, 3)."""
    import numpy as np

    drawn = np.random.RandomState(PATTERNS_SEED).bytes(classes * GRID * GRID * 3)
    colours = np.frombuffer(drawn, np.uint8).astype(np.uint16) % COLOURS
    return colours.reshape(classes, GRID, GRID, 3)


def _smooth(lines: Any, size: int, side: int) -> Any:
    """Interpolate along the first axis, to `size` lines for one turn around, up to `side` lines."""
    import numpy as np

    step = size // GRID
    place = np.arange(side)
    before = place // step % GRID
    weight = (place % step).astype(np.uint16)[:, None, None]
    return (lines[before] * (step - weight) + lines[(before + 1) % GRID] * weight) // step
