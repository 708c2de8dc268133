"""One case in one fresh process: a generator of events that ends with the launch."""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnbench import catalog, events, goal, memory, plan, recipes
from cnnbench.errors import ProbeError
from cnnbench.link import bundle, environment
from cnnbench.link.conversation import Conversation
from cnnbench.link.process import Process
from cnnbench.machine import conditions, gpu, gpu_users
from cnnbench.machine.gpu_conditions import gpu_conditions
from cnnbench.machine.gpu_monitor import Monitor
from cnnbench.machine.rapl import Meter
from cnnbench.probe import wire
from cnnbench.record import FIRST_STEP, STEADY, Failure, Launch, Window
from cnnbench.redact import redact, redact_facts

if TYPE_CHECKING:
    from collections.abc import Generator

    from cnnbench.case import Budget
    from cnnbench.prepare import Ready

LOG_LINES = 30
LOG_BYTES = 1 << 16
PAGE_BYTES = 4096  # of memory: where a process' stack begins differs within it


@dataclass
class _Seen:
    """What a launch has told so far."""

    stage: str
    stages: dict[str, float]
    facts: dict[str, Any]
    windows: list[Window]
    monitor: Monitor
    meter: Meter

    def taken(self) -> dict[str, Any]:
        """Memory and energy; the images that energy is of, some of whose windows may not count."""
        facts = self.monitor.facts() | self.meter.facts()
        if any(facts.get(f"{part}_steady_joules") for part in ("cpu", "gpu")):
            steady = (window for window in self.windows if window.role == STEADY)
            facts["metered_images"] = sum(window.images for window in steady)
        return facts


def live(
    ready: Ready, head: Launch, budget: Budget, windows: int | None = None
) -> Generator[events.Event, None, Launch]:
    """Launch a case.

    Args:
        ready: The case with all that it needs.
        head: What is known of the launch before it begins.
        budget: How long to measure.
        windows: That may count; without, the fewest of the budget.

    Returns:
        The launch as it ended, with its failure if it had one. Other exceptions, as of Ctrl-C, end
        the process too.
    """
    facts: dict[str, Any] = {"package": ready.stack.package, "backend": ready.stack.backend}
    facts |= gpu.described(ready.cards)
    if others := gpu_users.users(ready.cards):
        yield events.Shared(gpu_users.told(others, accounts=True))
        facts["gpu_others"] = gpu_users.told(others, accounts=False)
        if budget.exclusive:
            return replace(head, facts=redact_facts(facts), failure=_taken(facts["gpu_others"]))
    seen = _Seen("start", {}, facts, [], Monitor(ready.cards), Meter())
    before = conditions.conditions() | gpu_conditions(ready.cards)
    failure = None
    with tempfile.TemporaryDirectory(prefix="cnnbench-") as name, seen.monitor:
        folder = Path(name)
        try:
            with start(ready, folder, head.seed % PAGE_BYTES) as process:
                yield events.GuestStarted(head.case, head.id, process.pid)
                seen.monitor.follow(process.pid)
                conversation = Conversation(process, budget.silence_seconds)
                told = yield from _begin(conversation, ready, head, seen)
                failure = told or (yield from _measure(conversation, head, budget, windows, seen))
        except ProbeError as error:
            failure = Failure(stage=seen.stage, kind=error.kind, message=_cause(error, before))
        tail = _tail(folder / "log")
    if failure is not None:
        failure = replace(failure, message=redact(failure.message), log_tail=redact(tail))
        failure = memory.with_remedy(failure)
    after = conditions.conditions() | gpu_conditions(ready.cards)
    seen.facts |= seen.taken()
    seen.facts |= {f"{key} before": value for key, value in before.items()}
    seen.facts |= {f"{key} after": value for key, value in after.items()}
    return replace(
        head,
        stages=seen.stages,
        facts=redact_facts(seen.facts),
        windows=tuple(seen.windows),
        failure=failure,
    )


def start(ready: Ready, folder: Path, padding: int = 0) -> Process:
    """The guest of a case, in an environment of its own.

    Args:
        ready: The case with all that it needs.
        folder: The launch's own.
        padding: Bytes of environment that mean nothing.
    """
    case = ready.case
    guest = bundle.build(folder)
    variables = environment.variables(
        home=folder,
        backend=ready.stack.backend,
        device=case.device,
        threads=threads(case.threads),
        stack={**ready.stack.variables, **recipes.environment(case, ready.stack.backend)},
        cards=ready.cards,
        padding=padding,
    )
    # Isolated, and writing no bytecode: the stack stays as it was built.
    command = [str(ready.python), "-I", "-B", str(guest)]
    return Process(command, variables, folder, folder / "log")


def _begin(
    conversation: Conversation, ready: Ready, head: Launch, seen: _Seen
) -> Generator[events.Event, None, Failure | None]:
    """Have the guest boot, load, build and compile."""
    conversation.tell(order(ready, head.seed))
    for message in conversation.until(wire.Compiled):
        if failure := _noted(message, seen):
            return failure
        if isinstance(message, wire.Stage):
            yield events.StageEntered(head.case, message.name)
    return None


def _measure(
    conversation: Conversation, head: Launch, budget: Budget, wanted: int | None, seen: _Seen
) -> Generator[events.Event, None, Failure | None]:
    """Ask for windows until the plan has enough, and then for the guest's last words."""
    yield events.StageEntered(head.case, "first step")
    seen.stage = "first step"
    while (request := _request(head, budget, wanted, seen)) is not None:
        if request.role == STEADY and seen.windows[-1].role != STEADY:
            yield events.StageEntered(head.case, "training")
        if request.role == STEADY:
            seen.meter.begin()
        conversation.tell(wire.Measure(steps=request.steps))
        if failure := _heard(conversation, wire.Window, seen, request.role):
            return failure
        if head.case.until is None:
            _reconsider(head, seen)
        if seen.windows[-1].role == STEADY:
            seen.meter.end()
            seen.monitor.window(seen.windows[-1].seconds)
            if head.case.until is not None and (failure := _evaluate(conversation, seen)):
                return failure
        yield events.WindowTimed(head.case, head.id, seen.windows[-1])
        seen.stage = "training"
    conversation.tell(wire.Finish())
    return _heard(conversation, wire.Finished, seen)


def _heard(conversation: Conversation, kind: type, seen: _Seen, role: str = "") -> Failure | None:
    """Take down all that the guest says up to a message of a kind; its failure if it has one."""
    for message in conversation.until(kind):
        if failure := _noted(message, seen, role):
            return failure
    return None


def _request(head: Launch, budget: Budget, wanted: int | None, seen: _Seen) -> plan.Request | None:
    """What the launch is to be asked next."""
    if head.case.until is None:
        return plan.next_window(seen.windows, budget, wanted)
    method = catalog.module("methods", head.case.method)
    whole = getattr(method, "FROM_START", False)
    images = int(seen.facts["images_in_a_pass"])
    return goal.next_window(seen.windows, head.case, budget, images, whole=whole)


def _reconsider(head: Launch, seen: _Seen) -> None:
    """Call the last window what it turned out to be."""
    *before, last = seen.windows
    role = plan.role(last.role, last, before, head.case.global_batch)
    seen.windows[-1] = replace(last, role=role)


def _evaluate(conversation: Conversation, seen: _Seen) -> Failure | None:
    """Have the guest say how well it does after its last window."""
    conversation.tell(wire.Evaluate())
    for message in conversation.until(wire.Evaluated):
        if isinstance(message, wire.Evaluated):
            seen.facts["held_out_images"] = message.images
            accuracy = message.right / message.images
            seen.windows[-1] = replace(seen.windows[-1], accuracy=accuracy)
        elif failure := _noted(message, seen):
            return failure
    return None


def order(
    ready: Ready, seed: int, proof: Path | None = None, *, ordered: bool = False
) -> wire.Boot:
    """What the guest is told first.

    Args:
        ready: The case with all that it needs.
        seed: Of data order and initial weights.
        proof: The folder of what is given, if the launch is to prove.
        ordered: Whether weights are only to be updated once all gradients are there.
    """

    def text(path: Path | None) -> str | None:
        return None if path is None else str(path)

    return wire.Boot(
        version=wire.VERSION,
        case=asdict(ready.case),
        backend=ready.stack.backend,
        seed=seed,
        threads=threads(ready.case.threads),
        data=text(ready.data),
        model_file=text(ready.model_file),
        dataset_file=text(ready.dataset_file),
        proof=text(proof),
        ordered=ordered,
    )


def _noted(message: Any, seen: _Seen, role: str = "") -> Failure | None:
    """Take down what the guest says; its failure if that is what it says."""
    match message:
        case wire.Stage(name=name):
            seen.stage = name if name != "training" else seen.stage
        case wire.Window() if role:
            fields = message._asdict()
            window = Window(index=len(seen.windows), role=role, **fields)
            if role == FIRST_STEP:
                seen.stages["first step"] = window.seconds
            seen.windows.append(window)
        case wire.Failed(stage=stage, kind=kind, message=text, traceback=trace):
            at = seen.stage if stage == "training" else stage
            return Failure(stage=at, kind=kind, message=text, traceback=redact(trace))
        case wire.Built(parameters=parameters, seconds=seconds):
            seen.stages["build"] = seconds
            seen.facts["parameters"] = parameters
        case wire.Finished(facts=facts):
            seen.facts |= facts
        case wire.Booted() | wire.Loaded() | wire.Compiled():
            seen.stages[seen.stage] = message.seconds
            seen.facts |= message.facts
        case _:
            raise ProbeError("garbage", f"the guest sent {type(message).__name__} out of turn")
    return None


def _taken(by: str) -> Failure:
    """Why a launch that wants its GPUs for itself does not begin."""
    remedy = "wait, name another card in CUDA_VISIBLE_DEVICES, or take --budget standard"
    return Failure(stage="stack", kind="unsupported", message=f"{by}; {remedy}")


def threads(asked: int) -> int:
    """CPUs to use: as asked, else all that this process may use."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return asked or here


def _cause(error: ProbeError, before: dict[str, Any]) -> str:
    """The error's text, and that the kernel ran out of memory if it says so."""
    after = conditions.conditions()
    if error.kind == "killed" and after.get("oom_kills") != before.get("oom_kills"):
        return f"{error}: out of memory; take a smaller --batch-size or a machine with more"
    if error.kind == "silent":
        return (
            f"{error} and was killed; raise silence_seconds in the suite's [limits] if it is slow"
        )
    return str(error)


def _tail(log: Path) -> str:
    """The last lines of what the guest wrote to its standard error."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - LOG_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-LOG_LINES:])
