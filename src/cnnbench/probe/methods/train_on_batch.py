"""`train_on_batch`: a Python loop over batches that lie in memory.

A window is `steps` calls, each with the next batch; the last of a pass may be partial. Keras gives
the loss to Python in each call, and so waits for the device in each step: that is the method's
own cost. Some releases of Keras 3 give the mean since the launch began, not the batch's loss.
"""

from typing import Any

IN_MEMORY = True


def train(task: Any, windows: Any) -> None:
    """Call `train_on_batch` until the host has seen enough."""
    position = 0
    steps = windows.grant()
    while steps is not None:
        for step in range(position, position + steps):
            x, y = task.feed.batch(step)
            losses = task.model.train_on_batch(x, y)
        loss = losses[0] if isinstance(losses, (list, tuple)) else losses  # alone without metrics
        windows.done(steps, task.feed.images(position, steps), loss)
        position += steps
        steps = windows.grant()
