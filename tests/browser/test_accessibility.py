"""Everyone can use the workspace: axe-core finds nothing, and the keyboard alone reaches all of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

import vizkit
from tests.helpers import ROOT

from .workspace_page import Look, Served, Workspace, serving

pytestmark = pytest.mark.browser

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
VIEWS = {
    "charts": "",
    "groups": "?group=batch+size&smooth=ema",
    "full screen": "?full=train/loss&ylog=1",
    "media": "?tab=media",
    "samples": "?tab=samples",
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
    expect(page.page.locator("#workspace .name").first).to_be_visible()
    expect(
        page.page.locator("main :is(section, .empty)").first
    ).to_be_visible()  # parts of the page are loaded later
    expect(page.page.locator("main h1")).to_have_count(1)
    expect(page.page.locator('[data-busy="1"]')).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing(look: Look, view: str, scheme: str) -> None:
    with look(VIEWS[view], color_scheme=scheme) as page:
        settled(page)
        assert violations(page.page) == []


@pytest.mark.parametrize("width", [390, 1400])
def test_long_values_are_scrolled_with_keys(look: Look, tmp_path: Path, width: int) -> None:
    hparams = {"words": "word " * 200, "lines": "\n".join("abcdefghijk")}
    with vizkit.Tracker(tmp_path / "log" / "run", hparams=hparams, system=False) as tracker:
        tracker.log({"loss": 1.0}, step=0)
    viewport = {"width": width, "height": 800}
    with serving(tmp_path / "log") as served, look("?run=run", served.origin, viewport=viewport) as page:
        settled(page)
        expect(page.page.locator("dd[tabindex]", has_text="word")).to_be_visible()
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


def focused(page: Workspace) -> str:
    """The name of the element that has the focus."""
    name: str = page.page.evaluate(
        "() => document.activeElement.ariaLabel || document.activeElement.textContent.trim()"
    )
    return name


def tab_to(page: Workspace, name: str) -> None:
    """Press Tab until the element of a name has the focus."""
    for _ in range(300):
        page.page.keyboard.press("Tab")
        if focused(page) == name:
            return
    raise AssertionError(f"no Tab reaches {name!r}")


def test_the_keyboard_reaches_runs_and_panels(look: Look) -> None:
    with look() as page:
        settled(page)
        press = page.page.keyboard.press
        page.panel("train/loss")
        tab_to(page, "Hide batch32-1")
        press("Enter")
        page.until(lambda: "batch32-1" not in page.lines("train/loss"), "the run is hidden")
        tab_to(page, "Use batch32-2 as the baseline")
        press("Space")
        page.until(lambda: page.query().get("baseline") == ["batch32-2"], "it is the baseline")
        page.page.get_by_role("link", name="Skip to the charts").focus()
        press("Enter")
        page.page.get_by_role("toolbar").get_by_role("searchbox").focus()
        page.page.keyboard.type("loss")
        page.until(lambda: page.page.locator("figure.panel").count() == 1, "one panel is left")
        tab_to(page, "Full screen")
        press("Enter")
        page.until(lambda: page.query().get("full") == ["train/loss"], "it is full screen")
        page.until(lambda: focused(page) == "Close", "the focus came along")
        press("Escape")
        page.until(lambda: "full" not in page.query(), "it is one of the panels")
        page.until(lambda: focused(page) == "Full screen", "the focus is where it was")


def test_the_keyboard_reads_and_zooms_a_chart(look: Look) -> None:
    with look() as page:
        settled(page)
        panel, press = page.panel("train/loss"), page.page.keyboard.press
        panel.locator(".plot").focus()
        press("End")
        expect(panel.get_by_role("status")).to_contain_text("Step 99: batch")
        expect(page.page.locator(".tooltip")).to_be_visible()
        press("Escape")
        expect(page.page.locator(".tooltip")).to_have_count(0)
        press("Home")
        expect(panel.get_by_role("status")).to_contain_text("Step 0: batch")
        press("+")
        page.until(lambda: page.shown("train/loss")["x"][1] < 99, "it is zoomed")
        before = page.shown("train/loss")["x"]
        press("Shift+ArrowRight")
        page.until(lambda: page.shown("train/loss")["x"][0] > before[0], "it is moved")
        press("Tab")
        expect(page.page.locator(".tooltip")).to_have_count(0)
        panel.get_by_role("button", name="Reset zoom").press("Enter")
        page.until(lambda: page.shown("train/loss")["x"] == [0, 99], "all is shown")


def test_the_keyboard_goes_through_a_menu(look: Look) -> None:
    with look() as page:
        settled(page)
        press = page.page.keyboard.press
        page.panel("train/loss").get_by_role("button", name="More of train/loss").press("Enter")
        menu = page.page.get_by_role("menu")
        expect(menu.get_by_role("menuitem").first).to_be_focused()
        press("ArrowUp")
        expect(menu.get_by_role("menuitem").last).to_be_focused()
        press("ArrowDown")
        expect(menu.get_by_role("menuitem").first).to_be_focused()
        press("Escape")
        expect(menu).to_have_count(0)
        assert focused(page) == "More of train/loss"
        press("Enter")
        press("Shift+Tab")
        press("Shift+Tab")
        expect(menu).to_have_count(0)


def test_the_keyboard_brushes_an_axis_and_reads_a_scatter(look: Look) -> None:
    with look("?tab=compare&sx=hparam:batch+size") as page:
        settled(page)
        grip = page.page.get_by_role("slider", name="batch size")
        grip.focus()
        page.page.keyboard.press("ArrowUp")
        drawn = page.page.locator("aside").get_by_role("status").first
        expect(drawn).to_have_text("6 of 9 drawn")
        expect(grip).to_have_attribute("aria-valuetext", re.compile("– 128$"))
        page.page.keyboard.press("Escape")
        expect(drawn).to_have_text("9 of 9 drawn")
        page.page.get_by_role("img", name="batch size, ").focus()
        for _ in range(2):
            page.page.keyboard.press("ArrowRight")
        scatter = page.page.get_by_role("figure", name="Scatter")
        expect(scatter.get_by_role("status")).to_contain_text("batch32-")


_SMALL = """() => [...document.querySelectorAll('button, a, input, select, summary')]
    .filter(one => !one.closest('.unseen, .skip, label.check'))  // a box is as large as its label
    .map(one => [one.outerHTML.slice(0, 200), one.getBoundingClientRect()])
    .filter(([, box]) => box.width && (box.width < 24 || box.height < 24))
    .map(([text, box]) => [text, box.width, box.height])"""
_BEYOND = """() => [...document.querySelectorAll('main *')]
    .filter(one => !one.closest('.scroll, .rows, .parallel, .areas, .text, .unseen, svg'))
    .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map(one => one.outerHTML.slice(0, 200))"""


@pytest.mark.parametrize("view", ["", "?tab=media", "?tab=table", "?tab=compare", "?run=batch64-1"])
def test_fingers_reach_all_on_a_phone(look: Look, view: str) -> None:
    """At least 24 pixels either way, as WCAG 2.2 asks, and within the page."""
    with look(view, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True) as page:
        settled(page)
        page.until(lambda: page.page.evaluate(_SMALL) == [], "all controls have 24 pixels")
        page.until(lambda: page.page.evaluate(_BEYOND) == [], "all controls are within the page")
