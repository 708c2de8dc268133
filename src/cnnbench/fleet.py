"""A fleet: the nodes of a Ray cluster. Each does one thing at a time, and has itself to itself.

Nodes that are alike in CPU, memory, GPUs and instance type are of one kind, which counts as one
machine; which node a launch lived on is a fact of the launch. What this process has of cnnbench,
the guest and the locks of stacks among it, travels to the nodes, as do the user's own model files;
folders of images do not, and have to stand at the same path everywhere.

Only `--executor ray` imports this module, and with it Ray.
"""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import ray
from ray.exceptions import (
    RayError,
    RayTaskError,
    RuntimeEnvSetupError,
    TaskUnschedulableError,
)
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cnnbench import folders
from cnnbench.case import digest
from cnnbench.errors import UsageError
from cnnbench.executor import LostError, UnbegunError
from cnnbench.machine import facts, instance
from cnnbench.parcel import Parcel
from cnnbench.prepare import Own
from cnnbench.readiness import exclusive

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from cnnbench import events
    from cnnbench.executor import Happening
    from cnnbench.record import Facts

T = TypeVar("T")

LOOK_SECONDS = 2.0  # between two looks at which nodes are there
WAIT_SECONDS = 0.5  # at most, for what a node has to say
REST_SECONDS = 3.0  # after a loss: whether its node is dead is not known at once
SURVEY_SECONDS = 120.0  # that nodes have to describe themselves before anything is measured


@contextmanager
def connected(address: str | None, instance_type: str | None) -> Iterator[Fleet]:
    """The fleet of a cluster that is running, for as long as the block does.

    Args:
        address: Of its head, of which this machine is a node; None for the one on this machine.
        instance_type: Of the nodes to take: they have a resource of that name. None takes all.

    Raises:
        UsageError: There is no cluster.
    """
    _connect(address)
    try:
        yield Fleet(instance_type)
    finally:
        ray.shutdown()


class Fleet:
    """The nodes of the cluster that this process is connected to.

    Args:
        instance_type: Of the nodes to take; None takes all.
    """

    def __init__(self, instance_type: str | None) -> None:
        self._instance_type = instance_type
        self._given = instance.given(instance_type)
        self._nodes: dict[str, Node] = {}
        self._asked: dict[str, Any] = {}
        self._unfit: dict[str, str] = {}  # nodes that cannot do our work, and why
        self._alive: set[str] = set()
        self._looked = 0.0
        self._parcels: dict[int, tuple[Own, Any]] = {}
        self.streams: set[Any] = set()

    def kinds(self) -> list[Kind]:
        """The kinds of nodes that are there, once all have said what they are.

        Raises:
            UsageError: There is none, or one cannot do our work.
        """
        deadline = time.monotonic() + SURVEY_SECONDS
        self.look()
        while self._asked and time.monotonic() < deadline:
            self.wait()
            self.look()
        if self._unfit:
            raise UsageError(
                f"a node cannot do the work of cnnbench ({next(iter(self._unfit.values()))}); "
                "install cnnbench[fleet] on every node"
            )
        if not self._nodes:
            with_what = f" with resource {self._instance_type}" if self._instance_type else ""
            raise UsageError(
                f"the Ray cluster has no node{with_what} that can be measured on; "
                "see what it has: ray status"
            )
        known = {node.machine["machine_id"]: node.machine for node in self._nodes.values()}
        return [Kind(self, machine) for machine in known.values()]

    def alive(self, node: str) -> bool:
        """Whether a node was there when last looked."""
        return node in self._alive

    def nodes(self) -> Sequence[Node]:
        """Those that are alive and have described themselves."""
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self.look()
        return [node for node in self._nodes.values() if self.alive(node.id)]

    def look(self) -> None:
        """See which nodes are there; new ones are asked what they are."""
        found = {one["NodeID"]: one["Resources"] for one in _listed() if one["Alive"]}
        self._looked = time.monotonic()
        self._alive = {name for name, has in found.items() if self._fits(has)}
        known = self._nodes.keys() | self._asked.keys() | self._unfit.keys()
        for name in self._alive - known:
            self._asked[name] = _on(name, facts.facts, num_cpus=0).remote()
        for name, answer in tuple(self._asked.items()):
            if name not in self._alive:
                del self._asked[name]
            elif ray.wait([answer], timeout=0)[0]:
                del self._asked[name]
                self._hear(name, answer, found[name])

    def _hear(self, name: str, answer: Any, resources: Mapping[str, float]) -> None:
        """Take down what a node is; one that died over it is asked again if it is back."""
        try:
            own = ray.get(answer) | self._given
        except (RayTaskError, RuntimeEnvSetupError) as error:
            self._unfit[name] = str(error).strip().splitlines()[-1]
        except RayError:
            return
        else:
            self._nodes[name] = Node(self, name, resources, own)

    def wait(self) -> None:
        """Wait until a node has something to say, or a moment."""
        waited_for = [*self.streams] or [*self._asked.values()]
        if waited_for:
            ray.wait(waited_for, timeout=WAIT_SECONDS)
        else:
            time.sleep(WAIT_SECONDS)

    def sent(self, own: Own) -> Any:
        """What nodes are told of the user's own files, sent once."""
        if id(own) not in self._parcels:
            self._parcels[id(own)] = own, ray.put(Parcel.of(own))
        return self._parcels[id(own)][1]

    def _fits(self, resources: Mapping[str, float]) -> bool:
        wanted = self._instance_type
        return resources.get("CPU", 0) >= 1 and (wanted is None or wanted in resources)


class Kind:
    """Nodes that are alike: an executor.

    Attributes:
        machine: Facts of the first of them; its id is of the kind.
    """

    def __init__(self, fleet: Fleet, machine: Facts) -> None:
        self._fleet = fleet
        self.machine = machine

    def begin(self, held: ExitStack) -> Iterator[events.Event]:  # noqa: ARG002
        """Nothing: a node is taken for each thing that it does."""
        return iter(())

    def places(self) -> Sequence[Node]:
        """The nodes of this kind that are alive."""
        mine = self.machine["machine_id"]
        return [node for node in self._fleet.nodes() if node.machine["machine_id"] == mine]

    def wait(self) -> None:
        """Wait until a node has something to say, or a moment."""
        self._fleet.wait()


class Node:
    """One node: a place.

    Attributes:
        id: Ray's.
        machine: Its facts; the id is of its kind.
        facts: Of every launch that lives there.
    """

    def __init__(self, fleet: Fleet, name: str, resources: Mapping[str, float], own: Facts) -> None:
        self._fleet = fleet
        self._resources = resources
        self._rests_until = 0.0
        self.id = name
        self.facts: Facts = {"node": own["machine_id"]}
        alike = {**own, "machine_key": None}
        kind = digest([facts.machine_id(alike), own["instance_type"]])
        self.machine: Facts = {**alike, "machine_id": kind}

    @property
    def alive(self) -> bool:
        """Whether it was there when last looked."""
        return self._fleet.alive(self.id)

    def run(
        self, work: Callable[..., Generator[Happening, None, T]], *arguments: Any
    ) -> Generator[Happening, None, T]:
        """Do work on the node, all of whose CPUs and GPUs are its own meanwhile."""
        while time.monotonic() < self._rests_until:
            yield None
        has = self._resources
        task = _on(self.id, _work, num_cpus=has["CPU"], num_gpus=has.get("GPU", 0))
        sent = [self._fleet.sent(one) if isinstance(one, Own) else one for one in arguments]
        stream = task.options(num_returns="streaming").remote(work, *sent)
        self._fleet.streams.add(stream)
        try:
            while True:
                if not ray.wait([stream], timeout=0)[0]:
                    yield None
                    continue
                said = ray.get(next(stream))
                if isinstance(said, _Returned):
                    return said.value  # type: ignore[no-any-return]
                yield said
        except RayTaskError:
            raise
        except (RayError, StopIteration) as error:
            self._rests_until = time.monotonic() + REST_SECONDS
            lost = UnbegunError if isinstance(error, TaskUnschedulableError) else LostError
            raise lost(f"the node or its worker died ({type(error).__name__})") from None
        except GeneratorExit:
            ray.cancel(stream, force=True)
            raise
        finally:
            self._fleet.streams.discard(stream)


@dataclass(frozen=True, slots=True)
class _Returned:
    """The last that is heard of work: what it returned."""

    value: Any


def _connect(address: str | None) -> None:
    """Join a cluster; Ray's own chatter is of no use to somebody who measures.

    Raises:
        UsageError: There is none.
    """
    try:
        ray.init(
            address=address or "auto",
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"py_modules": [str(Path(folders.__file__).parent)]},
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = f"no Ray cluster answers at {address}" if address else "no Ray cluster runs here"
        raise UsageError(
            f"{where}; start one with: ray start --head, or give --address "
            f"({str(error).partition(chr(10))[0]})"
        ) from None


def _on(node: str, work: Callable[..., Any], **resources: float) -> Any:
    """A task for a node and no other, that is done once."""
    there = NodeAffinitySchedulingStrategy(node, soft=False)
    remote: Any = ray.remote  # whose types know fewer strategies than it takes
    return remote(max_retries=0, scheduling_strategy=there, **resources)(work)


def _listed() -> list[dict[str, Any]]:
    """What Ray knows of the nodes that are there or were."""
    found: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return found


def _work(work: Callable[..., Generator[Happening, None, T]], *sent: Any) -> Iterator[Any]:
    """Do work on this node: its events, and at last what it returned."""
    with ExitStack() as held:
        yield from exclusive(held)
        found = yield from work(*(one.unpack() if isinstance(one, Parcel) else one for one in sent))
    yield _Returned(found)
