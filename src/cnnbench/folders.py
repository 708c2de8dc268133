"""The folders that cnnbench keeps for a user."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache() -> Path:
    """For what can be made again: CNNBENCH_CACHE_DIR, else the platform's cache folder."""
    said = os.environ.get("CNNBENCH_CACHE_DIR")
    return Path(said).expanduser().absolute() if said else platformdirs.user_cache_path("cnnbench")
