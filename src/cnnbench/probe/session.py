"""The guest's life: boot, load, build, compile, then windows on request."""

import platform
import resource
import sys
import time
import traceback
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from . import (
    evaluation,
    optimizers,
    peaks,
    plugins,
    proof,
    ranks,
    reference,
    stepper,
    supply,
    threads,
    wire,
)
from .faults import BadData, BadModel, Unsupported
from .feed import Feed
from .windows import Windows

Task = NamedTuple("Task", [("keras", Any), ("model", Any), ("feed", Feed)])
Trained = NamedTuple(  # what a guest that proves trains once more
    "Trained",
    [
        ("model", Any),
        ("facts", Dict[str, Any]),  # of the model as it is compiled
        ("counts", Any),  # gives what is counted of it
    ],
)

WHERE = "Graph execution error:"  # how TensorFlow begins to say where, before it says what
# What frameworks say of an operation that they know but cannot do on this device or in this format.
REFUSALS = ("not implemented", "unimplemented", "only supports", "not supported", "unsupported")


class Stages:
    """Tells the host which stage begins, and how long each took."""

    def __init__(self, send: Callable[[Any], None]) -> None:
        self.tell = send
        self._begun = 0.0
        self.name = "boot"

    def enter(self, name: str) -> None:
        """Begin a stage."""
        self.name = name
        self.tell(wire.Stage(name=name))
        self._begun = time.perf_counter()

    def seconds(self) -> float:
        """Since the stage began."""
        return time.perf_counter() - self._begun


def run(requests: Callable[[], Any], send: Callable[[Any], None]) -> None:
    """Live one case; whatever goes wrong is told as a message."""
    stages = Stages(send)
    try:
        _live(requests, send, stages)
    except Exception as error:
        send(
            wire.Failed(
                stage=stages.name,
                kind=_kind(error),
                message=_one_line(error),
                traceback=traceback.format_exc(),
            )
        )


def _live(requests: Callable[[], Any], send: Callable[[Any], None], stages: Stages) -> None:
    order = requests()
    if order.version != wire.VERSION:
        raise RuntimeError("host speaks %s, guest %s" % (order.version, wire.VERSION))
    if isinstance(order, wire.Reference):
        reference.converse(order, requests, send)
        return
    if isinstance(order, wire.Gauge):
        send(peaks.gauged(order))
        return
    backend = plugins.load("backends", order.backend)
    method = plugins.load("methods", order.case["method"])
    _, count = ranks.share(backend, order.case)
    with ranks.joined(count, order, requests, send) as (ask, tell):
        stages.enter("import")
        keras, facts = _boot(backend, order)
        stages.tell(wire.Booted(version=wire.VERSION, facts=facts, seconds=stages.seconds()))

        train, kept = order, None
        while train is not None:
            trained = _train((backend, keras, method), train, stages, (ask, tell), kept)
            kept = trained if hasattr(backend, "renew") else None
            train = _next(train, ask)


def _next(order: Any, ask: Callable[[], Any]) -> Any:
    """What a guest that proves is to do once more; None where that was all."""
    if not order.proof:
        return None
    message = ask()
    if not isinstance(message, wire.Again):
        return None
    return order._replace(proof=message.folder, seed=message.seed)


def _train(
    parts: Tuple[Any, Any, Any],
    order: Any,
    stages: Stages,
    host: Tuple[Any, Callable[[Any], None]],
    kept: Optional[Trained],
) -> Trained:
    """Load, build, compile, then train until the host has seen enough.

    Args:
        parts: Backend, what its `boot` gave, and method.
        order: The host's.
        stages: Are told.
        host: How to ask and tell it.
        kept: What was trained before and is to begin anew, in the place of another.
    """
    backend, keras, method = parts
    stages.enter("data")
    dataset = supply.dataset(order)
    feed = supply.feed(dataset, method, order, ranks.share(backend, order.case))
    facts = dict(dataset.source.facts(), images_in_a_pass=feed.size)
    evaluate = _evaluation(backend, order)
    stages.tell(wire.Loaded(facts=facts, seconds=stages.seconds()))

    if kept:
        trained = _renewed(backend, keras, kept, order, stages)
    else:
        trained = _made(backend, keras, dataset, order, stages)

    stages.enter("training")
    windows = _windows(backend, keras, trained, order, (*host, evaluate))
    task = Task(keras=keras, model=trained.model, feed=feed)
    if order.case.get("experiment"):
        experiment = plugins.load("experiments", order.case["experiment"])
        experiment.train(task, windows, method, lambda: _stepper(backend, task))
    else:
        method.train(task, windows)
    if order.proof:
        windows.save(order.proof)
    _, tell = host
    tell(wire.Finished(facts=_last_facts(backend, keras, trained.model)))
    return trained


def _stepper(backend: Any, task: Task) -> Any:
    """The model's training step by itself."""
    if not hasattr(backend, "stepper"):
        raise Unsupported(stepper.NONE_IN_KERAS_2)
    task.model.train_on_batch(*task.feed.batch(0))  # builds and compiles the step
    return backend.stepper(task.keras, task.model)


def _evaluation(backend: Any, order: Any) -> Any:
    """Says how well a model does, where the case has a goal; else None."""
    if order.proof or not order.case.get("until"):
        return None
    right = getattr(backend, "right", evaluation.predicted)
    return evaluation.Evaluation(supply.held_out(order), order.case, right)


def _boot(backend: Any, order: Any) -> Tuple[Any, Dict[str, Any]]:
    """Import, and see that what runs is what was asked for."""
    facts = threads.use(order.threads)
    keras = backend.boot(order.case, order.threads, order.seed)
    facts.update(backend.facts(keras))
    facts["python_version"] = platform.python_version()
    _check("threads", order.threads, facts["threads"])
    _check("backend", order.backend, facts["backend"])
    _check("data format", order.case["data_format"], facts["data_format"])
    _check("precision", order.case["precision"], facts["precision"])
    _check("device", order.case["device"], facts["device"])
    for recipe in _recipes(order, "build"):
        recipe.build(keras)
    for recipe in _recipes(order, "holds"):
        if not recipe.holds():
            raise Unsupported("recipe %s had no effect" % recipe.__name__.rpartition(".")[2])
    return keras, facts


def _recipes(order: Any, function: str) -> List[Any]:
    """The recipes of the case that define a function."""
    found = (plugins.load("recipes", name) for name in order.case.get("recipes", ()))
    return [recipe for recipe in found if hasattr(recipe, function)]


def _windows(
    backend: Any, keras: Any, trained: Trained, order: Any, host: Tuple[Any, Any, Any]
) -> Any:
    """What the method is to ask: for a proof, one that looks at what windows made.

    Args:
        backend: Of the launch.
        keras: What `boot` gave.
        trained: What is trained.
        order: The host's.
        host: How to ask and tell it, and what says how well a model does.
    """
    ask, tell, evaluate = host
    model = trained.model
    parts = (ask, tell, backend.fence(keras, model), backend.clock)
    if not order.proof:
        return Windows(*parts, evaluate=evaluate and (lambda: evaluate(model)))
    return proof.Witness(
        *parts,
        weights=lambda: backend.weights(keras, model),
        read_back=lambda: backend.read_back(keras, model),
        slots=lambda: backend.slots(keras, model),
        counts=trained.counts,
        out_first=_is_out_first(backend, order),
        looks=proof.looks(order.proof),
    )


def _is_out_first(backend: Any, order: Any) -> bool:
    """Whether kernels of convolutions are (out, in, rows, columns) in this format."""
    return order.case["data_format"] in getattr(backend, "KERNELS_OUT_FIRST", ())


def _renewed(backend: Any, keras: Any, kept: Trained, order: Any, stages: Stages) -> Trained:
    """A model that was trained before, in the state of a new one."""
    stages.enter("build")
    backend.renew(keras, kept.model)
    proof.set_weights(kept.model, order.proof, out_first=_is_out_first(backend, order))
    parameters = int(kept.model.count_params())
    stages.tell(wire.Built(parameters=parameters, seconds=stages.seconds()))
    stages.enter("compile")
    stages.tell(wire.Compiled(facts=kept.facts, seconds=stages.seconds()))
    return kept


def _made(backend: Any, keras: Any, dataset: supply.Dataset, order: Any, stages: Stages) -> Trained:
    """The model, built and compiled for all devices; if it is to be proven, watched."""
    with backend.scope(keras, order.case):
        stages.enter("build")
        definition = _definition(backend, order)
        if order.proof:
            getattr(backend, "without_dropout", proof.without_dropout)(keras)
            getattr(backend, "without_draws", lambda _: None)(keras)
        if order.ordered:
            backend.order_updates(keras)
        model = _build(keras, definition, dataset, order)
        if order.proof:
            proof.set_weights(model, order.proof, out_first=_is_out_first(backend, order))
        parameters = int(model.count_params())
        model = backend.replicate(keras, model, order.case)
        stages.tell(wire.Built(parameters=parameters, seconds=stages.seconds()))

        stages.enter("compile")
        getattr(definition, "compile", optimizers.compile_default)(keras, model)
        for recipe in _recipes(order, "compiled"):
            recipe.compiled(keras, model)
        if order.proof:
            proof.lower_loss_scale(model)
    facts = backend.compiled(keras, model)
    if order.proof or order.case.get("experiment"):
        first = order.case["data_format"] == "channels_first"
        facts["macs"] = getattr(backend, "macs", proof.macs)(model, channels_first=first)
    _check("precision", order.case["precision"], facts["computes_in"])
    _check("devices", order.case["devices"], facts["devices"])
    stages.tell(wire.Compiled(facts=facts, seconds=stages.seconds()))
    counts = backend.watch(keras, model) if order.proof else None
    return Trained(model=model, facts=facts, counts=counts)


def _definition(backend: Any, order: Any) -> Any:
    """What builds and compiles the model."""
    if hasattr(backend, "definition"):
        if order.model_file:
            raise Unsupported("a model file is Keras', and this stack has no Keras")
        return backend.definition(order.case["model"])
    if order.model_file:
        return plugins.load_file(order.model_file)
    return plugins.load("models", order.case["model"])


def _build(keras: Any, definition: Any, dataset: supply.Dataset, order: Any) -> Any:
    """The model; one that ships with the probe says how many parameters it must have."""
    height, width, channels = dataset.shape
    first = order.case["data_format"] == "channels_first"
    shape = (channels, height, width) if first else (height, width, channels)
    if not hasattr(definition, "build"):
        raise BadModel("the model's file defines no build(keras, shape, classes)")
    model = definition.build(keras, shape, dataset.classes)
    if not hasattr(model, "count_params"):
        raise BadModel("build(keras, shape, classes) gave %r, not a Keras model" % (model,))
    found = int(model.count_params())
    known = getattr(definition, "PARAMETERS", {})
    expected = known.get((tuple(dataset.shape), dataset.classes), found)
    if expected != found:
        raise RuntimeError("the model has %d parameters here, not %d" % (found, expected))
    return model


def _check(what: str, asked: Any, found: Any) -> None:
    if asked != found:
        raise Unsupported("asked for %s %s, the framework runs %s" % (what, asked, found))


def _last_facts(backend: Any, keras: Any, model: Any) -> Dict[str, Any]:
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    try:
        layout = backend.convolutions(keras, model)
    except Exception as error:
        layout = "unknown (%s)" % type(error).__name__
    return {
        "peak_memory_bytes": peak,
        "convolutions_in": layout,
        "steps_per_execution": getattr(model, "steps_per_execution", 1),
    }


def _kind(error: Exception) -> str:
    if isinstance(error, Unsupported):
        return "unsupported"
    if isinstance(error, (TypeError, AttributeError, ImportError)):
        return "error"  # Python's own, whatever words it uses: a slip, not a refusal
    text = "%s %s" % (type(error).__name__, error)
    spelled = text.lower().replace("notimplemented", "not implemented")
    return "unsupported" if any(words in spelled for words in REFUSALS) else "error"


def _one_line(error: Exception) -> str:
    """What is wrong; of TensorFlow's graphs, behind lines that end with a colon or are set in."""
    lines = [line.rstrip() for line in str(error).splitlines() if line.strip()] or [""]
    if lines[0] == WHERE:
        says = (line for line in lines if not line.endswith(":") and line[0] not in " \t<")
        lines = [next(says, WHERE)]
    text = lines[0].strip()
    if isinstance(error, (Unsupported, BadData, BadModel)):
        return text
    return "%s: %s" % (type(error).__name__, text) if text else type(error).__name__
