"""VizKit's own page in a real browser: what is drawn, what a click does, what hostile names do not do."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response, expect

import vizkit
from vizkit.curves.plot_arguments import group_positions
from vizkit.media.palette import class_color

from .conftest import kept
from .visualdl_page import VisualDLPage

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=document.title=1>'%20&amp; 🌡\u202eabc " + "long" * 40
TAG = 'eval/<b onclick=alert(1)>"loss" 损失'
RUNS = [f"batch{batch_size}-{seed}" for batch_size in (32, 64, 128) for seed in range(3)]


class OwnPage(VisualDLPage):
    """A page whose answers are documents."""

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self._faults.append(f"HTTP {response.status}: {response.url}")


Look = Callable[..., AbstractContextManager[VisualDLPage]]


def write_run(directory: Path, batch_size: int, seed: int) -> None:
    hparams = {"batch size": batch_size, "seed": seed, "optimizer": "Adam"}
    with vizkit.Tracker(directory, hparams=hparams, metrics=["train/loss", "eval/acc"]) as tracker:
        for step in range(100):
            loss = math.exp(-step / batch_size) + 0.05 * seed
            tracker.log({"train/loss": loss, "eval/acc": 1 - loss / 2}, step=step)
        tracker.log_text("notes", "as planned", step=0)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("page") / "log"
    for batch_size in (32, 64, 128):
        for seed in range(3):
            write_run(root / f"batch{batch_size}-{seed}", batch_size, seed)
    return root


@pytest.fixture(scope="module")
def own_origin(log: Path) -> Iterator[str]:
    with vizkit.serve(str(log)) as server:
        yield server.url.split("/app/")[0]


@pytest.fixture
def look(chromium: Browser, own_origin: str, request: pytest.FixtureRequest) -> Look:
    """Open a view; on leaving, keep a screenshot and assert that nothing went wrong on it."""

    @contextmanager
    def look(path: str = "table", origin: str = own_origin, **options: object) -> Iterator[VisualDLPage]:
        given: dict[str, Any] = {"locale": "en-US", "viewport": {"width": 1400, "height": 900}, **options}
        context = chromium.new_context(**given)
        page = OwnPage(context.new_page(), origin)
        try:
            page.open(f"../vizkit/{path}")
            with kept(page, request.node.name, full_page=True):
                yield page
        finally:
            context.close()

    return look


def names(page: Page) -> list[str]:
    page.wait_for_load_state()
    titles: list[str] = page.locator("table.runs a.run").evaluate_all("links => links.map(a => a.title)")
    return titles


def overflow(page: Page) -> int:
    page.wait_for_load_state()
    pixels: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return pixels


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nine_runs_with_their_sparklines(look: Look, scheme: str) -> None:
    with look(color_scheme=scheme) as page:
        assert names(page.page) == RUNS
        sparks = page.page.locator("td.score svg")
        expect(sparks).to_have_count(18)
        page.until_inked(sparks.first, 0.02)
        background = page.pixels(page.page.locator("h1"))[0].mean()
        assert background > 200 if scheme == "light" else background < 60
        expect(page.page.locator("small.leads")).to_have_count(2)


def test_the_chinese_page(look: Look) -> None:
    with look(locale="zh-CN") as page:
        expect(page.page.locator("h1")).to_contain_text("9 个运行")
        expect(page.page.get_by_role("button", name="比较所选")).to_be_visible()
        page.page.get_by_role("link", name="English").click()
        expect(page.page.locator("h1")).to_contain_text("9 runs")
        page.page.get_by_role("link", name="Groups").click()
        expect(page.page.locator("h1")).to_contain_text("Groups")  # the language stays


def test_a_narrow_window_scrolls_tables_and_charts_and_not_the_page(look: Look) -> None:
    with look(viewport={"width": 390, "height": 800}) as page:
        assert overflow(page.page) == 0
        for path in ("groups?group=batch+size", "compare?run=batch32-0&run=batch128-2", "run?run=batch32-0"):
            page.open(f"../vizkit/{path}")
            expect(page.page.locator("svg.chart")).to_be_visible()
            assert overflow(page.page) == 0, path


def test_filter_and_sort_are_typed_and_clicked_and_lie_in_the_address(look: Look) -> None:
    with look() as page:
        field = page.page.get_by_role("searchbox", name="Filter")
        field.fill("`batch size` > 32 and seed != 1")
        field.press("Enter")
        expect(page.page.locator("h1")).to_contain_text("4 of 9 runs")
        page.page.locator("th.score", has_text="eval/acc").get_by_role("link", name="best").click()
        expect(page.page.locator("th.score[aria-sort=descending]")).to_have_count(1)
        shown = names(page.page)
        assert shown == ["batch64-0", "batch64-2", "batch128-0", "batch128-2"]
        page.page.reload()
        assert names(page.page) == shown
        field.fill("`batch size` >")
        page.page.get_by_role("button", name="Apply").first.click()
        expect(page.page.get_by_role("alert")).to_contain_text("is no expression")
        assert len(names(page.page)) == 9


def test_two_selected_runs_are_compared(look: Look, log: Path) -> None:
    with look() as page:
        button = page.page.get_by_role("button", name="Compare selected")
        expect(button).to_be_disabled()
        page.page.get_by_label("Select batch32-1").check()
        page.page.get_by_label("Select batch128-2").check()
        button.click()
        expect(page.page.locator("h1")).to_contain_text("2 runs")
        row = page.page.locator("table.diff tr", has=page.page.get_by_text("batch size", exact=True))
        expect(row.locator("td")).to_have_text(["32", "128"])
        expect(page.page.locator("svg.chart path.line")).to_have_count(2)
        runs = vizkit.load(log)
        colours = [class_color(runs[name].position) for name in ("batch32-1", "batch128-2")]
        page.until_drawn(page.page.locator(".plot svg.chart"), colours)
        before = page.page.locator("svg.chart path.line").first.get_attribute("d")
        page.page.get_by_label("y axis").select_option("log")  # a choice is submitted at once
        expect(page.page).to_have_url(re.compile("scale=log"))
        assert page.page.locator("svg.chart path.line").first.get_attribute("d") != before


def test_groups_are_drawn_with_mean_and_band(look: Look, log: Path) -> None:
    with look("groups") as page:
        page.page.locator(".empty").get_by_role("link", name="batch size").click()
        expect(page.page.locator(".chart path.line")).to_have_count(3)
        expect(page.page.locator("path.band")).to_have_count(3)
        chart = page.page.locator("svg.chart")
        places = group_positions(vizkit.load(log), "batch size").values()
        page.until_drawn(chart, [class_color(place) for place in places])
        band = page.page.locator("path.band").first.bounding_box()
        line = page.page.locator(".chart path.line").first.bounding_box()
        assert band and line and band["height"] > line["height"]
        probe = page.page.locator("rect.probe").nth(30)
        probe.hover()
        assert "batch size = 32" in (probe.locator("title").text_content() or "")
        page.page.locator("table").first.get_by_role("link", name="64").click()
        assert names(page.page) == ["batch64-0", "batch64-1", "batch64-2"]


def test_a_runs_page_and_the_way_from_visualdl_and_back(look: Look) -> None:
    with look("../app/index") as page:
        expect(page.page.locator(".echarts canvas").first).to_be_visible()
        link = page.page.get_by_role("link", name="VizKit")
        box = link.bounding_box()
        assert box and box["width"] <= 20 and box["x"] == 0  # in the margin
        link.click()
        page.page.get_by_role("link", name="batch64-1").click()
        expect(page.page.locator("h1")).to_have_text("batch64-1")
        expect(page.page.locator(".chart path.line")).to_have_count(1)
        page.page.get_by_role("link", name="text").click()
        expect(page.page).to_have_url(re.compile("/app/sample/text"))
        page.page.go_back()
        page.page.get_by_role("link", name="VisualDL").first.click()
        expect(page.page).to_have_url(re.compile("/app/"))
        expect(page.page.locator(".echarts canvas").first).to_be_visible()


def test_all_works_without_scripts(look: Look) -> None:
    with look(java_script_enabled=False) as page:
        page.page.get_by_label("Select batch32-0").check()
        page.page.get_by_label("Select batch64-0").check()
        page.page.get_by_role("button", name="Compare selected").click()
        expect(page.page.locator(".chart path.line")).to_have_count(2)
        page.page.get_by_label("Metric").select_option("eval/acc")
        page.page.get_by_role("button", name="Draw").click()
        expect(page.page.locator("svg.chart")).to_have_attribute("aria-label", re.compile("eval/acc"))


def test_the_keyboard_reaches_content_and_selects(look: Look) -> None:
    with look() as page:
        page.page.keyboard.press("Tab")
        expect(page.page.get_by_role("link", name="Skip to content")).to_be_focused()
        box = page.page.get_by_label("Select batch32-0")
        box.focus()
        page.page.keyboard.press("Space")
        expect(box).to_be_checked()


def test_hostile_names_are_shown_as_they_are(look: Look, tmp_path: Path) -> None:
    for name in (HOSTILE, "other"):
        with vizkit.LogWriter(str(tmp_path / "log" / name)) as writer:
            writer.add_hparams({HOSTILE: HOSTILE if name == HOSTILE else 1}, [TAG])
            for step in range(5):
                writer.add_scalar(TAG, 1 / (step + 1), step)
            writer.add_text("note", f"</pre><script>document.title=1</script>{HOSTILE}", 0)
    with vizkit.serve(str(tmp_path / "log")) as server, look(origin=server.url.split("/app/")[0]) as page:
        assert names(page.page)[0].startswith("<img src=x onerror=")
        page.page.locator("tbody tr", has_text="<img").get_by_role("link").first.click()
        expect(page.page.locator("pre")).to_contain_text("</pre><script>document.title=1</script>")
        expect(page.page.locator("h1")).to_contain_text("<img src=x onerror=")
        expect(page.page.locator(".chart path.line")).to_have_count(1)
        assert page.page.title() != "1" and page.page.locator("img, main b[onclick]").count() == 0
        assert overflow(page.page) == 0
        page.open("../vizkit/compare")
        expect(page.page.locator(".chart path.line")).to_have_count(2)
        assert overflow(page.page) == 0
        page.open("../vizkit/groups")
        page.page.locator(".empty a").click()
        expect(page.page.locator(".chart path.line")).to_have_count(2)
        page.page.locator("table").first.get_by_role("link").nth(1).click()
        assert len(names(page.page)) == 1
        assert page.page.title() == "Runs · VizKit" and overflow(page.page) == 0


def test_a_thousand_runs_come_in_pages(look: Look, tmp_path: Path) -> None:
    for index in range(1000):
        with vizkit.LogWriter(str(tmp_path / "log" / f"trial{index}")) as writer:
            writer.add_hparams({"rate": index / 1000, "width": index % 7}, ["loss"])
            for step in range(3):
                writer.add_scalar("loss", (1 + index % 7) / (step + 1), step)
    with vizkit.serve(str(tmp_path / "log")) as server, look(origin=server.url.split("/app/")[0]) as page:
        expect(page.page.locator("h1")).to_contain_text("1000 runs")
        assert len(names(page.page)) == 50
        page.page.get_by_role("link", name="Next").click()
        expect(page.page.locator(".pages")).to_contain_text("Page 2 of 20")
        assert names(page.page)[0] == "trial50"
        page.page.get_by_role("link", name="100", exact=True).click()
        assert len(names(page.page)) == 100
        assert len(page.page.content()) < 500_000
        page.open("../vizkit/groups?group=width")
        expect(page.page.locator(".chart path.line")).to_have_count(7)


def test_the_page_follows_the_log(look: Look, tmp_path: Path) -> None:
    write_run(tmp_path / "log" / "first", 32, 0)
    with vizkit.serve(str(tmp_path / "log")) as server, look(origin=server.url.split("/app/")[0]) as page:
        page.page.clock.install()
        page.page.reload()
        expect(page.page.locator("h1")).to_contain_text("1 run")
        write_run(tmp_path / "log" / "second", 64, 1)

        def two_runs() -> bool:
            page.page.clock.run_for(11_000)
            return page.page.locator("h1").inner_text().startswith("2 runs")

        page.until(two_runs, "the new run is there")
        assert names(page.page) == ["first", "second"]
