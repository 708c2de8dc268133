"""Windows: training steps timed between two device synchronisations."""

from typing import Any, Callable, Optional

from . import wire

FENCE_TRIALS = 3


class Windows:
    """What a method asks for its next window, and tells when that window is done.

    Args:
        requests: Gives the host's next message; waits for it.
        send: Tells the host.
        fence: Waits until the model's parameters are what the steps so far made them.
        clock: Monotonic, in seconds.
        evaluate: Gives the message that says how well the model does; without, nobody asks.
    """

    def __init__(
        self,
        requests: Callable[[], Any],
        send: Callable[[Any], None],
        fence: Callable[[], None],
        clock: Callable[[], float],
        evaluate: Optional[Callable[[], Any]] = None,
    ) -> None:
        self._requests = requests
        self._send = send
        self._fence = fence
        self._clock = clock
        self._evaluate = evaluate
        self._ready = clock()
        self._opened = self._ready
        self.count = 0

    def grant(self) -> Optional[int]:
        """The number of steps of the next window, whose clock starts now; None at the end."""
        request = self._requests()
        while isinstance(request, wire.Evaluate) and self._evaluate is not None:
            self._send(self._evaluate())
            request = self._requests()
        if isinstance(request, wire.Finish):
            return None
        self._fence()
        self._opened = self._clock()
        return int(request.steps)

    def done(self, steps: int, images: int, loss: Optional[float]) -> None:
        """Close the window.

        Args:
            steps: Training steps done since `grant`: at least as many as it said.
            images: Images consumed by them, exactly.
            loss: What the method reported last.
        """
        self._fence()
        closed = self._clock()
        self._send(
            wire.Window(
                steps=steps,
                images=images,
                seconds=closed - self._opened,
                started=self._opened - self._ready,
                fence=self._fence_seconds(),
                loss=None if loss is None else float(loss),
            )
        )
        self.count += 1

    def _fence_seconds(self) -> float:
        """What a synchronisation costs when there is nothing to wait for: the least of a few."""
        costs = []
        for _ in range(FENCE_TRIALS):
            begun = self._clock()
            self._fence()
            costs.append(self._clock() - begun)
        return min(costs)
