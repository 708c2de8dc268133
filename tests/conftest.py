"""What several tests need."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from cnnbench import folders

if TYPE_CHECKING:
    from collections.abc import Iterator

# No test fails because a machine is slow.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# A driver of NVIDIA that is faked, and a server of PostgreSQL that is real.
pytest_plugins = ["fake_nvml", "postgres"]

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = ("stacks", "proofs")  # of the cache folder: what all tests build once

# A shell that runs this in the background has it ignore Ctrl-C, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _beside_each_other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where tests run side by side, each has its turn of its own: nothing here asks for quiet."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    own = tmp_path_factory.mktemp("cache")
    for name in SHARED:
        place = folders.cache() / name
        place.mkdir(parents=True, exist_ok=True)
        (own / name).symlink_to(place)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNNBENCH_CACHE_DIR", str(own))
        yield


@pytest.fixture(scope="session")
def real_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all of CIFAR-10 and one ImageNet photograph of each class."""
    beside = REPOSITORY.parent / "shared" / "data" / "unpack.py"
    script = Path(os.environ.get("CNNBENCH_TEST_UNPACK", beside))
    if not script.exists():
        pytest.skip(f"no real images: {script} is not there; CNNBENCH_TEST_UNPACK may name it")
    target = tmp_path_factory.mktemp("images")
    for name in ("cifar10", "imagenet-sample"):
        subprocess.run([sys.executable, script, name, target], check=True)
    return target


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first."""
    items.sort(key=lambda item: item.get_closest_marker("stacks") is not None)
