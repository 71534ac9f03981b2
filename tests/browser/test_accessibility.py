"""Everyone can use the workspace: axe-core finds nothing, and the keyboard alone reaches all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

import vizkit
from tests.helpers import ROOT

from .workspace_page import Look, Served, Workspace

pytestmark = pytest.mark.browser

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
VIEWS = {
    "charts": "",
    "groups": "?group=batch+size&smooth=ema",
    "full screen": "?full=train/loss&ylog=1",
    "media": "?tab=media",
    "table": "?tab=table&baseline=batch32-1",
    "compare": "?tab=compare",
    "one run": "?run=batch32-0",
    "problems": "?tab=problems",
}


def violations(page: Page) -> list[str]:
    """What axe-core finds, an element each."""
    assert AXE.is_file(), "axe-core is missing: run python hatch_build.py check"
    page.evaluate(AXE.read_text("utf-8"))
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run(document)).violations")
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]


def settled(page: Workspace) -> None:
    """Wait until the page shows what it has asked for."""
    expect(page.page.locator("main h1")).to_have_count(1)
    expect(page.page.locator("#workspace .name").first).to_be_visible()
    expect(page.page.locator('[data-busy="1"]')).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing(look: Look, view: str, scheme: str) -> None:
    with look(VIEWS[view], color_scheme=scheme) as page:
        settled(page)
        assert violations(page.page) == []


def test_axe_finds_nothing_in_what_opens(look: Look) -> None:
    with look("?tab=compare", locale="zh-CN", viewport={"width": 390, "height": 844}) as page:
        settled(page)
        for summary in page.page.locator("summary").all():
            summary.click()
        assert violations(page.page) == []
        page.go("?tab=table")
        settled(page)
        page.page.locator("main [aria-expanded=false]").first.click()
        expect(page.page.locator("fieldset")).to_be_visible()
        assert violations(page.page) == []
        page.go("")
        settled(page)
        page.page.locator("main [aria-haspopup=menu]").first.click()
        expect(page.page.get_by_role("menu")).to_be_visible()
        assert violations(page.page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_chart_of_its_own(
    chromium: Browser, nine: Served, tmp_path: Path, scheme: Literal["light", "dark"]
) -> None:
    vizkit.load(nine.log).chart("train/loss", by="batch size", smooth=0.6).save(tmp_path / "chart.html")
    context = chromium.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto((tmp_path / "chart.html").as_uri())
    page.locator(".plot canvas").first.wait_for()
    page.locator("summary").click()
    assert violations(page) == []
    context.close()
