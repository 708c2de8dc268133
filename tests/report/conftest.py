"""Pages of launches that are made up, and a browser to open them."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.scripts import benchmark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

ALONE = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def made_up() -> Any:
    """The benchmark of the page, whose launches these tests use."""
    return benchmark("page")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    from playwright.sync_api import sync_playwright

    found = os.environ.get("CNNBENCH_TEST_CHROMIUM") or shutil.which("chromium")
    if found is None:
        pytest.skip("no chromium: install it, or name it by CNNBENCH_TEST_CHROMIUM")
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=found, args=list(ALONE))
        yield started
        started.close()
