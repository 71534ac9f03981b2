"""The workspace's tables of samples in a browser: filtered, grouped, compared, a million rows long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Route, expect

import vizkit

from .test_accessibility import violations
from .workspace_page import HOSTILE, Look, Served, Workspace, serving

pytestmark = pytest.mark.browser

NAMES = ["cat", HOSTILE, "owl"]
N = 240
LONG = 1_000_000


def predictions(seed: int, step: int) -> dict[str, Any]:
    random = np.random.default_rng([seed, step])
    label = np.arange(N) % 3
    guess = np.where(random.random(N) < 0.5 + 0.1 * seed + 0.02 * step, label, (label + 1) % 3)
    images = [np.full((8, 8, 3), (row, 40, 200 - 50 * seed), np.uint8) for row in range(N)]
    return {
        "id": np.arange(N),
        "label": [NAMES[place] for place in label],
        "prediction": [NAMES[place] for place in guess],
        "loss": random.exponential(size=N).astype(np.float32),
        "input": images,
    }


def write(root: Path) -> None:
    for seed, run in enumerate(["a", "b"]):
        with vizkit.Tracker(root / run, system=False) as tracker:
            for step in (0, 5):
                tracker.log_table("eval/predictions", predictions(seed, step), step=step)
    with vizkit.Tracker(root / "long", system=False) as tracker:
        tracker.log_table("rows", {"id": np.arange(LONG), "x": np.arange(LONG)[::-1] / 2}, step=0)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("samples") / "log"
    write(root)
    with serving(root) as served:
        yield served


def shown(page: Workspace) -> Locator:
    return page.page.locator(".samples-row")


def until_found(page: Workspace, text: str) -> None:
    expect(page.page.locator(".samples [role=status]")).to_have_text(text)


def cells(row: Locator) -> list[str]:
    return [cell.inner_text().strip() for cell in row.get_by_role("cell").all()]


def until_only(page: Workspace, ids: set[str]) -> None:
    """Wait until rows are shown, and all of them are some samples'; the rows follow their number."""
    first = "rows => rows.map(row => row.querySelector('[role=cell]')?.innerText.trim() ?? '')"
    page.until(lambda: set() < set(shown(page).evaluate_all(first)) <= ids, "the samples are shown")


def test_samples_are_filtered_sorted_and_opened(look: Look, tables: Served) -> None:
    frame = vizkit.load(tables.log)["a"].predictions(tag="eval")
    with look("?tab=samples", origin=tables.origin) as page:
        until_found(page, f"{N} samples")
        head = page.page.locator(".samples-head [role=columnheader]")
        expect(head).to_have_text(["id", "input", "label", "prediction", "loss", "correct"])
        image = shown(page).nth(3).locator("img")
        page.until(lambda: image.evaluate("image => image.naturalWidth") == 8, "the image is there")
        wrong = frame[~frame.correct]
        page.page.get_by_role("button", name="Only wrong ones").click()
        until_found(page, f"{len(wrong)} of {N} samples")
        assert page.query()["where"] == ["not correct"]
        head.get_by_role("button", name="loss").click()
        head.get_by_role("button", name="loss").click()
        expect(head.nth(4)).to_have_attribute("aria-sort", "descending")
        worst = wrong.sort_values("loss", ascending=False).iloc[0]
        expect(shown(page).first.get_by_role("cell").first).to_have_text(str(worst.id))
        assert cells(shown(page).first)[2:4] == [worst.label[:1000], worst.prediction[:1000]]
        page.page.get_by_label("Filter samples").fill("label = 3")
        expect(page.page.get_by_role("alert")).to_contain_text("no expression")
        assert shown(page).count() > 5  # an expression that is none hides nothing
        page._faults.clear()  # the browser tells of the refusal
        page.page.get_by_label("Filter samples").fill("id == 7")
        until_found(page, f"1 of {N} samples")
        shown(page).first.get_by_role("button", name="7").click()
        details = page.page.get_by_label("Sample 7", exact=True)
        expect(details.locator("tbody tr")).to_have_count(4)  # two steps of two runs
        said = details.locator("tbody tr").nth(3).locator("td").all_inner_texts()
        last = vizkit.load(tables.log)["b"].predictions(5, "eval").iloc[7]
        assert said[0] == "5" and last.prediction in said
        expect(details.locator("figure img")).to_be_visible()
        page.page.keyboard.press("Escape")
        expect(details).to_have_count(0)
        page.page.get_by_label("Filter samples").fill("")
        page.page.get_by_label("Step of the table").fill("0")
        page.until(lambda: page.query().get("at") == ["0"], "another step")
        first = vizkit.load(tables.log)["a"].predictions(0, "eval").sort_values("loss").iloc[-1]
        expect(shown(page).first.get_by_role("cell").first).to_have_text(str(first.id))


def test_cells_of_the_confusion_matrix_and_groups_choose_samples(look: Look, tables: Served) -> None:
    frame = vizkit.load(tables.log)["a"].predictions(tag="eval")
    with look("?tab=samples&by=label", origin=tables.origin) as page:
        matrix = page.page.locator(".samples-matrix")
        expect(matrix.locator("tbody tr")).to_have_count(3)
        chosen = frame[(frame.label == "cat") & (frame.prediction == HOSTILE)]
        name = f"true cat, predicted {HOSTILE}: {len(chosen)}"
        matrix.get_by_role("button", name=name).click()
        until_found(page, f"{len(chosen)} of {N} samples")
        until_only(page, set(chosen.id.astype(str)))
        matrix.get_by_role("button", name=name).click()  # again: all
        until_found(page, f"{N} samples")
        groups = page.page.locator(".samples-groups")
        share = frame[frame.label == "owl"].correct.mean()
        row = groups.locator("tr", has_text="owl")
        expect(row.locator("td").nth(0)).to_have_text("80")
        expect(row.locator("td").nth(1)).to_have_text(f"{100 * share:.3g} %")
        row.get_by_role("button").click()
        until_found(page, f"80 of {N} samples")


def test_another_run_is_asked_for_when_it_is_chosen(look: Look, tables: Served) -> None:
    runs = vizkit.load(tables.log)
    wrong = {run: int((~runs[run].predictions(tag="eval").correct).sum()) for run in "ab"}
    assert wrong["a"] != wrong["b"]
    with look("?tab=samples&of=a&where=not%20correct", origin=tables.origin) as page:
        until_found(page, f"{wrong['a']} of {N} samples")
        page.page.locator(".samples .line select").first.select_option("b")
        until_found(page, f"{wrong['b']} of {N} samples")


def test_another_table_and_another_group_are_asked_for_when_they_are_chosen(
    look: Look, tables: Served
) -> None:
    frame = vizkit.load(tables.log)["a"].predictions(tag="eval")
    with look("?tab=samples&of=a&by=label", origin=tables.origin) as page:
        groups = page.page.get_by_role("region", name="Groups")
        expect(groups.locator("thead th").first).to_have_text("label")
        expect(groups.locator("tbody td:nth-child(2)")).to_have_text(["80", "80", "80"])
        page.page.locator(".samples label", has_text="Group by").locator("select").select_option("prediction")
        expect(groups.locator("thead th").first).to_have_text("prediction")
        counts = frame.prediction.value_counts().sort_index()
        assert counts.nunique() > 1
        page.until(
            lambda: (
                sorted(groups.locator("tbody td:nth-child(2)").all_inner_texts()) == sorted(map(str, counts))
            ),
            "predictions are counted",
        )
        head = page.page.locator(".samples-head [role=columnheader]")
        sheets = page.page.locator(".samples label", has_text="Table").locator("select")

        def late(route: Route) -> None:
            time.sleep(0.3)  # until then the columns are those of the other table
            route.continue_()

        page.page.route("**/api/rows?*", late)
        sheets.select_option("rows")
        until_found(page, f"{LONG} samples")
        expect(head).to_have_text(["id", "x"])
        expect(groups).to_have_count(0)
        sheets.select_option("eval/predictions")
        until_found(page, f"{N} samples")
        expect(head).to_have_text(["id", "input", "label", "prediction", "loss", "correct"])


def test_two_runs_show_what_was_mended_and_broken(look: Look, tables: Served) -> None:
    expected = vizkit.load(tables.log).diff_samples("a", "b", tag="eval")
    with look("?tab=samples&of=a", origin=tables.origin) as page:
        until_found(page, f"{N} samples")
        page.page.get_by_label("compared with").select_option("b")
        changes = page.page.get_by_role("group", name="What B changes")
        expect(changes.get_by_role("button").first).to_have_text(f"mended {len(expected.mended)}")
        expect(page.page.locator(".verdict")).to_have_text(expected.verdict)
        changes.get_by_role("button", name="broken").click()
        until_found(page, f"{len(expected.broken)} of {N} samples")
        until_only(page, set(expected.broken.id.astype(str)))
        expect(page.page.locator(".samples-matrix")).to_have_count(2)
        with page.page.expect_download() as download:
            page.page.get_by_role("link", name="CSV").click()
        lines = Path(download.value.path()).read_text("utf-8-sig").splitlines()
        assert len(lines) == len(expected.broken) + 1 and lines[0].startswith("change,id,label")


def test_a_million_rows_scroll_to_their_end(look: Look, tables: Served) -> None:
    with look("?tab=samples&only=long", origin=tables.origin) as page:
        until_found(page, f"{LONG} samples")
        table = page.page.get_by_role("table", name="Samples")
        assert table.get_attribute("aria-rowcount") == str(LONG + 1)
        for share, first in ((1.0, LONG - 1), (0.0, 0)):
            table.evaluate("(element, share) => { element.scrollTop = share * element.scrollHeight; }", share)
            row = shown(page).last if share else shown(page).first
            expect(row.get_by_role("cell").first).to_have_text(str(first))
            value = row.get_by_role("cell").nth(1).locator("span")
            assert value.get_attribute("title") == repr((LONG - 1 - first) / 2).removesuffix(".0")
        table.evaluate("element => { element.scrollTop = element.scrollHeight / 2; }")
        middle = shown(page).nth(10).get_by_role("cell").first

        def is_there() -> bool:
            text = middle.inner_text()
            return text.isdigit() and abs(int(text) - LONG / 2) < 100

        page.until(is_there, "the rows of the middle are there")
        page.page.get_by_label("Filter samples").fill("x >= 10 and x < 12")
        until_found(page, f"4 of {LONG} samples")
        second = "rows => rows.map(row => row.querySelectorAll('[role=cell]')[1].innerText.trim())"
        wanted = ["11.5", "11", "10.5", "10"]
        page.until(lambda: shown(page).evaluate_all(second) == wanted, "the rows are sorted")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_samples_in_chinese_on_a_phone(look: Look, tables: Served, scheme: str) -> None:
    query = "?tab=samples&of=a&against=b&by=label&sample=7"
    narrow = {"width": 390, "height": 844}
    with look(query, origin=tables.origin, locale="zh-CN", viewport=narrow, color_scheme=scheme) as page:
        until_found(page, f"{N} 个样本")
        expect(page.page.get_by_label("样本 7", exact=True)).to_be_visible()
        expect(page.page.locator(".samples-row").first).to_be_attached()
        expect(page.page.locator(".samples-matrix")).to_have_count(2)
        expect(page.page.locator(".samples-groups tbody tr")).to_have_count(3)
        assert page.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert violations(page.page) == []


def write_maps(root: Path) -> None:
    random = np.random.default_rng(0)
    label = np.zeros((3, 32, 32), np.int64)
    label[:, 4:16, 6:20], label[:, 20:28, 10:30] = 1, 2
    images = random.random((3, 3, 32, 32)).astype(np.float32)
    for run, noise in (("a", 1.5), ("b", 0.5)):
        scores = 2 * np.eye(3)[label].transpose(0, 3, 1, 2) + random.normal(0, noise, (3, 3, 32, 32))
        names = ["ground", "<b>a & b", "树"]
        with vizkit.Tracker(root / run, system=False) as tracker:
            boxes = [{"boxes": np.array([[4, 4, 16, 20.0]]), "labels": np.array([1])}] * 3
            found = [{**one, "scores": np.array([0.2 if run == "a" else 0.8])} for one in boxes]
            with tracker.evaluation("maps", activation="softmax", class_names=names) as evaluation:
                evaluation.add(label, scores, images, ids=["x", "y&z", "<i>"])
            with tracker.evaluation("boxes", task="detection", class_names=names) as evaluation:
                evaluation.add(boxes, found, images)


def test_masks_and_boxes_of_samples_are_layers(look: Look, tmp_path: Path) -> None:
    write_maps(tmp_path / "log")
    with serving(tmp_path / "log") as served:
        query = "?tab=samples&sheet=maps/predictions&of=a&against=b&sample=y%26z"
        with look(query, origin=served.origin) as page:
            pictures = page.page.locator(".sample figure")
            expect(pictures).to_have_count(2)
            expect(pictures.nth(0)).to_contain_text("a")
            expect(pictures.nth(1)).to_contain_text("<b>a & b")  # what the colours mean
            mask = pictures.nth(0).locator("[data-layer=prediction]")
            expect(mask).to_be_visible()
            page.until(lambda: mask.evaluate("image => image.naturalWidth") == 32, "the mask is drawn")
            first, second = (each.locator("[data-layer]").get_attribute("src") for each in pictures.all())
            assert first != second
            switches = page.page.get_by_role("group", name="Layers of images")
            switches.get_by_role("button", name="where they differ").click()
            expect(pictures.nth(0).locator("[data-layer=difference]")).to_be_visible()
            switches.get_by_role("button", name="prediction").click()
            expect(page.page.locator("[data-layer=prediction]")).to_have_count(0)
            row = shown(page).filter(has_text="y&z")
            expect(row.locator("[data-layer=difference]")).to_have_count(2)  # of A and of B
        with look("?tab=samples&sheet=boxes/predictions&sample=1", origin=served.origin) as page:
            pictures = page.page.locator(".sample figure")
            expect(pictures.nth(1).locator("rect[data-layer=prediction]")).to_have_count(1)
            least = page.page.get_by_label("Score from")
            least.fill("0.5")
            expect(pictures.nth(0).locator("rect[data-layer=prediction]")).to_have_count(0)
            expect(pictures.nth(1).locator("rect[data-layer=prediction]")).to_have_count(1)
            expect(pictures.nth(0).locator("rect[data-layer=label]")).to_have_count(1)
        for pack in (tmp_path / "log").glob("*/vizkit.tables/.inputs/*.pack"):
            pack.unlink()
        with look("?tab=samples&sheet=boxes/predictions&sample=1", origin=served.origin) as page:
            expect(page.page.locator(".sample .note")).to_have_text("input: it is not there any more")
            expect(page.page.locator(".sample tbody tr")).to_have_count(2)  # all else is


def test_samples_with_x_and_y_are_on_a_map(look: Look, tmp_path: Path) -> None:
    n = 60
    table = {
        "id": [f"id {row}" for row in range(n)],
        "label": [NAMES[row % 3] for row in range(n)],
        "x": np.arange(n) % 10.0,
        "y": [np.nan if row == 7 else row // 10 for row in range(n)],
        "input": [np.full((8, 8, 3), 4 * row, np.uint8) for row in range(n)],
    }
    with vizkit.Tracker(tmp_path / "log" / "a", system=False) as tracker:
        tracker.log_table("points", table, step=0)
    with serving(tmp_path / "log") as served, look("?tab=samples", origin=served.origin) as page:
        drawing = page.page.get_by_role("img", name=f"{n - 1} samples by x and y")
        drawing.scroll_into_view_if_needed()
        drawing.focus()
        tip = page.page.locator(".samples-tip")
        for _ in range(2):
            drawing.press("ArrowRight")  # the points from left to right, those of one column in order
        expect(tip).to_contain_text("id 10")
        expect(tip).to_contain_text(HOSTILE)  # its label
        page.until(
            lambda: tip.locator("img").evaluate("image => image.naturalWidth") == 8, "its image is there"
        )
        drawing.press("Enter")
        expect(page.page.get_by_label("Sample id 10", exact=True)).to_be_visible()
        box = drawing.bounding_box()
        assert box is not None
        page.page.mouse.click(box["x"] + box["width"] - 25, box["y"] + 25)  # the greatest x and y
        expect(page.page.get_by_label("Sample id 59", exact=True)).to_be_visible()
        page.page.get_by_label("Filter samples").fill("x == 3")
        expect(page.page.get_by_role("img", name="6 samples by x and y")).to_be_visible()


def test_the_page_of_a_run_has_its_samples(look: Look, tables: Served) -> None:
    with look("?run=b", origin=tables.origin) as page:
        section = page.page.get_by_role("region", name="Samples", exact=True)
        section.scroll_into_view_if_needed()
        until_found(page, f"{N} samples")
        expect(section.locator("details")).not_to_have_attribute("open", "")
    with look("?run=long", origin=tables.origin) as page:
        until_found(page, f"{LONG} samples")


def test_runs_without_tables_say_so(look: Look) -> None:
    with look("?tab=samples") as page:
        expect(page.page.locator(".samples .empty")).to_contain_text("no table of samples")
