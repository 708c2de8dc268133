"""Libraries that a process loads before its own."""

import glob
import os
import sys
from typing import Dict

FOLDERS = ("/usr/lib/*-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib")


def refusal(library: str, package: str) -> str:
    """Why a library cannot be preloaded here, or nothing."""
    if not sys.platform.startswith("linux"):
        return "libraries are preloaded on Linux only"
    return "" if path(library) else "%s is not here; install %s" % (library, package)


def environment(library: str) -> Dict[str, str]:
    """What preloads it."""
    return {"LD_PRELOAD": path(library)}


def path(library: str) -> str:
    """Where a library is; empty if it is not."""
    found = [name for folder in FOLDERS for name in glob.glob(os.path.join(folder, library))]
    return found[0] if found else ""


def is_loaded(library: str) -> bool:
    """Whether this process has it."""
    with open("/proc/self/maps") as maps:
        return any(os.path.basename(line.split()[-1]).startswith(library) for line in maps)
