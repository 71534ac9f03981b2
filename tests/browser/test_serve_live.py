"""The served page while its log changes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect

import vizkit
from tests.helpers import log_of

from .conftest import watched
from .visualdl_page import VisualDLPage

pytestmark = pytest.mark.browser

POLL = 31_000  # ms: the first comes after 30 s


def write(directory: Path, *values: float, start: int = 0) -> None:
    with vizkit.LogWriter(directory) as writer:
        for step, value in enumerate(values, start):
            writer.add_scalar("train/loss", value, step)


@pytest.fixture
def live(
    tmp_path: Path, context_of: Callable[[str], BrowserContext], request: pytest.FixtureRequest
) -> Iterator[tuple[Path, VisualDLPage]]:
    """A log with a run, and its page of scalars, whose clock can be moved."""
    write(tmp_path / "log/first", 1.0, 0.5)
    with vizkit.serve(tmp_path / "log") as server:
        page = VisualDLPage(context_of("en-US").new_page(), f"http://127.0.0.1:{server.port}")
        page.page.clock.install()
        page.open("scalar")
        assert drawn(page) == {"first": [1.0, 0.5]}
        with watched(page, request.node.name):
            yield tmp_path / "log", page
        page.page.close()


def drawn(page: VisualDLPage) -> dict[str, list[float]]:
    """The values that the one chart draws of each run."""
    (chart,) = page.charts(1, filled=1)
    return {series["name"]: [row[2] for row in series["data"]] for series in chart["series"]}


def poll(page: VisualDLPage, path: str, holds: Callable[[Any], bool]) -> None:
    """Let the page ask again once the server has read what was written."""
    url = page.page.url.replace("/scalar", f"/api/{path}")
    page.until(lambda: holds(page.page.request.get(url).json()["data"]), f"{path} is answered")
    page.page.clock.run_for(POLL)


def test_records_and_runs_appear_at_the_next_poll_and_leave(live: tuple[Path, VisualDLPage]) -> None:
    log, page = live
    write(log / "second", 2.0)
    write(log / "first", 0.25, start=2)
    poll(page, "scalar/list?run=first&tag=train/loss", lambda rows: len(rows) == 3)
    assert list(page.runs(2)) == ["first", "second"]
    page.until(lambda: drawn(page) == {"first": [1.0, 0.5, 0.25]}, "the new record is drawn")
    page.page.locator(".run-list .run-item", has_text="second").click()  # the page leaves it to the user
    page.until(lambda: drawn(page) == {"first": [1.0, 0.5, 0.25], "second": [2.0]}, "the new run is drawn")

    shutil.rmtree(log / "first")
    poll(page, "scalar/tags", lambda data: data["runs"] == ["second"])
    assert list(page.runs(1)) == ["second"]
    page.until(lambda: drawn(page) == {"second": [2.0]}, "the run has left the chart")


def test_a_run_may_be_replaced_cut_and_deleted(live: tuple[Path, VisualDLPage]) -> None:
    log, page = live
    shutil.rmtree(log / "first")
    write(log / "first", 7.0, 8.0, 9.0)
    poll(page, "scalar/list?run=first&tag=train/loss", lambda rows: len(rows) == 3)
    page.until(lambda: drawn(page) == {"first": [7.0, 8.0, 9.0]}, "the new run is drawn")

    path = log_of(log / "first")
    os.truncate(path, path.stat().st_size - 5)
    poll(page, "scalar/list?run=first&tag=train/loss", lambda rows: len(rows) == 2)
    page.until(lambda: drawn(page) == {"first": [7.0, 8.0]}, "the torn record has left the chart")

    shutil.rmtree(log)
    poll(page, "scalar/tags", lambda data: data["runs"] == [])
    page.runs(0)
    expect(page.page.locator(".echarts")).to_have_count(0)


def test_a_new_kind_has_its_tab_when_the_page_is_loaded_next(live: tuple[Path, VisualDLPage]) -> None:
    log, page = live
    assert page.tabs() == ["scalar"]
    with vizkit.LogWriter(log / "first") as writer:
        writer.add_text("notes", "as planned", 0)
    poll(page, "component_tabs", lambda tabs: tabs == ["scalar", "text"])
    page.page.clock.run_for(POLL)  # the page asks for kinds each minute, and for tabs once
    assert drawn(page) == {"first": [1.0, 0.5]}
    page.open("scalar")
    assert page.tabs() == ["scalar", "sample/text"]
    page.page.locator("a[href='/app/sample/text']").first.evaluate("link => link.click()")
    expect(page.page.locator("article .text")).to_have_text("as planned")
