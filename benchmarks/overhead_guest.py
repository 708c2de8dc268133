"""Inside a stack: the same training bare and as cnnbench measures it, in turns.

Started by overhead.py as `python -I -B overhead_guest.py PROBE ORDER`; prints JSON.
"""

import json
import random
import sys
import time
from typing import Any, Dict, List, Optional

TRIAL_STEPS = 32
TRIALS = 4


class Turns:
    """Stands where a method expects its windows; each turn is bare or a real window.

    A bare turn reads the clock twice and does nothing else: no fence, no message.

    Args:
        kinds: `bare` or `measured`, in the order of the turns.
        steps: Of each turn.
        real: The windows of a measured turn.
        told: What those windows send.
    """

    def __init__(self, kinds: List[str], steps: int, real: Any, told: List[Any]) -> None:
        self._left = list(kinds)
        self._steps = steps
        self._real = real
        self._told = told
        self._began = 0.0
        self.seconds = []  # type: List[float]
        self.walls = []  # type: List[float]
        self._kind = ""

    def grant(self) -> Optional[int]:
        """End a turn, begin the next."""
        if self._kind:
            self.walls.append(time.perf_counter() - self._began)
        if not self._left:
            return None
        self._kind = self._left.pop(0)
        self._began = self._opened = time.perf_counter()
        return self._real.grant() if self._kind == "measured" else self._steps

    def done(self, steps: int, images: int, loss: Any) -> None:
        """The turn's training is done."""
        if self._kind == "measured":
            self._real.done(steps, images, loss)
            self.seconds.append(self._told[-1].seconds)
        else:
            self.seconds.append(time.perf_counter() - self._opened)


def main(order: Any) -> Any:
    """Time pairs of a bare and a measured window, in random order, in one long run of a method."""
    from probe.feed import Feed
    from probe.windows import Windows

    from probe import plugins, session, wire

    case = order["case"]
    backend = plugins.load("backends", order["backend"])
    keras = backend.boot(case, order["threads"], 1)
    dataset = plugins.load("datasets", case["dataset"])
    definition = plugins.load("models", case["model"])
    feed = Feed(dataset.open_source(None, 1), dataset.CLASSES, case, 1)
    feed.keep_in_memory()
    model = definition.build(keras, dataset.SHAPE, dataset.CLASSES)
    definition.compile(keras, model)
    task = session.Task(keras=keras, model=model, feed=feed)
    fence = backend.fence(keras, model)

    def run(kinds: List[str], steps: int) -> Turns:
        told = []  # type: List[Any]
        real = Windows(lambda: wire.Measure(steps=steps), told.append, fence, backend.clock)
        turns = Turns(kinds, steps, real, told)
        plugins.load("methods", case["method"]).train(task, turns)
        return turns

    step = run(["bare"] * TRIALS, TRIAL_STEPS).seconds[-1] / TRIAL_STEPS
    steps = max(1, int(order["window_seconds"] / step))
    kinds = order_of_turns(order["pairs"])
    # The first pair is the warm-up of a call of this length.
    turns = run(["bare", "measured", *kinds], steps)
    return {"steps": steps, "pairs": paired(kinds, turns.seconds[2:], turns.walls[2:])}


def order_of_turns(pairs: int) -> List[str]:
    """Each pair in random order."""
    draw = random.Random(1)  # noqa: S311
    return [kind for _ in range(pairs) for kind in draw.sample(["bare", "measured"], 2)]


def paired(kinds: List[str], seconds: List[float], walls: List[float]) -> List[Dict[str, Any]]:
    """What each kind took, by pair."""
    turns = [
        (kind, {"seconds": took, "wall": wall}) for kind, took, wall in zip(kinds, seconds, walls)
    ]
    return [dict(turns[i : i + 2]) for i in range(0, len(turns), 2)]


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    answer = sys.stdout
    sys.stdout = sys.stderr
    answer.write(json.dumps(main(json.loads(sys.argv[2]))) + "\n")
