"""Inside a stack: the same training bare and as cnnbench measures it, in turns.

Started by overhead.py as `python -I -B overhead_guest.py PROBE ORDER`; prints JSON.
"""

import json
import random
import sys
import time
from typing import Any, Dict

WARM_UP_STEPS = 8
TRIAL_STEPS = 32


class Arms:
    """One model and its data, trained in two ways."""

    def __init__(self, order: Any) -> None:
        from probe.feed import Feed

        from probe import plugins, session

        case = order["case"]
        self._backend = plugins.load("backends", order["backend"])
        keras = self._backend.boot(case, order["threads"], 1)
        dataset = plugins.load("datasets", case["dataset"])
        definition = plugins.load("models", case["model"])
        self._method = plugins.load("methods", case["method"])
        self._feed = Feed(dataset.open_source(None, 1), dataset.CLASSES, case, 1)
        self._feed.keep_in_memory()
        self._model = definition.build(keras, dataset.SHAPE, dataset.CLASSES)
        definition.compile(keras, self._model)
        self._task = session.Task(keras=keras, model=self._model, feed=self._feed)
        self._fence = self._backend.fence(keras, self._model)
        self._loop = LOOPS[case["method"]]

    def bare(self, steps: int, windows: int) -> Dict[str, float]:
        """`windows` passes over `steps` batches as a user would write them, timed from outside."""
        x, y = self._feed.arrays(steps * self._feed.batch_size)
        self._fence()
        begun = time.perf_counter()
        self._loop(self._model, x, y, self._feed.batch_size, windows)
        self._fence()
        return {"seconds": time.perf_counter() - begun}

    def measured(self, steps: int, windows: int) -> Dict[str, float]:
        """The same by the probe's method: what its windows tell, and what it took in all."""
        from probe.windows import Windows

        from probe import wire

        told = []  # type: Any
        requests = iter([wire.Measure(steps=steps)] * windows + [wire.Finish()])
        begun = time.perf_counter()
        opened = Windows(lambda: next(requests), told.append, self._fence, self._backend.clock)
        self._method.train(self._task, opened)
        wall = time.perf_counter() - begun
        return {"seconds": sum(window.seconds for window in told), "wall": wall}


def main(order: Any) -> Any:
    """Time pairs of a bare loop and of measured windows, in random order."""
    arms = Arms(order)
    arms.bare(WARM_UP_STEPS, 1)
    arms.measured(WARM_UP_STEPS, 1)
    for _ in range(3):
        step = arms.bare(TRIAL_STEPS, 1)["seconds"] / TRIAL_STEPS
    steps = max(1, int(order["window_seconds"] / step))
    arms.measured(steps, order["windows"])
    draw = random.Random(1)  # noqa: S311
    pairs = []
    for _ in range(order["pairs"]):
        turns = [("bare", arms.bare), ("measured", arms.measured)]
        draw.shuffle(turns)
        pairs.append({name: arm(steps, order["windows"]) for name, arm in turns})
    return {"steps": steps, "pairs": pairs}


def bare_train_on_batch(model: Any, x: Any, y: Any, batch_size: int, passes: int) -> None:
    """A loop over batches."""
    for _ in range(passes):
        for start in range(0, len(x), batch_size):
            model.train_on_batch(x[start : start + batch_size], y[start : start + batch_size])


def bare_fit(model: Any, x: Any, y: Any, batch_size: int, passes: int) -> None:
    """One call without callbacks."""
    model.fit(x, y, batch_size=batch_size, epochs=passes, shuffle=True, verbose=0)


LOOPS = {"train_on_batch": bare_train_on_batch, "fit": bare_fit}

if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    answer = sys.stdout
    sys.stdout = sys.stderr
    answer.write(json.dumps(main(json.loads(sys.argv[2]))) + "\n")
