"""The messages between host and guest, and their JSON. Both ends import this file.

One message is one line. History of the protocol:

1. Boot, Measure, Finish; Stage, Booted, Loaded, Built, Compiled, Window, Finished, Failed.
"""

import json
from typing import Any, Dict, NamedTuple, Optional

VERSION = 1

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
    ],
)
Measure = NamedTuple("Measure", [("steps", int)])
Finish = NamedTuple("Finish", [])

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
Finished = NamedTuple("Finished", [("facts", Dict[str, Any])])
Failed = NamedTuple("Failed", [("stage", str), ("kind", str), ("message", str), ("traceback", str)])

MESSAGES = {
    kind.__name__: kind
    for kind in (
        *(Boot, Measure, Finish),
        *(Stage, Booted, Loaded, Built, Compiled, Window, Finished, Failed),
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
