"""Keras' loops over batches, for a model that is none of Keras'."""

from typing import Any, Callable


class Callback:
    """What Keras' own is to a method."""

    model = None  # type: Any

    def set_model(self, model: Any) -> None:
        """Called by `fit`."""
        self.model = model

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called after a batch."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Called after an epoch."""


class Loops:
    """`fit` and `fit_generator`, made of training steps.

    A subclass defines `trained(x, y)`: one training step, which gives its loss as anything that can
    be added and made a float.
    """

    trained = None  # type: Any
    stop_training = False

    def fit(self, x: Any, y: Any, batch_size: int, epochs: int, callbacks: Any, **_: Any) -> None:
        """Epochs over arrays until a callback says stop."""
        self._epochs(lambda: self.batches(x, y, batch_size), epochs, callbacks)

    def batches(self, x: Any, y: Any, size: int) -> Any:
        """The batches of an epoch, in the order of the images."""
        for start in range(0, len(x), size):
            yield x[start : start + size], y[start : start + size]

    def fit_generator(
        self, generator: Any, steps_per_epoch: int, epochs: int, callbacks: Any, **_: Any
    ) -> None:
        """Epochs of batches from a sequence that is begun again at its end."""
        endless = (generator[i] for _ in iter(int, 1) for i in range(len(generator)))

        def batches() -> Any:
            return (next(endless) for _ in range(steps_per_epoch))

        self._epochs(batches, epochs, callbacks)

    def _epochs(self, batches: Callable[[], Any], epochs: int, callbacks: Any) -> None:
        self.stop_training = False
        for callback in callbacks:
            callback.set_model(self)
        watching = [c for c in callbacks if has_batch_hook(c)]
        for epoch in range(epochs):
            losses: Any = []
            for batch, (x, y) in enumerate(batches()):
                losses.append(self.trained(x, y))
                for callback in watching:
                    callback.on_train_batch_end(batch, {"loss": float(losses[-1])})
            # A float is asked for once an epoch: on a GPU it waits for all that was queued.
            mean = float(sum(losses) / len(losses))
            for callback in callbacks:
                callback.on_epoch_end(epoch, {"loss": mean})
            if self.stop_training:
                return


def has_batch_hook(callback: Any) -> bool:
    """Whether a callback does anything after a batch."""
    hook = callback.on_train_batch_end
    return getattr(hook, "__func__", None) is not Callback.on_train_batch_end
