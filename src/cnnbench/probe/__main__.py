"""Owns the guest's descriptors: messages on the first two, everything that prints on the third."""

import os
import queue
import sys
import threading
from typing import IO, Any, Tuple

from . import ranks, session, wire

PATIENCE_SECONDS = 2.0


def main() -> None:
    """Converse until the host says `Finish` or goes away."""
    source, sink = _take_over()
    requests = queue.Queue()  # type: queue.Queue[Any]
    threading.Thread(target=_listen, args=(source, requests), daemon=True).start()

    speaking = threading.Lock()

    def send(message: Any) -> None:
        with speaking:
            sink.write(wire.encode(message) + "\n")
            sink.flush()

    session.run(requests.get, send)
    sys.stderr.flush()
    end_children()
    if ranks.own():
        threading.Event().wait()  # until rank 0 goes: it takes a rank that ends for one that died
    # All has been said, and some frameworks hang or crash at interpreter exit.
    os._exit(0)


def end_children() -> None:
    """End the processes that libraries left behind, so that their time is told as this one's."""
    library = sys.modules.get("multiprocessing")  # type: Any
    for child in library.active_children() if library else ():
        child.terminate()
        child.join(PATIENCE_SECONDS)


def _take_over() -> Tuple[IO[str], IO[str]]:
    """Keep stdin and stdout for the conversation; native code that prints to 1 reaches 2."""
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    sys.stdout = sys.stderr
    return os.fdopen(source, "r", encoding="utf-8"), os.fdopen(sink, "w", encoding="utf-8")


def _listen(source: IO[str], requests: "queue.Queue[Any]") -> None:
    """Queue the host's messages. Without a host nobody wants this training: leave at once."""
    for line in source:
        requests.put(wire.decode(line))
    os._exit(1)


if __name__ == "__main__":
    main()
