"""The canary's own program: work like training's, in windows, told as JSON lines.

Started as `<python> -I -B canary_load.py WINDOWS THREADS`; it needs NumPy and nothing of cnnbench.
A unit of work is a product of two float32 matrices, on as many threads as NumPy's library has, and
a pass over memory that no cache holds, on THREADS threads.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

WINDOW_SECONDS = 0.25
WARM_UP_WINDOWS = 2  # in which threads start and memory is touched first; not told
SIDE = 768  # of a matrix: 0.9 billion multiplications and additions a product
CHUNK, CHUNKS = 1 << 22, 8  # float32 values passed over in a unit, and such chunks: 128 MiB


def main(windows: int, threads: int) -> None:
    """Work, and tell of each window its units and seconds."""
    draw = np.random.default_rng(1)
    left, right = draw.random((2, SIDE, SIDE), dtype=np.float32)
    product = np.empty_like(left)
    memory = np.ones((CHUNKS, threads, CHUNK // threads), dtype=np.float32)

    def passed(part: np.ndarray) -> None:
        np.negative(part, out=part)

    with ThreadPoolExecutor(threads) as pool:
        unit = 0
        for window in range(WARM_UP_WINDOWS + windows):
            begun, first = time.perf_counter(), unit
            while time.perf_counter() - begun < WINDOW_SECONDS:
                np.matmul(left, right, out=product)
                list(pool.map(passed, memory[unit % CHUNKS]))
                unit += 1
            seconds = time.perf_counter() - begun
            if window >= WARM_UP_WINDOWS:
                sys.stdout.write(json.dumps({"units": unit - first, "seconds": seconds}) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
