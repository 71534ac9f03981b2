"""The browser and the served log."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, FloatRect, expect, sync_playwright

from tests.helpers import PATIENCE, find_browser

from .sample_log import write_log
from .visualdl_page import BROWSER_ARGS, VisualDLPage, serve
from .workspace_page import Look, Served, Workspace, serving, write_run

ARTIFACTS = Path(__file__).parents[1] / "artifacts"
_PIXEL = FloatRect(x=0, y=0, width=1, height=1)

expect.set_options(timeout=1000 * PATIENCE)

Visit = Callable[..., AbstractContextManager[VisualDLPage]]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # For a module, not a session: asyncio.run fails while Playwright's own loop runs.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=BROWSER_ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def context_of(chromium: Browser) -> Callable[[str], BrowserContext]:
    """The browser context of a language; each holds its language's cookie, and the page's files in memory."""

    @cache
    def context_of(locale: str) -> BrowserContext:
        return chromium.new_context(locale=locale, viewport={"width": 1400, "height": 1000})

    return context_of


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where stock VisualDL serves a log that VizKit wrote."""
    from vizkit import LogWriter

    root = tmp_path_factory.mktemp("stock")
    write_log(root / "log", LogWriter)
    with serve(root) as origin:
        yield origin


@contextmanager
def watched(page: VisualDLPage, test: str) -> Iterator[None]:
    """What is done with a page; asserts that nothing went wrong on it, and keeps a screenshot if it did."""
    drawn = False
    try:
        yield
        page.page.screenshot(clip=_PIXEL)  # once it is drawn: that may go wrong, too
        drawn = True
    finally:
        faults = "\n".join(page.faults())
        print(faults)  # pytest shows it with a failure
        if faults or not drawn:
            ARTIFACTS.mkdir(exist_ok=True)
            name = re.sub(r"\W+", "-", test).strip("-")
            page.page.screenshot(path=ARTIFACTS / f"{name}.png")
    assert not faults, faults


@pytest.fixture
def visit(context_of: Callable[[str], BrowserContext], origin: str, request: pytest.FixtureRequest) -> Visit:
    """Open a page; on leaving, assert that nothing went wrong on it."""

    @contextmanager
    def visit(path: str, locale: str = "en-US") -> Iterator[VisualDLPage]:
        page = VisualDLPage(context_of(locale).new_page(), origin)
        try:
            page.open(path)
            with watched(page, request.node.name):
                yield page
        finally:
            page.page.close()

    return visit


@pytest.fixture(scope="module")
def nine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("workspace") / "log"
    for batch_size in (32, 64, 128):
        for seed in range(3):
            write_run(root / f"batch{batch_size}-{seed}", batch_size, seed)
    with serving(root) as served:
        yield served


@pytest.fixture
def look(chromium: Browser, nine: Served, request: pytest.FixtureRequest) -> Look:
    """Open the workspace; on leaving, assert that nothing went wrong on it."""

    @contextmanager
    def look(query: str = "", origin: str = nine.origin, **options: object) -> Iterator[Workspace]:
        given: dict[str, Any] = {"locale": "en-US", "viewport": {"width": 1400, "height": 900}, **options}
        context = chromium.new_context(**given)
        page = Workspace(context.new_page(), origin)
        try:
            page.go(query)
            with watched(page, request.node.name):
                yield page
        finally:
            context.close()

    return look
