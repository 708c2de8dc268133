"""`fit` of arrays in memory, shuffled, without validation, progress bar or batch callback.

A window is one epoch of one long `fit` call, or several where the host asks for more steps than
one epoch can have. The data is cut to so many images that an epoch has the steps asked for; that
changes how often an epoch begins, so what an epoch costs is inside the window, more often than a
user pays for it. Only an epoch hook is used: a batch hook would make Keras 3 wait for the device
in every step. When the host asks for another number of steps, a new `fit` call begins; its start
lies in its first window. Where each device has a process of its own, each shuffles its own part.
"""

from typing import Any, Optional, Tuple

from ..faults import Unsupported

IN_MEMORY = True
FROM_START = True
EPOCHS = 10**9


def train(task: Any, windows: Any) -> None:
    """Call `fit` until the host has seen enough."""
    repeat(task, windows)


def repeat(task: Any, windows: Any, callbacks: Tuple[Any, ...] = (), verbose: int = 0) -> None:
    """Call `fit` until the host has seen enough, perhaps with somebody who looks on.

    Args:
        task: What is trained.
        windows: Who is asked.
        callbacks: Called before the one that asks the host, so that all they do is in a window.
        verbose: Of `fit`: 0 for silence, 1 for a progress bar.
    """
    if task.feed.augment:
        raise Unsupported("fit trains on arrays; augment with train_on_batch or fit_generator")
    multiple = getattr(task.model, "steps_per_execution", 1)
    if len(task.feed) < multiple:
        raise Unsupported(
            "a pass of %d batches is shorter than %d steps per execution; take a smaller "
            "--batch-size" % (len(task.feed), multiple)
        )
    steps = windows.grant()
    while steps is not None:
        epoch_steps = min(-(-steps // multiple), len(task.feed) // multiple) * multiple
        images = task.feed.images(0, epoch_steps)
        x, y = task.feed.arrays(images)
        hook = epoch_hook(task, windows, steps, epoch_steps, images)
        task.model.fit(
            x,
            y,
            batch_size=task.feed.batch_size,
            epochs=EPOCHS,
            shuffle=True,
            verbose=verbose,
            callbacks=[*callbacks, hook],
        )
        steps = hook.asked


def epoch_hook(task: Any, windows: Any, steps: int, epoch_steps: int, epoch_images: int) -> Any:
    """A callback that closes a window when enough epochs have ended, and asks for the next.

    Args:
        task: What is trained.
        windows: Who is asked.
        steps: Training steps that the host asked for.
        epoch_steps: Training steps in an epoch.
        epoch_images: Images in an epoch.
    """

    class Hook(task.keras.callbacks.Callback):  # type: ignore[misc]
        asked: Optional[int] = None

        def __init__(self) -> None:
            super().__init__()
            self._epochs = 0

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
            self._epochs += 1
            if self._epochs * epoch_steps < steps:
                return
            loss = (logs or {}).get("loss")
            windows.done(self._epochs * epoch_steps, self._epochs * epoch_images, loss)
            self._epochs = 0
            self.asked = windows.grant()
            if self.asked != steps:
                self.model.stop_training = True

    return Hook()
