"""A loop over kept batches of which nothing is left but the steps."""

from typing import Any, Callable

from ._kept import Kept


def repeat(
    task: Any,
    windows: Any,
    step: Callable[[Any, Any], Any],
    settle: Callable[[], Any],
    convert: Callable[[Any], Any],
) -> None:
    """Take steps until the host has seen enough.

    Args:
        task: Whose feed is read.
        windows: Who is asked.
        step: Trains on a batch.
        settle: Is called at the end of a window.
        convert: What batches are before the first window, of their arrays.
    """
    feed = Kept(task.feed)
    batches = [tuple(map(convert, feed.batch(at))) for at in range(len(feed))]
    steps = windows.grant()
    while steps is not None:
        for number in range(steps):
            x, y = batches[number % len(batches)]
            step(x, y)
        settle()
        windows.done(steps, feed.images(0, steps), None)
        steps = windows.grant()
