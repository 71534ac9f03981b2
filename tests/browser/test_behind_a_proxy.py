"""Both pages behind a reverse proxy with a path, as that of JupyterHub or nginx."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

import vizkit
from tests.reverse_proxy import Proxy, proxied

from .conftest import watched
from .workspace_page import Workspace

pytestmark = pytest.mark.browser

PUBLIC = "/user/someone/proxy/8040"
Open = Callable[[Proxy, str], AbstractContextManager[Workspace]]

PROXIES: dict[str, dict[str, Any]] = {
    "takes the path off": {"serve": {"public_path": PUBLIC}, "strips": True},
    "passes the path on": {"serve": {"public_path": PUBLIC}, "strips": False},
    "edits": {"serve": {"public_path": PUBLIC, "edit": True, "token": "secret"}, "strips": True},
    "says nothing": {"serve": {}, "strips": True},
    "names the path": {"serve": {}, "strips": True, "headers": {"X-Forwarded-Prefix": PUBLIC}},
}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    for run in range(2):
        with vizkit.LogWriter(tmp_path / "log" / f"run{run}") as writer:
            for step in range(5):
                writer.add_scalar("train/loss", 1.0 / (step + 1 + run), step)
            writer.add_text("notes", "a text", 0)
    return tmp_path / "log"


@contextmanager
def served(log: Path, kind: str) -> Iterator[Proxy]:
    """Serve a log behind a proxy of a kind."""
    with vizkit.serve(log, **PROXIES[kind]["serve"]) as server:
        options = {name: value for name, value in PROXIES[kind].items() if name != "serve"}
        with proxied(server.port, PUBLIC, **options) as proxy:
            yield proxy


@pytest.fixture
def behind(chromium: Browser, request: pytest.FixtureRequest) -> Open:
    """Open a page behind a proxy; in the end nothing may have gone wrong, or strayed to another server."""

    @contextmanager
    def behind(proxy: Proxy, path: str) -> Iterator[Workspace]:
        context = chromium.new_context(locale="en-US", viewport={"width": 1400, "height": 900})
        page = Workspace(context.new_page(), proxy.origin)
        try:
            page.page.goto(f"{proxy.origin}{path}", wait_until="domcontentloaded")
            with watched(page, request.node.name):
                yield page
            assert proxy.strays == []
        finally:
            context.close()

    return behind


@pytest.mark.parametrize("kind", ["takes the path off", "passes the path on", "names the path"])
def test_the_workspace_is_whole_and_live(kind: str, log: Path, behind: Open) -> None:
    with served(log, kind) as proxy, behind(proxy, "/vizkit/") as page:
        assert page.lines("train/loss")["run0"]["y"] == [1.0 / (step + 1) for step in range(5)]
        with vizkit.LogWriter(log / "run0") as writer:
            writer.add_scalar("train/loss", 7.0, 5)
        page.until(lambda: page.lines("train/loss")["run0"]["y"][-1] == 7.0, "the record is drawn")
        page.page.get_by_role("button", name="Media", exact=True).click()
        expect(page.page.locator('figure[aria-label="notes"]')).to_contain_text("a text")
        page.page.get_by_role("link", name="VisualDL's page").click()
        page.page.wait_for_url(f"{proxy.origin}/app/index")
        (chart,) = page.charts(1, 2)
        assert chart["title"] == "train/loss"


@pytest.mark.parametrize("kind", ["takes the path off", "passes the path on", "names the path"])
def test_visualdls_page_is_whole_and_leads_to_the_workspace(kind: str, log: Path, behind: Open) -> None:
    with served(log, kind) as proxy, behind(proxy, "/app/") as page:
        page.page.wait_for_url(f"{proxy.origin}/app/index")
        (chart,) = page.charts(1, 2)
        assert [row[2] for row in chart["series"][0]["data"]][:1] == [1.0]
        page.page.goto(f"{proxy.origin}/app/sample/text", wait_until="domcontentloaded")
        expect(page.page.get_by_text("a text").first).to_be_visible()
        page.page.get_by_title("VizKit", exact=True).click()
        page.page.wait_for_url(f"{proxy.origin}/vizkit/")
        page.until_listed(["run0", "run1"])


def test_without_any_word_of_the_path_the_workspace_is_whole(log: Path, behind: Open) -> None:
    with served(log, "says nothing") as proxy, behind(proxy, "/vizkit") as page:
        page.page.wait_for_url(f"{proxy.origin}/vizkit/")
        assert list(page.lines("train/loss")) == ["run0", "run1"]


@pytest.mark.parametrize(("locale", "words"), [("en-US", "does not tell its path"), ("zh-CN", "未告知路径")])
def test_without_any_word_of_the_path_visualdls_page_says_what_lacks(
    locale: str, words: str, log: Path, chromium: Browser
) -> None:
    with served(log, "says nothing") as proxy, closing(chromium.new_context(locale=locale)) as context:
        page = context.new_page()
        page.goto(f"{proxy.origin}/app/index", wait_until="domcontentloaded")
        hint = page.get_by_text(f"--public-path={PUBLIC}")
        expect(hint).to_be_visible()
        expect(hint).to_contain_text(words)


def test_a_token_opens_both_pages_and_edits_through_the_proxy(log: Path, behind: Open) -> None:
    with served(log, "edits") as proxy, behind(proxy, "/vizkit/?token=secret") as page:
        page.until_listed(["run0", "run1"])
        (cookie,) = page.page.context.cookies()
        assert (cookie["path"], cookie["httpOnly"], cookie["sameSite"]) == (f"{PUBLIC}/", True, "Strict")
        page.page.get_by_role("button", name="Labels and note of run0").click(force=True)
        page.page.get_by_label("New label").fill("through a proxy")
        page.page.keyboard.press("Enter")
        expect(page.page.locator("dialog .label bdi")).to_have_text("through a proxy")
        assert vizkit.load(log)["run0"].labels == ["through a proxy"]
        page.page.goto(f"{proxy.origin}/vizkit/")  # the cookie is enough
        page.until_listed(["run0", "run1"])
        page.page.goto(f"{proxy.origin}/app/index?token=secret", wait_until="domcontentloaded")
        page.charts(1, 2)
