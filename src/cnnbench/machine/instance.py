"""By what name a cloud sells this machine: from its firmware, else from the cloud's own service.

Only firmware that names a cloud has that cloud's service asked: a laptop never waits, and neither
does a micro virtual machine without firmware, which is not the instance that it runs on.

    Amazon EC2 (Nitro, metal)   the product name is the instance type
    Amazon EC2 (Xen)            instance metadata, version 2: a token first
    Google Compute Engine       metadata server; the last part of projects/N/machineTypes/NAME
    Microsoft Azure             instance metadata; plain Hyper-V lacks Azure's chassis tag
"""

from __future__ import annotations

import functools
import http.client
import queue
import re
import threading
from typing import TYPE_CHECKING

from cnnbench.errors import UsageError
from cnnbench.machine import files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cnnbench.record import Scalar

    Service = tuple[str, int]
    Ask = Callable[[Service], str | None]

# The link-local address of all three; a name would have to be resolved first.
SERVICE = ("169.254.169.254", 80)
SECONDS = 1.0
LONGEST_ANSWER = 256
LONGEST_NAME = 64

EC2 = re.compile(r"([a-z][a-z0-9-]*\.[a-z0-9-]+)")
GOOGLE = re.compile(r"projects/[^/\s]+/machineTypes/([a-z][a-z0-9-]*)")
AZURE = re.compile(r"([A-Z][A-Za-z]*_[A-Za-z0-9_-]+)")
AZURE_CHASSIS = "7783-7084-3265-9085-8269-3286-77"
TOKEN_PATH, TOKEN_LIFE = "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
AZURE_PATH = "/metadata/instance/compute/vmSize?api-version=2021-02-01&format=text"

GIVEN, DMI, METADATA = "given", "dmi", "metadata"


def facts(root: Path = files.ROOT) -> dict[str, Scalar]:
    """The instance type and where it is from, both None where this is no cloud that is known."""
    name, source = instance_type(root) or (None, None)
    return {"instance_type": name, "instance_type_source": source}


def given(name: str | None) -> dict[str, Scalar]:
    """The facts as the user gave them; empty if nothing was given.

    Raises:
        UsageError: It is no name for the first column of a table.
    """
    if name is None:
        return {}
    if not name.strip() or len(name) > LONGEST_NAME or "|" in name or not name.isprintable():
        raise UsageError(
            f"--instance-type must be 1 to {LONGEST_NAME} characters of one line without '|', "
            "like c5.18xlarge"
        )
    return {"instance_type": name.strip(), "instance_type_source": GIVEN}


@functools.cache
def instance_type(root: Path = files.ROOT, service: Service = SERVICE) -> tuple[str, str] | None:
    """The instance type, and `dmi` or `metadata`; None if it cannot be told. Asked once a process.

    Args:
        root: Of the file system.
        service: Host and port of the metadata service; it has a second for its answer.
    """
    product = _firmware(root, "product_name")
    if _is_ec2(root) and EC2.fullmatch(product):
        return product, DMI
    ask = _cloud(root)
    name = None if ask is None else _in_time(lambda: ask(service))
    return None if name is None else (name, METADATA)


def _cloud(root: Path) -> Ask | None:
    """How the cloud of this machine is asked, or None."""
    if _is_ec2(root):
        return _ask_ec2
    if _firmware(root, "product_name") == "Google Compute Engine":
        return _ask_google
    return _ask_azure if _firmware(root, "chassis_asset_tag") == AZURE_CHASSIS else None


def _is_ec2(root: Path) -> bool:
    if "Amazon EC2" in (_firmware(root, "sys_vendor"), _firmware(root, "board_vendor")):
        return True
    # Xen's firmware does not name the vendor: its version and its machines' numbers do.
    number = files.text(root, "sys/hypervisor/uuid") or ""
    return "amazon" in _firmware(root, "bios_version").lower() or number.startswith("ec2")


def _ask_ec2(service: Service) -> str | None:
    token = _fetch(service, "PUT", TOKEN_PATH, TOKEN_LIFE)
    if token is None:
        return None
    headers = {"X-aws-ec2-metadata-token": token}
    return _matched(EC2, _fetch(service, "GET", "/latest/meta-data/instance-type", headers))


def _ask_google(service: Service) -> str | None:
    path = "/computeMetadata/v1/instance/machine-type"
    return _matched(GOOGLE, _fetch(service, "GET", path, {"Metadata-Flavor": "Google"}))


def _ask_azure(service: Service) -> str | None:
    return _matched(AZURE, _fetch(service, "GET", AZURE_PATH, {"Metadata": "true"}))


def _fetch(service: Service, method: str, path: str, headers: Mapping[str, str]) -> str | None:
    """The short text that a service answers; no proxy is used and no redirection followed."""
    connection = http.client.HTTPConnection(*service, timeout=SECONDS)
    try:
        connection.request(method, path, headers=dict(headers))
        answer = connection.getresponse()
        text = answer.read(LONGEST_ANSWER + 1).decode("ascii")
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    fits = answer.status == http.HTTPStatus.OK and len(text) <= LONGEST_ANSWER
    return text.strip() if fits else None


def _matched(pattern: re.Pattern[str], text: str | None) -> str | None:
    """The name in an answer; None if it is not of this cloud's form, like a login page."""
    found = pattern.fullmatch(text or "")
    return found[1] if found and len(found[1]) <= LONGEST_NAME else None


def _in_time(work: Callable[[], str | None]) -> str | None:
    """What the work gives, or None after `SECONDS`, however slowly somebody drips."""
    answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(work()), daemon=True).start()
    try:
        return answers.get(timeout=SECONDS)
    except queue.Empty:
        return None


def _firmware(root: Path, name: str) -> str:
    return files.text(root, f"sys/class/dmi/id/{name}") or ""
