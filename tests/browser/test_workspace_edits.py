"""Labels, notes, archiving and saved views in the page: by two editors, and where nothing may be changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

import vizkit

from .workspace_page import HOSTILE, Look, Served, Workspace, serving

pytestmark = pytest.mark.browser


@pytest.fixture
def edited(tmp_path: Path) -> Iterator[Served]:
    for name in ("one", "two"):
        with vizkit.LogWriter(tmp_path / "log" / name) as writer:
            writer.add_scalar("loss", 1.0, 0)
            writer.add_scalar("acc", 0.5, 0)
    with serving(tmp_path / "log", edit=True) as served:
        yield served


def opened(page: Workspace, name: str) -> Locator:
    """The dialog with the remarks on a run."""
    page.page.get_by_role("button", name=f"Labels and note of {name}").click(force=True)
    dialog = page.page.locator("dialog")
    expect(dialog).to_be_visible()
    return dialog


def test_labels_note_and_archiving_are_kept_beside_the_log(look: Look, edited: Served) -> None:
    run = vizkit.load(edited.log)["one"]
    with look(origin=edited.origin) as page:
        page.until_listed(["one", "two"])
        dialog = opened(page, "one")
        for label in ("baseline", HOSTILE[:150]):
            dialog.get_by_label("New label").fill(label)
            page.page.keyboard.press("Enter")
            expect(dialog.locator(".label bdi").last).to_have_text(label)
        assert run.labels == ["baseline", HOSTILE[:150]]
        expect(page.page.locator("aside .label").first).to_have_text("baseline")
        dialog.get_by_role("button", name="Take off baseline").click()
        expect(dialog.locator(".label")).to_have_count(1)
        dialog.get_by_label("Note").fill("# Good\n<b>x</b> **bold** [link](javascript:alert(1))")
        expect(dialog.locator(".markdown strong")).to_have_text("bold")
        assert dialog.locator(".markdown b, .markdown a, img").count() == 0
        assert run.note == ""
        dialog.get_by_role("button", name="Save the note").click()
        expect(dialog.get_by_role("status")).to_have_text("saved")
        assert (run.labels, run.note) == (
            [HOSTILE[:150]],
            "# Good\n<b>x</b> **bold** [link](javascript:alert(1))",
        )
        dialog.get_by_label("archived").click()
        page.until(lambda: run.archived, "the run is put away")
        dialog.get_by_role("button", name="Close").click()
        page.until_listed(["two"])
        page.page.get_by_label("1 archived runs").check()
        page.until_listed(["one", "two"])
        assert page.page.title() == "log · VizKit"


def test_the_second_editor_of_a_note_sees_both_and_chooses(look: Look, edited: Served) -> None:
    run = vizkit.load(edited.log)["one"]
    with look(origin=edited.origin) as page:
        page.until_listed(["one", "two"])
        dialog = opened(page, "one")
        note, save = dialog.get_by_label("Note"), dialog.get_by_role("button", name="Save the note")
        note.fill("mine")
        run.annotate(note="<i>theirs</i>", add="theirs")
        expect(dialog.locator(".label")).to_have_text("theirs×")  # told at once; the draft stays
        expect(note).to_have_value("mine")
        save.click()
        expect(dialog.locator(".conflict pre")).to_have_text("<i>theirs</i>")
        expect(note).to_have_value("mine")
        assert run.note == "<i>theirs</i>"
        dialog.get_by_role("button", name="Save mine").click()
        expect(dialog.get_by_role("status")).to_have_text("saved")
        assert (run.note, run.labels) == ("mine", ["theirs"])
        note.fill("mine again")
        run.annotate(note="theirs again")
        save.click()
        dialog.get_by_role("button", name="Take theirs").click()
        expect(note).to_have_value("theirs again")
        expect(dialog.locator(".conflict")).to_have_count(0)
        assert run.note == "theirs again"
        run.annotate(note="a third")  # not touched here: it follows
        expect(note).to_have_value("a third")
        note.fill("unsaved")
        page.page.once("dialog", lambda question: question.dismiss())
        page.page.keyboard.press("Escape")
        expect(note).to_have_value("unsaved")
        page.page.once("dialog", lambda question: question.accept())
        page.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        page._faults.clear()  # the browser tells of the two conflicts


def views(page: Workspace) -> Locator:
    menu = page.page.locator("details.views")
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    return menu


def test_a_view_is_saved_opened_renamed_and_deleted(look: Look, edited: Served) -> None:
    with look("?tab=table&filter=acc+%3E+0.1&x=time", origin=edited.origin) as page:
        menu = views(page)
        expect(menu.locator("li")).to_have_count(0)
        menu.get_by_label("Name of this view").fill(HOSTILE[:90])
        page.page.keyboard.press("Enter")
        expect(menu.locator("li a")).to_have_text([HOSTILE[:90]])
        menu.get_by_label("Name of this view").fill("good runs")
        page.page.keyboard.press("Enter")
        expect(menu.locator("li a")).to_have_text([HOSTILE[:90], "good runs"])
        menu.get_by_label("Name of this view").fill("good runs")  # there is one already
        page.page.keyboard.press("Enter")
        expect(menu.get_by_role("alert")).to_contain_text("has been saved meanwhile")
        page._faults.clear()
    with look(origin=edited.origin) as page:
        menu = views(page)
        menu.get_by_label("Search views").fill("ACC x=time")  # both have it in their addresses
        expect(menu.locator("li a")).to_have_count(2)
        menu.get_by_label("Search views").fill("bad")
        expect(menu.get_by_role("status")).to_contain_text("No view has that")
        menu.get_by_label("Search views").fill("Runs acc")
        expect(menu.locator("li a")).to_have_text(["good runs"])
        menu.get_by_role("link", name="good runs").click()
        page.until(lambda: page.query().get("filter") == ["acc > 0.1"], "the view is shown")
        assert (page.query()["tab"], page.query()["x"]) == (["table"], ["time"])
        expect(page.page.locator(".sheet")).to_be_visible()
        page.page.go_back()
        page.until(lambda: "filter" not in page.query(), "the former view is back")
        menu = views(page)
        menu.get_by_label("Search views").fill("")
        menu.get_by_role("button", name="Save what is shown now as good runs").click()
        expect(menu.get_by_role("link", name="good runs")).to_have_attribute("href", "?")
        menu.get_by_role("button", name="Rename good runs").click()
        menu.get_by_label("New name").fill("all runs")
        page.page.keyboard.press("Enter")
        expect(menu.locator("li a").first).to_have_text(HOSTILE[:90])
        expect(menu.locator("li a").last).to_have_text("all runs")
        page.page.once("dialog", lambda question: question.accept())
        menu.get_by_role("button", name=f"Delete {HOSTILE[:90]}").click()
        expect(menu.locator("li a")).to_have_text(["all runs"])
        assert page.page.title() == "log · VizKit" and page.page.locator("img").count() == 0
    with serving(edited.log) as served, look(origin=served.origin) as page:  # nothing may be changed
        menu = views(page)
        expect(menu.locator("li a")).to_have_text(["all runs"])
        assert menu.locator("button, input").count() == 0


def test_without_edit_a_note_can_be_read_alone(look: Look, edited: Served) -> None:
    vizkit.load(edited.log)["one"].annotate(note="a *note*", add="label")
    with serving(edited.log) as served, look(origin=served.origin) as page:
        page.until_listed(["one", "two"])
        expect(page.page.get_by_role("button", name="Labels and note of two")).to_have_count(0)
        dialog = opened(page, "one")
        expect(dialog.locator(".markdown em")).to_have_text("note")
        assert dialog.locator("textarea, input").count() == 0
        assert page.page.locator("details.views").count() == 0
        answer = page.page.evaluate(
            """fetch('api/remarks', {method: 'POST', headers: {'Content-Type': 'application/json'},
            body: '{"run": "one", "note": "changed"}'}).then(answer => answer.status)"""
        )
        assert answer == 405 and vizkit.load(edited.log)["one"].note == "a *note*"
        page._faults.clear()


def test_a_narrow_chinese_page_edits_without_overflow(look: Look, edited: Served) -> None:
    options = {"viewport": {"width": 390, "height": 800}, "locale": "zh-CN"}
    with look(origin=edited.origin, **options) as page:
        page.page.get_by_role("button", name="one 的标签与备注").click()
        expect(page.page.locator("dialog")).to_be_visible()
        page.page.get_by_label("新标签").fill("标签" * 90)
        page.page.keyboard.press("Enter")
        expect(page.page.locator("dialog .label")).to_have_count(1)
        page.page.get_by_role("button", name="关闭").click()
        page.page.locator("details.views summary").click()
        expect(page.page.get_by_label("此视图的名称")).to_be_visible()
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.page.evaluate(width) == 0
