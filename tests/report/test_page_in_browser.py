"""The page in a real browser: it filters, sorts, unfolds, and asks nothing of any network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cnnbench.report.page import html
from cnnbench.report.page.html import page
from cnnbench.report.page.material import Material
from cnnbench.store import exchange
from tests.report.test_page import hostile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

RESULTS = Path(__file__).parents[2] / "results"


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the launches that this repository holds."""
    recorded = exchange.merge(exchange.read(path) for path in sorted(RESULTS.glob("*.jsonl")))
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(page(Material(recorded=recorded)), "utf-8")
    return path


class Tab:
    """A page that is open, and all that it complained of or asked for."""

    def __init__(self, browser: Browser, path: Path, **context: Any) -> None:
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page: Page = browser.new_context(**context).new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("body[data-ready]")

    def _heard(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def shown(self, selector: str) -> int:
        return self.page.locator(f"{selector} >> visible=true").count()


@pytest.fixture
def tab(browser: Browser, written: Path) -> Iterator[Tab]:
    """The page, open; at the end nothing has gone wrong and nothing was asked for."""
    opened = Tab(browser, written, viewport={"width": 1280, "height": 900})
    yield opened
    assert not opened.complaints
    assert all(url.startswith(("file:", "data:", "blob:")) for url in opened.asked)
    opened.page.context.close()


def test_a_filter_leaves_the_results_that_were_asked_for(tab: Tab) -> None:
    rows = "#speeds tr[data-r]"
    before = tab.shown(rows)
    tab.page.select_option("select[name='stack']", "keras3-jax")
    assert 0 < tab.shown(rows) < before
    names = tab.page.locator(f"{rows} >> visible=true").all_inner_texts()
    assert all("keras3-jax" in name for name in names)
    tab.page.fill("input[name='words']", "simple_cnn channels_last")
    assert 0 < tab.shown(rows) < len(names)
    tab.page.click("button[type='reset']")
    tab.page.wait_for_function(
        "count => [...document.querySelectorAll('#speeds tr[data-r]')]"
        ".filter(row => !row.hidden).length === count",
        arg=before,
    )


def test_plots_follow_the_filter(tab: Tab) -> None:
    marks = "#speeds .plot svg .mark-symbol path"
    tab.page.wait_for_selector(marks)
    place = tab.page.locator("#speeds .plot").first
    before = place.locator(".mark-symbol path").count()
    tab.page.select_option("select[name='data format']", "channels_last")
    tab.page.wait_for_function(
        "before => document.querySelector('#speeds .plot')"
        ".querySelectorAll('.mark-symbol path').length < before",
        arg=before,
    )


def test_a_filter_stands_in_the_address(browser: Browser, written: Path, tab: Tab) -> None:
    tab.page.select_option("select[name='stack']", "keras3-jax")
    address = tab.page.url
    other = browser.new_page()
    other.goto(address)
    other.wait_for_selector("body[data-ready]")
    assert other.locator("select[name='stack']").input_value() == "keras3-jax"
    assert "results" in other.locator("output").inner_text()
    assert written.as_uri() in address
    other.close()


def test_a_number_leads_to_its_launches_and_their_windows(tab: Tab) -> None:
    tab.page.select_option("select[name='stack']", "keras3-jax")
    row = tab.page.locator("#speeds tr[data-r] >> visible=true").first
    row.locator("button").click()
    detail = tab.page.locator("tr.detail").first
    assert "cnnbench run --stack keras3-jax" in detail.inner_text()
    detail.locator("svg").first.wait_for()
    detail.locator("summary").first.click()
    windows = detail.locator("details[open] tbody tr")
    windows.first.wait_for()
    assert windows.count() > 3
    assert "steady" in windows.last.inner_text()
    assert "first step" in windows.first.inner_text()
    row.locator("button").click()
    assert tab.page.locator("tr.detail").count() == 0


def test_a_heading_sorts_by_its_column_by_keyboard_too(tab: Tab) -> None:
    heading = tab.page.locator("#speeds th", has_text="Speed (images/s)")
    heading.locator("button").focus()
    tab.page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    column = int(heading.evaluate("th => th.cellIndex"))
    cells = tab.page.locator(f"#speeds tr[data-r] td:nth-child({column + 1})").all_inner_texts()
    numbers = [float(cell) for cell in cells]
    assert numbers == sorted(numbers)
    tab.page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"


def test_rows_that_are_packed_are_filtered_sorted_and_unfolded_as_others_are(
    browser: Browser, tmp_path: Path, made_up: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html, "ROWS", 3)
    path = tmp_path / "long.html"
    path.write_text(html.page(made_up.material(16, 2, 15)), "utf-8")
    tab = Tab(browser, path)
    rows = tab.page.locator("#speeds tr[data-r]")
    assert rows.count() == 16
    rows.last.locator("button").click()
    assert "cnnbench run" in tab.page.locator("tr.detail").first.inner_text()
    tab.page.select_option("select[name='stack']", "keras3-jax")
    tab.page.locator("output", has_text="4 of 16 results").wait_for()
    visible = rows.filter(visible=True).all_text_contents()  # what is far off is not rendered
    assert len(visible) == 4
    assert all("keras3-jax" in text for text in visible)


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_nobody_is_shut_out(browser: Browser, written: Path, width: int, scheme: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    tab = Tab(browser, written, viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab.page.locator(".more").first.click()
    tab.page.wait_for_selector("tr.detail svg")
    found = Axe().run(tab.page, options={"resultTypes": ["violations"]})
    assert found.violations_count == 0, found.generate_report()
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
    tab.page.context.close()


def test_a_printed_page_has_every_plot_and_no_buttons(browser: Browser, written: Path) -> None:
    tab = Tab(browser, written)
    tab.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    tab.page.wait_for_function(
        "[...document.querySelectorAll('.plot[data-plot]')].every(p => p.querySelector('svg'))"
    )
    tab.page.emulate_media(media="print")
    assert tab.shown("nav") == tab.shown(".more") == tab.shown("#filter") == 0
    assert tab.shown(".plot svg") == tab.page.locator(".plot[data-plot]").count() > 3
    tab.page.context.close()


def test_hostile_names_do_nothing_in_a_browser(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text(page(hostile()), "utf-8")
    tab = Tab(browser, path)
    alerts: list[str] = []
    tab.page.on("dialog", lambda dialog: alerts.append(dialog.message))
    tab.page.locator(".more").first.click()
    tab.page.wait_for_selector("tr.detail")
    tab.page.wait_for_timeout(300)
    assert not alerts
    assert tab.page.evaluate("document.scripts.length") == 4
    assert not tab.complaints
    tab.page.context.close()
