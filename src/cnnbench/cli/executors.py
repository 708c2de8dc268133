"""Where a command measures: on this machine, or on each kind of node of a fleet."""

from __future__ import annotations

import sys
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING

from cnnbench.cli.measuring import here
from cnnbench.errors import UsageError, unknown
from cnnbench.executor import Alone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnbench.executor import Executor
    from cnnbench.record import Facts

LOCAL, RAY = "local", "ray"


@contextmanager
def executors(
    name: str, address: str | None, instance_type: str | None
) -> Iterator[Sequence[tuple[Executor, Facts]]]:
    """What measures, with the facts of its machine: one, or one for each kind of node.

    While a fleet measures, standard output is standard error: Ray tells there what died.

    Args:
        name: `local` or `ray`.
        address: Of the Ray cluster.
        instance_type: What this machine is called, or which nodes are to be taken.

    Raises:
        UsageError: There is no such executor, no Ray, or no cluster.
    """
    if name not in (LOCAL, RAY):
        raise unknown("executor", name, (LOCAL, RAY))
    if name == LOCAL:
        if address:
            raise UsageError("--address is of a Ray cluster; add --executor ray")
        yield [(Alone(), here(instance_type))]
        return
    try:
        from cnnbench.fleet import connected  # noqa: PLC0415  Ray is imported for who asks for it
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise UsageError("--executor ray needs Ray: pip install 'cnnbench[fleet]'") from None
    with redirect_stdout(sys.stderr), connected(address, instance_type) as fleet:
        yield [(kind, kind.machine) for kind in fleet.kinds()]
