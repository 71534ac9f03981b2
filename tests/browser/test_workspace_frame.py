"""What stands around the workspace's views: the way to VisualDL's page and back, its language, its keys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

import vizkit

from .workspace_page import Look, Served, serving

pytestmark = pytest.mark.browser


def test_the_way_from_visualdls_page_and_back(look: Look, nine: Served) -> None:
    with look("../app/index", nine.origin) as page:
        expect(page.page.locator(".echarts canvas").first).to_be_visible()
        link = page.page.get_by_role("link", name="VizKit")
        box = link.bounding_box()
        assert box and box["width"] <= 20 and box["x"] == 0  # in the margin
        link.click()
        page.page.locator("aside").get_by_role("link", name="batch64-1").click()
        expect(page.page.locator("h1")).to_contain_text("batch64-1")
        page.page.get_by_role("link", name="VisualDL's page").click()
        expect(page.page).to_have_url(re.compile("/app/"))
        expect(page.page.locator(".echarts canvas").first).to_be_visible()


def test_the_language_is_changed_and_stays(look: Look) -> None:
    with look("?tab=table", locale="zh-CN") as page:
        expect(page.page.locator(".bar [role=status]")).to_have_text("9 个运行")
        page.page.get_by_role("link", name="EN").click()
        expect(page.page.locator(".bar [role=status]")).to_have_text("9 runs")
        page.page.get_by_role("button", name="Charts", exact=True).click()
        page.page.locator("aside").get_by_role("link", name="batch64-1").click()
        expect(page.page.locator("h2", has_text="Environment")).to_be_visible()
        page.page.reload()
        expect(page.page.locator("h2", has_text="Environment")).to_be_visible()


def test_the_title_names_the_view_and_the_log_directory(look: Look) -> None:
    with look() as page:
        expect(page.page).to_have_title("log · VizKit")
        page.page.get_by_role("button", name="Table", exact=True).click()
        expect(page.page).to_have_title("Table · log · VizKit")
        page.page.locator(".sheet").get_by_role("link", name="batch64-1").click()
        expect(page.page).to_have_title("batch64-1 · log · VizKit")
        page.page.go_back()
        expect(page.page).to_have_title("Table · log · VizKit")


def test_the_first_key_leads_to_the_content(look: Look) -> None:
    with look() as page:
        page.panel("train/loss")
        page.page.keyboard.press("Tab")
        expect(page.page.get_by_role("link", name="Skip to the charts")).to_be_focused()


def test_an_earlier_address_leads_to_its_view(look: Look) -> None:
    with look("compare?run=batch32-0&run=batch64-0") as page:
        expect(page.page).to_have_url(re.compile(r"/vizkit/\?tab=compare"))
        expect(page.page.locator("circle")).to_have_count(2)


def test_without_scripts_the_page_says_what_to_do(look: Look) -> None:
    with look(java_script_enabled=False) as page:
        told = page.page.locator("noscript p")
        expect(told).to_be_visible()
        expect(told).to_contain_text("vizkit ls")
        page._faults.clear()  # of scripts that the page names before: the browser does not load them


def test_texts_of_one_step_are_all_shown(look: Look, tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "log" / "run") as writer:
        for step, text in [(2, "second"), (2, "third"), (1, "first")]:
            writer.add_text("steering", text, step)
    with serving(tmp_path / "log") as served, look("?run=run", served.origin) as page:
        texts = page.page.locator('figure[aria-label="steering"]')
        texts.scroll_into_view_if_needed()
        expect(texts.get_by_role("group", name="Text")).to_have_text(["second", "third"])


@pytest.mark.parametrize("query", ["", "?tab=compare", "?run=batch64-1"])
def test_on_paper_nothing_is_cut_and_the_page_is_light(look: Look, query: str) -> None:
    with look(query, color_scheme="dark") as page:
        expect(page.page.locator("figure.panel").first).to_be_visible()
        page.page.emulate_media(media="print", color_scheme="dark")
        expect(page.page.get_by_role("button", name="Charts", exact=True)).to_be_hidden()
        hidden, background = page.page.evaluate(
            """() => [
                document.querySelector('main').scrollHeight - document.querySelector('main').clientHeight,
                getComputedStyle(document.body).backgroundColor]"""
        )
        assert hidden <= 1 and background == "rgb(255, 255, 255)"


_DRAWN = """() => Object.fromEntries([...document.querySelectorAll('figure.panel')].map(panel => [
    panel.getAttribute('aria-label'), panel.querySelector('.plot').chart?.lines.map(line => line.color)]))"""
_BEYOND = """() => [...document.querySelectorAll('.plot canvas')].filter(canvas =>
    canvas.getBoundingClientRect().right > canvas.closest('.panel').getBoundingClientRect().right).length"""


def test_what_is_beyond_the_view_is_printed_in_the_light_theme(look: Look) -> None:
    with look() as page:
        light = {
            tag: [line["color"] for line in page.lines(tag).values()] for tag in ("train/loss", "eval/acc")
        }
    with look(color_scheme="dark", viewport={"width": 1200, "height": 150}) as page:
        page.panel("train/loss")
        dark = page.page.evaluate(_DRAWN)
        assert dark["train/loss"] not in (light["train/loss"], None) and dark["eval/acc"] is None
        page.page.evaluate(f"window.print = () => {{ window.printed = ({_DRAWN})(); }}")
        page.page.keyboard.press("Control+p")
        page.until(lambda: page.page.evaluate("window.printed") == light, "all is drawn, and printed")
        page.page.emulate_media(media="print", color_scheme="dark")
        page.page.set_viewport_size({"width": 500, "height": 150})
        assert page.page.evaluate(_BEYOND) == 0
        page.page.emulate_media(media="screen", color_scheme="dark")
        page.page.evaluate("dispatchEvent(new Event('afterprint'))")
        again = dark["train/loss"]
        page.until(lambda: page.page.evaluate(_DRAWN)["train/loss"] == again, "the page is as it was")


def test_what_an_address_names_and_is_not_there_is_said_in_the_language_of_the_page(look: Look) -> None:
    with look("?full=nosuch", locale="zh-CN") as page:
        expect(page.page.get_by_role("alert")).to_have_text("没有运行含有标量 'nosuch'")
        page._faults.clear()  # the browser tells of the refusal
    with look("?tab=media&look=nosuch", locale="zh-CN") as page:
        expect(page.page.locator(".viewer .empty")).to_have_text("没有此类记录")
        page.page.goto(page.page.url.replace("nosuch", "input"))
        expect(page.page.locator(".viewer img").first).to_be_visible()
        expect(page.page.locator(".viewer .empty")).to_have_count(0)


@pytest.mark.parametrize("tab", ["charts", "media"])
def test_a_regular_expression_that_is_none_is_marked(look: Look, tab: str) -> None:
    with look(f"?tab={tab}") as page:
        field = page.page.get_by_label("Select tags by a regular expression")
        for text, invalid in (("((", "true"), ("", None), ("train|((", "true"), ("train|(a)", None)):
            field.fill(text)
            if invalid:
                expect(field).to_have_attribute("aria-invalid", invalid)
            else:
                expect(field).not_to_have_attribute("aria-invalid", "true")
