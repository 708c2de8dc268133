"""The messages between host and guest, and their JSON. Both ends import this file.

One message is one line. History of the protocol:

1. Boot, Measure, Finish; Stage, Booted, Loaded, Built, Compiled, Window, Finished, Failed.
2. Boot has `proof`; Reference, Expect; Described, Expected.
3. Evaluate, Again, Learn; Evaluated, Learned. A guest that proves waits after `Finished`.
4. A case has `experiment`; Gauge; Gauged.
5. Expect has `edges`.
6. Edges, in the place of that.
7. Edges asks for one step.
8. Perturb does what Expect did besides, in any step; Edges has `coins`.
"""

import json
from typing import Any, Dict, List, NamedTuple, Optional

VERSION = 8

# Host to guest.

Boot = NamedTuple(
    "Boot",
    [
        ("version", int),
        ("case", Dict[str, Any]),  # the fields of `case.Case`
        ("backend", str),
        ("seed", int),
        ("threads", int),  # CPUs to use, resolved: at least 1
        ("data", Optional[str]),  # the folder of the data set, or None if it is made
        ("model_file", Optional[str]),  # the user's own model
        ("dataset_file", Optional[str]),  # the user's own data set: a file or a folder
        ("proof", Optional[str]),  # the folder of what is given, where what is seen goes too
        ("ordered", bool),  # whether updates of weights are to wait for all gradients
    ],
)
Measure = NamedTuple("Measure", [("steps", int)])
Evaluate = NamedTuple("Evaluate", [])  # between two windows, where the case has a goal
Finish = NamedTuple("Finish", [])
Again = NamedTuple(  # for a guest that proves: once more, as with a new model
    "Again",
    [
        ("folder", str),  # of what is given
        ("seed", int),
    ],
)
Reference = NamedTuple("Reference", [("version", int), ("model", str), ("threads", int)])
Expect = NamedTuple(
    "Expect",
    [
        ("folder", str),  # of `given.npz` and `seen.npz`, where `expected.npz` goes too
        ("rows", List[List[int]]),  # for each step, the images given that it trained on
        ("variants", List[str]),  # what the stack does otherwise
    ],
)
Perturb = NamedTuple(  # how far does rounding lead a step away?
    "Perturb",
    [
        ("folder", str),  # as of Expect, where `perturbed.npz` goes
        ("rows", List[List[int]]),
        ("variants", List[str]),
        ("roundoff", float),  # of the precision
        ("seed", int),  # of all that is tried out
        ("step", int),  # in which it is, from 1
        ("perturbations", int),
    ],
)
Edges = NamedTuple(  # what can values do that are on an edge?
    "Edges",
    [
        ("folder", str),  # as of Expect, where `edges.npz` goes
        ("rows", List[List[int]]),
        ("variants", List[str]),
        ("roundoff", float),
        ("seed", int),
        ("step", int),
        ("coins", int),  # ways in which values go each by a coin
    ],
)
Learn = NamedTuple(
    "Learn",
    [
        ("folder", str),  # of `given.npz`
        ("rows", List[List[int]]),  # for each step, the images given that it trains on
        ("variants", List[str]),
        ("rule", Dict[str, Any]),  # the fields of `verification.optimizers.Rule`
        ("roundoff", float),  # by which trajectories are led astray in each step
        ("trajectories", int),  # that are led astray, besides the exact one
        ("seed", int),
    ],
)
Gauge = NamedTuple(  # in the place of Boot: how fast is this machine at best?
    "Gauge",
    [
        ("version", int),
        ("threads", int),
        ("device", str),  # `cpu` or `gpu`
        ("precisions", List[str]),
    ],
)

# Guest to host. `seconds` are of the stage that the message ends.

Stage = NamedTuple("Stage", [("name", str)])
Booted = NamedTuple("Booted", [("version", int), ("facts", Dict[str, Any]), ("seconds", float)])
Loaded = NamedTuple("Loaded", [("facts", Dict[str, Any]), ("seconds", float)])
Built = NamedTuple("Built", [("parameters", int), ("seconds", float)])
Compiled = NamedTuple("Compiled", [("facts", Dict[str, Any]), ("seconds", float)])
Window = NamedTuple(
    "Window",
    [
        ("steps", int),
        ("images", int),
        ("seconds", float),
        ("started", float),  # seconds since the guest began
        ("fence", float),  # seconds that a synchronisation of an idle device takes
        ("loss", Optional[float]),
    ],
)
Evaluated = NamedTuple(
    "Evaluated",
    [
        ("images", int),  # that were not trained on
        ("right", int),  # of them, by their likeliest class
        ("seconds", float),
    ],
)
Finished = NamedTuple("Finished", [("facts", Dict[str, Any])])
Failed = NamedTuple("Failed", [("stage", str), ("kind", str), ("message", str), ("traceback", str)])
Described = NamedTuple(
    "Described",
    [
        ("weights", List[List[Any]]),  # kind and shape of each, as Keras lists them
        ("shape", List[int]),  # height, width, channels
        ("classes", int),
        ("batch", int),
        ("macs", int),  # forward, of one image
        ("optimizer", str),
        ("settings", Dict[str, float]),
    ],
)
Expected = NamedTuple("Expected", [("seconds", float)])  # for Perturb and Edges, too
Learned = NamedTuple(
    "Learned",
    [
        ("losses", List[List[float]]),  # of each step; the exact ones first
        ("seconds", float),
    ],
)
Gauged = NamedTuple(
    "Gauged",
    [
        ("peaks", Dict[str, Dict[str, float]]),  # FLOP/s by kind and precision
        ("bytes_per_second", float),  # read and written, of a copy in memory
        ("refused", Dict[str, str]),  # why a precision has no peak
    ],
)

MESSAGES = {
    kind.__name__: kind
    for kind in (
        *(Boot, Measure, Evaluate, Finish, Again, Reference, Expect, Perturb, Edges, Learn),
        *(Gauge, Stage, Booted, Loaded, Built, Compiled, Window, Evaluated, Finished, Failed),
        *(Described, Expected, Learned, Gauged),
    )
}


def encode(message: Any) -> str:
    """One line of JSON, without its newline: the fields, and the name of the message as `type`."""
    fields = message._asdict()
    return json.dumps(dict(fields, type=type(message).__name__), sort_keys=True)


def decode(line: str) -> Any:
    """The message of one line.

    Raises:
        ValueError: The line is not a message of this protocol.
    """
    try:
        fields = json.loads(line)
    except RecursionError:
        raise ValueError("not a message: nested too deeply") from None
    name = fields.pop("type", None) if isinstance(fields, dict) else None
    if not isinstance(name, str) or name not in MESSAGES:
        raise ValueError("not a message: %.200s" % line.strip())
    kind = MESSAGES[name]
    try:
        return kind(**fields)
    except TypeError as error:
        raise ValueError("not a %s: %s" % (kind.__name__, error)) from None
