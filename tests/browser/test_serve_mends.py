"""What VisualDL's own page does wrong with ordinary runs, and `vizkit serve` mends."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

import vizkit

from .conftest import Visit
from .visualdl_page import VisualDLPage

pytestmark = pytest.mark.browser

LONG = [
    f"{kind} of the {'very ' * number}long name {number}" for number in range(5) for kind in ("rate", "size")
]
LONG[-1] = LONG[-1].replace(" ", "_")
HPARAMS: dict[str, dict[str, float | str]] = {
    "a&b": {"rate": 0.05, "optimizer": "SGD", "units": 7, "only here": 0.5},
    "c#d": {"rate": 0.005, "units": 8},
    "e+f %41?g=h": {"rate": 0.00025, "optimizer": "Adam", **dict.fromkeys(LONG, 1e-3)},
    "训练 'q\" <b>": {"optimizer": "Adam", **dict.fromkeys(LONG, 2e-3)},
}
LAST = {"a&b": 0.5, "c#d": math.nan, "e+f %41?g=h": math.inf}
TEXT = "first\n  second\n\nthird " + "long" * 500
CLASSES = 27


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    import paddle

    root = tmp_path_factory.mktemp("mends") / "log"
    for name, hparams in HPARAMS.items():
        with vizkit.LogWriter(root / name) as writer:
            writer.add_hparams(hparams, ["eval/acc", "test/top1"])
            if name in LAST:
                writer.add_scalar("eval/acc", LAST[name], 0)
            writer.add_scalar("test/top1", 0.25, 0)
            for number in range(CLASSES):
                writer.add_scalar(f"eval/class {number}/acc", 0.5, 0)
            writer.add_scalar("aux", 0.5, 0)
            writer.add_scalar("pace/samples", 1.0, 0)
            writer.add_scalar("system/cpu", 1.0, 0)
            writer.add_scalar("train/loss", 0.5, 0)
            writer.add_text("notes", TEXT, 0)
    with vizkit.LogWriter(root / "a&b", resume=True) as writer:
        writer.add_graph(paddle.nn.Linear(3, 2), [paddle.static.InputSpec([-1, 3], "float32")])
    with vizkit.serve(root) as server:
        yield f"http://127.0.0.1:{server.port}"


def rows(page: VisualDLPage) -> list[list[str]]:
    found = page.page.get_by_role("table").first.locator(".tbody").get_by_role("row")
    expect(found).to_have_count(len(HPARAMS))
    return [row.get_by_role("cell").all_inner_texts() for row in found.all()]


def test_the_table_shows_nothing_for_what_a_run_lacks_and_sorts_numbers(visit: Visit) -> None:
    with visit("hyper-parameter") as page:
        every = rows(page)
        header = page.page.get_by_role("table").locator(".thead .th").all_text_contents()
        shown = {cells[0]: dict(zip(header, cells, strict=True)) for cells in every}
        assert list(shown) == sorted(HPARAMS)
        for name, hparams in HPARAMS.items():
            for hparam in header[1:-2]:
                assert shown[name][hparam] == str(hparams.get(hparam, "")), (name, hparam)
        accuracies = [shown[name]["eval/acc"] for name in HPARAMS]
        assert accuracies == ["0.5", "NaN", "Infinity", ""]
        page.page.locator(".order-select").click()
        page.page.locator(".order-select .list [title='rate']").click()
        page.until(lambda: rows(page)[0][0] == "e+f %41?g=h", "the rows are sorted")
        column = header.index("rate")
        assert [cells[column] for cells in rows(page)] == ["0.00025", "0.005", "0.05", ""]


def test_parallel_coordinates_shorten_long_names_and_have_gaps(visit: Visit) -> None:
    with visit("hyper-parameter") as page:
        page.page.set_viewport_size({"width": 1440, "height": 900})
        page.page.get_by_text(page.word("hyper-parameter", "views", "parallel-coordinates")).click()
        columns = page.page.locator("svg .indicator")
        expect(columns).to_have_count(len(LONG) + 6)
        names = columns.locator("title").all_text_contents()
        assert set(names) == {"rate", "optimizer", "units", "only here", *LONG, "eval/acc", "test/top1"}
        for name, text in zip(names, columns.locator("text").all(), strict=True):
            shown = text.text_content() or ""
            assert shown == name or (shown[-1] == "…" and name.startswith(shown[:-1]))
        widths = columns.locator("text").evaluate_all("all => all.map(one => one.getComputedTextLength())")
        assert max(widths) < 100
        constant = columns.filter(has=page.page.locator("title", has_text="only here")).locator("..")
        expect(constant.locator(".tick text")).to_have_text("0.5")  # not 1
        lines = page.page.locator("svg path.line")
        expect(lines).to_have_count(len(HPARAMS))
        for name, line in zip(sorted(HPARAMS), lines.all(), strict=True):
            drawn = line.get_attribute("d") or ""
            finite = len(HPARAMS[name]) + math.isfinite(LAST.get(name, math.nan)) + 1
            assert "NaN" not in drawn
            assert drawn.count(",") == finite
        lines.nth(1).locator("..").locator(".hover-trigger").dispatch_event("click")
        session = page.page.get_by_role("table").locator(".tbody").get_by_role("row").get_by_role("cell")
        expect(session.first).to_have_text("c#d")


def test_scatter_plots_have_no_dot_without_a_value(visit: Visit) -> None:
    with visit("hyper-parameter") as page:
        page.page.get_by_text(page.word("hyper-parameter", "views", "scatter-plot-matrix")).click()
        plots = page.page.locator("svg:has(g.dots)")
        expect(plots).to_have_count(2 * (len(LONG) + 4))
        for number, hparam in enumerate(("rate", "optimizer", "units", "only here")):
            places = (
                plots.nth(number)
                .locator("g.dots circle")
                .evaluate_all("all => all.map(one => one.cx.baseVal.value)")
            )
            inside = [place >= 0 for place in places]
            assert inside == [
                hparam in HPARAMS[name] and math.isfinite(LAST.get(name, math.nan))
                for name in sorted(HPARAMS)
            ]
        assert "undefined" not in page.page.locator("article").first.inner_text()
        labels = page.page.locator(".hparams", has=page.page.locator("span"))
        expect(labels).to_have_count(len(LONG) + 4)
        assert labels.evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth)")
        expect(plots.last.locator(".x-label .tick text").first).to_have_text("0.0010")
        expect(plots.nth(len(LONG) + 4).locator(".y-label .tick text")).to_have_text("0.25")


def test_texts_keep_their_lines(visit: Visit) -> None:
    with visit("sample/text") as page:
        text = page.page.locator("article .text").first
        expect(text).to_contain_text("third")
        assert text.inner_text() == TEXT
        box = text.bounding_box()
        assert box is not None and box["width"] < 1400
        assert text.evaluate("one => one.scrollWidth <= one.clientWidth")


def test_the_charts_of_training_come_first_and_are_unfolded(visit: Visit) -> None:
    with visit("scalar") as page:
        groups = page.page.locator("h3")
        expect(groups).to_have_text(["train", "eval", "test", "aux", "pace", "system"])
        expect(page.page.locator(".echarts")).to_have_count(1)
        (chart,) = page.charts(1, filled=len(HPARAMS))
        assert chart["title"] == "train/loss"
        assert sorted({series["name"] for series in chart["series"]}) == sorted(HPARAMS)


def test_names_with_signs_of_addresses_are_asked_for_whole(visit: Visit) -> None:
    with visit("graph/dynamic_graph") as page:
        expect(page.page.locator(".run-list")).to_have_text("a&b")
        graph = page.page.frame_locator("iframe")
        expect(graph.locator(".node-item text").filter(has_text="Linear").first).to_be_visible()
