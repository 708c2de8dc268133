r"""Takes out of a text what names a person or a machine, before the text is stored.

    the home folder, anybody's          /home/ann/x.py                  ~/x.py
    other absolute paths                /opt/py/lib/keras/models.py     .../keras/models.py
    credentials in URLs                 mysql://ann:pw@db/x             mysql://***@db/x
    the user's and the host's name      ann@gpu1                        <user>@<host>
    escape sequences, control codes     \x1b[31mno\x1b[0m               no

An absolute path keeps its last two components, yet never its first: a traceback stays readable.
Redacting twice is redacting once. Every pattern is linear in the length of the text.
"""

from __future__ import annotations

import functools
import getpass
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnbench.record import Facts, Scalar

# Names that thousands share identify nobody, and are words of logs.
COMMON = frozenset(
    "root admin administrator user users host localhost nobody guest test default"  # noqa: SIM905
    " app worker runner jenkins vagrant docker container jovyan ubuntu debian fedora centos"
    " ec2-user azureuser python keras tensorflow jax torch pytorch mxnet cnnbench".split()
)
SHORTEST_NAME = 3

ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b\n]*+(?:\x07|\x1b\\)"  # operating system command: window title, link
    r"|(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]"  # control sequence: colour, cursor
    r"|\x1b[ -/]*+[0-~]"  # the short ones
)
LINE_ENDS = re.compile(r"\r\n?")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")

# A path begins where no name goes on, or after a compiler's flag or an escape in a quoted text; and
# `://` begins only that of file:///.
CHARACTER = r"[^\s\\/:;,!\"'`‘’“”<>()\[\]{}|=]"  # noqa: RUF001 - compilers quote so
BEGIN = (
    r"(?:(?<=://)|(?<=\s-[IL])|(?<=\\[nt])"
    rf"|(?<!{CHARACTER})(?<![/\])}}])(?<!<user>)(?<!<host>)(?!(?<=:)//))"
)
PLAIN = rf"{BEGIN}(?:/++{CHARACTER}++)++/*+"
PATH = re.compile(rf"(?P<quote>[\"'])(?P<quoted>/[^\"'\n]*+)(?P=quote)|(?P<plain>{PLAIN})")
UNQUOTED = re.compile(PLAIN)
SOMEBODYS_HOME = re.compile(r"/+(?:home|Users)/+[^/]+(?=/|$)")

# Passwords may hold `/`, `?` or `#`, badly; a port, which is digits only, is no password. Bounds
# keep that part linear; proper credentials, of any length, end before the next `/` anyhow.
CREDENTIALS = re.compile(
    r"://(?!\*\*\*@)(?:[^\s/:@\"']{0,64}:(?!\d{1,5}[/?#])[^\s\"']{0,256}|[^\s/?#\"']*)@"
)


@dataclass(frozen=True, slots=True)
class Identity:
    """What to take out.

    Attributes:
        home: Home folder; ignored unless it is an absolute path below the root.
        user: Login name.
        host: Host name, with or without its domain.
    """

    home: str
    user: str
    host: str


@functools.cache
def here() -> Identity:
    """The identity of this process's user and machine; empty where the system has none."""
    try:
        home, user = str(Path.home()), getpass.getuser()
    except (KeyError, OSError, RuntimeError):  # a container's user need not have an account
        home, user = "", ""
    return Identity(home=home, user=user, host=socket.gethostname())


def redact(text: str, identity: Identity | None = None) -> str:
    """The text without what names a person or a machine.

    Args:
        text: A log, a traceback, a message; of any length.
        identity: Whose; that of `here` if not given.
    """
    identity = identity or here()
    text = CONTROLS.sub("", LINE_ENDS.sub("\n", ESCAPES.sub("", text)))
    text = _home(identity.home).sub("~", text)
    text = PATH.sub(_shortened, text)
    text = CREDENTIALS.sub("://***@", text)
    for pattern, placeholder in _names(identity):
        text = pattern.sub(placeholder, text)
    return text


def redact_facts(facts: Facts, identity: Identity | None = None) -> dict[str, Scalar]:
    """The facts with every text redacted; names of facts, numbers and None stay."""
    return {
        name: redact(value, identity) if isinstance(value, str) else value
        for name, value in facts.items()
    }


def _shortened(match: re.Match[str]) -> str:
    quote = match["quote"] or ""
    return f"{quote}{_short(match['quoted'] or match['plain'])}{quote}"


def _short(path: str) -> str:
    home = SOMEBODYS_HOME.match(path)
    if home:
        # What was quoted may hold more than one path.
        return UNQUOTED.sub(lambda match: _short(match[0]), f"~{path[home.end() :]}")
    parts = [part for part in path.split("/") if part]
    if len(parts) < 2:  # noqa: PLR2004 - `/tmp` tells nothing
        return path
    return "/".join(["...", *parts[1:][-2:]])


@functools.cache
def _home(home: str) -> re.Pattern[str]:
    parts = [re.escape(part) for part in home.split("/") if part]
    if not parts or not home.startswith("/"):
        return re.compile(r"(?!)")
    # `/root` is the end of other paths too; what is longer is a home wherever it stands.
    begin = BEGIN if len(parts) == 1 else ""
    return re.compile(rf"{begin}/{'/++'.join(parts)}(?!{CHARACTER})")


@functools.cache
def _names(identity: Identity) -> list[tuple[re.Pattern[str], str]]:
    """Patterns of the host, its longer name first, and of the user, with what replaces them."""
    host = identity.host
    names = [(host, "<host>"), (host.partition(".")[0], "<host>"), (identity.user, "<user>")]
    return [
        (re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE), placeholder)
        for name, placeholder in names
        if len(name) >= SHORTEST_NAME and name.lower() not in COMMON
    ]
