"""`fit_generator`: batches are read, decoded and put into form while training.

On Keras 2 the real `fit_generator` of a `Sequence`, with its one worker thread and queue of ten;
on Keras 3, which has no such method, `fit` of a `PyDataset`, which by default has no worker either
but what the backend's own reading does. A window is one epoch of `steps` batches, cut out of the
endless row of batches where the last epoch ended. Reading is inside the window. What Keras 2's
worker reads ahead while a window is closed is at most its queue.
"""

from typing import Any, Optional, Tuple

IN_MEMORY = False
EPOCHS = 10**9


def train(task: Any, windows: Any) -> None:
    """Call the method until the host has seen enough."""
    position = 0
    steps = windows.grant()
    while steps is not None:
        batches = sequence(task, position, steps)
        hook = epoch_hook(task, windows, batches, steps)
        options = {"epochs": EPOCHS, "verbose": 0, "callbacks": [hook], "shuffle": False}
        if hasattr(task.model, "fit_generator"):
            task.model.fit_generator(batches, steps_per_epoch=steps, **options)
        else:
            task.model.fit(batches, **options)
        position = batches.position
        steps = hook.asked


def sequence(task: Any, position: int, steps: int) -> Any:
    """The batches from number `position` on, as the stack's Keras wants them."""
    endless = hasattr(task.model, "fit_generator")
    kind: Any = task.keras.utils.Sequence if endless else task.keras.utils.PyDataset

    class Batches(kind):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.position = position
            self._first = position

        def __len__(self) -> int:
            return len(task.feed) if endless else steps

        def __getitem__(self, index: int) -> Tuple[Any, Any]:
            first = self._first if endless else self.position
            x, y = task.feed.batch(first + index)
            return x, y

    return Batches()


def epoch_hook(task: Any, windows: Any, batches: Any, steps: int) -> Any:
    """A callback that makes each epoch a window."""

    class Hook(task.keras.callbacks.Callback):  # type: ignore[misc]
        asked: Optional[int] = None

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            images = task.feed.images(batches.position, steps)
            windows.done(steps, images, (logs or {}).get("loss"))
            batches.position += steps
            self.asked = windows.grant()
            if self.asked != steps:
                self.model.stop_training = True

    return Hook()
