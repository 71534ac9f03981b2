"""VizKit's workspace in a real browser: what its charts hold and draw, what a click, a drag and a key do."""

from __future__ import annotations

import math
import re
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect

import vizkit
from vizkit.curves.smoothing import smoothed, smoothing
from vizkit.metrics.arrays import Floats

from .workspace_page import HOSTILE, RUNS, Look, Served, at, drag, serving

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_run_is_drawn_in_its_colour_through_its_values(look: Look, nine: Served, scheme: str) -> None:
    with look(color_scheme=scheme) as page:
        page.until_listed(RUNS)
        lines = page.lines("train/loss")
        assert list(lines) == RUNS
        for run in vizkit.load(nine.log):
            columns = run.columns("train/loss")
            assert lines[run.name]["x"] == columns.steps.tolist()
            assert lines[run.name]["y"] == columns.values.tolist()
        assert len({line["color"] for line in lines.values()}) == 9
        colours = [tuple(bytes.fromhex(line["color"][1:])) for line in lines.values()]
        page.until_drawn(page.panel("train/loss").locator("canvas").first, colours[:1], pixels=5)
        background = page.pixels(page.page.locator("aside"))[0].mean()
        assert background > 200 if scheme == "light" else background < 60
        low, high = page.shown("train/loss")["y"]
        assert low < math.exp(-99 / 32) and high > 1.1


def test_a_page_that_is_opened_draws_each_curve_once(look: Look, nine: Served) -> None:
    count = """() => {
        window.drawn = 0;
        const lineTo = CanvasRenderingContext2D.prototype.lineTo;
        CanvasRenderingContext2D.prototype.lineTo = function (x, y) {
            if (this.lineWidth === 1.5) window.drawn += 1;  // a curve's
            lineTo.call(this, x, y);
        };
    }"""
    with look("?tags=train/loss") as page:
        page.page.add_init_script(f"({count})()")
        page.page.reload()
        lines = page.lines("train/loss")
        points = sum(len(line["x"]) - 1 for line in lines.values())
        page.until(lambda: page.page.evaluate("window.drawn") > 0, "curves are drawn")
        page.page.wait_for_timeout(300)
        assert len(lines) == 9 and page.page.evaluate("window.drawn") == points


def test_the_pointer_shows_all_values_at_a_step_sorted(look: Look, nine: Served) -> None:
    with look() as page:
        panel = page.panel("train/loss")
        page.page.mouse.move(*at(panel, 0.5, 0.3))
        expect(panel.locator(".tooltip")).to_be_visible()
        rows = panel.locator(".tooltip tr")
        expect(rows).to_have_count(9)
        step = int(panel.locator(".tooltip p").first.inner_text().split()[-1])
        assert abs(step - 49.5) <= 2
        cells = [row.split("\t") for row in rows.all_inner_texts()]
        values = {run.name: run.columns("train/loss").values[step].item() for run in vizkit.load(nine.log)}
        assert {cell[1].strip(): float(cell[2]) for cell in cells} == values  # every digit
        assert [float(cell[2]) for cell in cells] == sorted(values.values(), reverse=True)
        other = page.page.locator('figure[aria-label="eval/acc"] .u-cursor-x')
        assert other.evaluate("line => line.style.transform") != ""  # the cursor is shared


def test_the_cursors_of_all_charts_end_at_the_same_step(look: Look) -> None:
    with look() as page:
        move = """over => {
            const {left, top, width, height} = over.getBoundingClientRect();
            for (const share of [0.2, 0.7]) {  // at once: the others follow the first one
                const clientX = left + share * width, clientY = top + height / 2;
                const move = {clientX, clientY, bubbles: true, movementX: 3};
                over.dispatchEvent(new MouseEvent('mousemove', move));
            }
        }"""
        over = page.panel("train/loss").locator(".u-over")
        page.page.mouse.move(*at(page.panel("train/loss"), 0.5, 0.3))
        expect(page.panel("train/loss").locator(".tooltip")).to_be_visible()  # which comes when all follow
        page.page.wait_for_timeout(100)
        over.evaluate(move)
        places = """() => [...document.querySelectorAll('figure.panel .plot')].filter(plot => plot.chart)
            .map(({chart: {plot}}) => plot.posToVal(plot.cursor.left, 'x'))"""
        page.until(lambda: page.page.evaluate(places) == pytest.approx([69.3] * 2, abs=1), "both are there")
        panel = page.panel("train/loss")
        drag(page.page, at(panel, 0.25, 0.5), at(panel, 0.5, 0.52))  # the pointer is at another step then
        page.until(lambda: "from" in page.query(), "it is zoomed")
        page.until(
            lambda: page.page.evaluate(places) == pytest.approx([37] * 2, abs=1), "both are there, too"
        )


def test_two_fingers_zoom_all_charts_and_one_step_back_undoes_it(look: Look) -> None:
    with look(has_touch=True) as page:
        x, y = at(page.panel("train/loss"), 0.5, 0.5)
        far = at(page.panel("train/loss"), 0.75, 0.5)[0] - x  # a quarter of the width
        browser = page.page.context.new_cdp_session(page.page)

        def touch(kind: str, *places: float) -> None:
            points = [{"x": x + place, "y": y, "id": number} for number, place in enumerate(places)]
            browser.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        touch("touchStart", -40, 40)
        for apart in (50, 60, 80):
            touch("touchMove", -apart, apart)
        touch("touchEnd")
        page.until(
            lambda: page.shown("eval/acc")["x"] == pytest.approx([24.75, 74.25], abs=1), "twice as large"
        )
        touch("touchStart", -40, 40)
        touch("touchMove", far - 40, far + 40)  # the curve follows the fingers
        touch("touchEnd")
        page.until(lambda: page.shown("eval/acc")["x"] == pytest.approx([12.4, 61.9], abs=1), "it is moved")
        page.page.go_back()  # over all moves of the fingers
        page.until(lambda: page.shown("eval/acc")["x"] == pytest.approx([24.75, 74.25], abs=1), "as before")
        page.page.go_back()
        page.until(lambda: "from" not in page.query(), "all is shown")


def test_a_drag_zooms_all_charts_and_a_double_click_goes_back(look: Look) -> None:
    with look() as page:
        panel = page.panel("train/loss")
        drag(page.page, at(panel, 0.25, 0.5), at(panel, 0.5, 0.52))
        page.until(lambda: "from" in page.query(), "the address holds the window")
        start, end = (float(page.query()[name][0]) for name in ("from", "to"))
        assert abs(start - 24.75) < 2 and abs(end - 49.5) < 2
        for tag in ("train/loss", "eval/acc"):
            assert page.shown(tag)["x"] == pytest.approx([start, end])
        panel.locator(".u-over").dblclick()
        page.until(lambda: "from" not in page.query(), "the window is gone")
        assert page.shown("train/loss")["x"] == [0, 99]
        drag(page.page, at(panel, 0.5, 0.2), at(panel, 0.51, 0.6))  # upwards: y alone, of this chart alone
        page.until(lambda: page.shown("train/loss")["y"][1] < 1.05, "the range of values is smaller")
        assert page.shown("train/loss")["x"] == [0, 99]
        page.page.locator("figure[aria-label='train/loss'] .plot").focus()
        page.page.keyboard.press("+")
        page.until(lambda: "from" in page.query(), "the key zooms")


def test_runs_are_hidden_shown_and_kept_in_the_address(look: Look) -> None:
    with look() as page:
        page.panel("train/loss")
        page.page.get_by_role("button", name="Hide batch32-1").click()
        page.until(lambda: "batch32-1" not in page.lines("train/loss"), "the run is gone")
        assert page.query()["hidden"] == ["batch32-1"]
        page.page.reload()
        page.until(lambda: len(page.lines("train/loss")) == 8, "the address keeps it")
        page.page.get_by_role("button", name="Hide batch64-0").click(modifiers=["Alt"])
        page.until(lambda: list(page.lines("train/loss")) == ["batch64-0"], "one run is left")
        page.page.get_by_role("button", name="Show all").click()
        page.until(lambda: len(page.lines("train/loss")) == 9, "all are back")


def test_runs_are_searched_filtered_and_sorted(look: Look) -> None:
    with look() as page:
        page.until_listed(RUNS)
        field = page.page.get_by_label("Filter or search runs")
        field.fill("`batch size` == 64 and seed > 0")
        page.until_listed(["batch64-1", "batch64-2"])
        page.until(
            lambda: list(page.lines("train/loss")) == ["batch64-1", "batch64-2"], "others are not drawn"
        )
        field.fill("`batch size` == ")
        expect(page.page.locator(".filter .error")).to_contain_text("is no expression")
        page.until_listed(RUNS)  # a wrong filter hides nothing
        page._faults.clear()  # the browser tells of the refusal
        field.fill("128-")
        page.until_listed([name for name in RUNS if "128" in name])
        field.fill("")
        page.page.get_by_label("Sort by").first.select_option("best:train/loss")
        page.until(lambda: page.listed()[:2] == ["batch32-0", "batch32-1"], "the lowest loss is first")


def test_smoothing_is_vizkits_own_and_the_raw_curve_stays(look: Look, nine: Served) -> None:
    with look("?smooth=ema&amount=0.8") as page:
        lines = page.lines("train/loss")
        for run in vizkit.load(nine.log)[:3]:
            values = run.columns("train/loss").values
            assert lines[run.name]["y"] == values.tolist()
            expected = smoothed(values, smoothing(0.8))
            np.testing.assert_allclose(lines[run.name]["smooth"], expected, rtol=1e-12)


def test_groups_have_a_mean_a_band_and_n(look: Look, nine: Served) -> None:
    with look("?group=batch+size&band=minmax") as page:
        lines = page.lines("train/loss")
        assert len(lines) == 3
        runs = vizkit.load(nine.log)
        for line, size in zip(lines.values(), (32, 64, 128), strict=True):
            values = np.stack(
                [run.columns("train/loss").values for run in runs.filter(f"`batch size` == {size}")]
            )
            np.testing.assert_allclose(line["y"], values.mean(0), rtol=1e-12)
            np.testing.assert_allclose(line["low"], values.min(0), rtol=1e-12)
            np.testing.assert_allclose(line["high"], values.max(0), rtol=1e-12)
            assert set(line["counts"]) == {3}


def test_several_tags_in_one_panel(look: Look) -> None:
    with look("?only=batch32-0") as page:
        page.page.get_by_role("button", name="New panel").click()
        page.page.get_by_label("Tags with commas").fill("train/loss, eval/acc")
        page.page.keyboard.press("Enter")
        assert list(page.lines("train/loss, eval/acc")) == ["batch32-0 · train/loss", "batch32-0 · eval/acc"]
        assert page.query()["panels"] == ["train/loss, eval/acc"]


def test_an_expression_is_a_panel_and_runs_plot_draws_the_same(look: Look, nine: Served) -> None:
    text = "log({train/loss}) / (1 - {eval/acc}), {train/loss} - 0.5"
    with look("?only=batch32-0&only=batch64-1") as page:
        page.page.get_by_role("button", name="New panel").click()
        page.page.get_by_label("Tags with commas").fill(text)
        page.page.keyboard.press("Enter")
        lines = page.lines(text)
        assert page.query()["panels"] == [text]
        tags = text.split(", ")
        assert set(lines) == {f"{run} · {tag}" for run in ("batch32-0", "batch64-1") for tag in tags}
        for name, line in lines.items():
            run, _, tag = name.partition(" · ")
            columns = vizkit.load(nine.log)[run].columns("train/loss")
            acc = vizkit.load(nine.log)[run].columns("eval/acc")
            values = columns.values - 0.5 if tag == tags[1] else np.log(columns.values) / (1 - acc.values)
            assert (line["x"], line["y"]) == (columns.steps.tolist(), values.tolist())
        page.page.evaluate(
            "navigator.clipboard.writeText = text => { window.copied = text; return Promise.resolve() }"
        )
        page.panel(text).get_by_role("button", name="More of").click()
        page.page.get_by_role("menuitem", name="Copy Python code").click()
        code = page.page.evaluate("window.copied")
    assert "plot([" in code
    drawn = eval(code.removeprefix("import vizkit").strip(), {"vizkit": vizkit})
    found = {name.replace("  ", " · "): np.asarray(line.get_ydata()) for name, line in drawn.lines.items()}
    assert all(found[name].tolist() == line["y"] for name, line in lines.items())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{train/loss} - {eval/los}", "no scalar tag 'eval/los'; closest"),
        ("{train/loss} -", "ends too early"),
        ("nothing$", "no tag matches"),
    ],
)
def test_a_wrong_expression_is_explained_and_hides_nothing(text: str, reason: str, look: Look) -> None:
    with look() as page:
        page.page.get_by_role("button", name="New panel").click()
        page.page.get_by_label("Tags with commas").fill(text)
        page.page.keyboard.press("Enter")
        expect(page.page.locator(".toolbar .error")).to_contain_text(reason)
        assert "panels" not in page.query()
        assert len(page.lines("train/loss")) == 9
        page.page.get_by_label("Tags with commas").fill("{train/loss} - {eval/acc}")
        expect(page.page.locator(".toolbar .error")).to_have_count(0)
        page.page.keyboard.press("Enter")
        assert len(page.lines("{train/loss} - {eval/acc}")) == 9
        page._faults.clear()  # of the refused question


def test_an_address_with_a_wrong_expression_says_so_in_its_panel(look: Look) -> None:
    with look() as page:
        page.go("?panels=%7Bgone%7D%20*%202")
        panel = page.page.locator('figure.panel[aria-label="{gone} * 2"]')
        expect(panel.locator(".error")).to_contain_text("no scalar tag 'gone'")
        assert len(page.lines("train/loss")) == 9
        page._faults.clear()  # as above


def test_the_table_sorts_and_tells_the_difference_to_a_baseline(look: Look) -> None:
    with look("?tab=table&baseline=batch32-0") as page:
        rows = page.page.locator(".sheet .rows .name")
        expect(rows).to_have_count(9)
        page.page.get_by_role("button", name="Sort by train/loss last").click()
        page.until(lambda: rows.first.inner_text() == "batch32-0", "the lowest is first")
        second = page.page.locator(".sheet .rows .row").nth(1)
        change = math.exp(-99 / 32) + 0.05 - math.exp(-99 / 32)
        expect(second).to_contain_text(f"+{change:.2g}")
        expect(second.locator(".bad").first).to_be_visible()


def test_the_table_draws_whole_curves_and_its_columns_move(look: Look) -> None:
    columns = ["status", "hparam:seed", "last:train/loss", "spark:train/loss", "best_step:eval/acc"]
    with look("?tab=table&" + urlencode({"columns": columns}, doseq=True)) as page:
        curves = page.page.locator(".sheet .spark path:not([d=''])")
        expect(curves).to_have_count(9)
        for path in curves.all():
            places = [float(one) for one in re.findall(r"[ML]([\d.]+) ", path.get_attribute("d") or "")]
            heights = [
                float(one) for one in re.findall(r"[ML][\d.]+ ([\d.]+)", path.get_attribute("d") or "")
            ]
            assert len(places) == 100
            assert (places[0], places[-1]) == (1, 111)
            assert (heights[0], heights[-1]) == (1, 25)  # the loss falls
            assert heights == sorted(heights)
        head = page.page.locator(".sheet .head")
        head.get_by_text("curve").drag_to(head.get_by_role("button", name="Status"))
        page.until(
            lambda: page.query()["columns"] == [columns[3], *columns[:3], columns[4]], "the column has moved"
        )
        expect(curves).to_have_count(9)
        page.page.reload()
        expect(page.page.locator(".sheet .spark path:not([d=''])")).to_have_count(9)
        assert head.locator("button, .title").nth(1).inner_text().startswith("train/loss curve")


def test_the_table_scrolls_sideways_with_its_head(look: Look) -> None:
    with look("?tab=table", viewport={"width": 700, "height": 600}) as page:
        row = page.page.locator(".sheet .rows li").first
        expect(row).to_contain_text("batch32-0")
        to_its_end = "box => { box.scrollLeft = box.scrollWidth; return box.scrollLeft > 500 }"
        page.until(lambda: page.page.locator(".sheet .rows").evaluate(to_its_end), "it is scrolled")
        last = row.locator(".row > *").last
        expect(last).to_be_in_viewport()
        cell, head = last.bounding_box(), page.page.locator(".sheet .head > *").last.bounding_box()
        assert cell and head and cell["x"] == head["x"]
        within = "([x, y]) => document.elementFromPoint(x, y)?.closest('.row > *')?.textContent"
        middle = [cell["x"] + 20, cell["y"] + cell["height"] / 2]
        assert page.page.evaluate(within, middle) == last.inner_text() != ""


def test_a_brush_chooses_the_runs_of_every_view(look: Look) -> None:
    with look("?tab=compare") as page:
        grip = page.page.locator(".parallel .grip").first  # batch size: 32 below, 128 above
        expect(grip).to_be_visible()
        box = grip.bounding_box()
        assert box is not None
        x = box["x"] + box["width"] / 2
        drag(page.page, (x, box["y"] + 0.99 * box["height"]), (x, box["y"] + 0.8 * box["height"]))
        expect(page.page.locator("aside [role=status]")).to_contain_text("3 of 9 drawn")
        expect(page.page.locator("circle")).to_have_count(3)
        page.page.get_by_role("button", name="Charts").click()
        assert list(page.lines("train/loss")) == RUNS[:3]


def test_images_follow_one_slider_and_say_another_step(look: Look) -> None:
    with look("?tab=media&only=batch32-0&only=batch32-1") as page:
        panel = page.page.locator('figure[aria-label="input"]')
        expect(panel.locator("img")).to_have_count(2)
        panel.locator("input[type=range]").first.evaluate(
            "slider => { slider.value = 2; slider.dispatchEvent(new Event('input', {bubbles: true})); }"
        )  # of 0, 20, 40, 50, 60, 80
        page.until(lambda: page.query().get("at") == ["40"], "the address holds the step")
        expect(panel.locator(".caption").nth(1)).to_contain_text("Step 50")
        page.until(
            lambda: abs(page.pixels(panel.locator("img").first).mean() - 80) < 4,
            "the image of step 40 is drawn",
        )
        page.page.locator('figure[aria-label="notes"]').scroll_into_view_if_needed()
        text = page.page.locator('figure[aria-label="notes"] .markdown').first
        expect(text).to_have_text("step 40of <b>32</b>")
        expect(page.page.locator('figure[aria-label="pr"] canvas')).to_be_visible()
        page.until_inked(page.page.locator('figure[aria-label="weights"] canvas').first, 0.05)


def test_new_records_and_runs_appear_and_the_zoom_stays(look: Look, tmp_path: Path) -> None:
    tracker = vizkit.Tracker(tmp_path / "log" / "one", system=False)
    for step in range(10):
        tracker.log({"loss": 1.0 / (step + 1)}, step=step)
    with serving(tmp_path / "log") as served, look("?from=2&to=30", origin=served.origin) as page:
        page.until_listed(["one"])
        assert page.lines("loss")["one"]["y"][-1] == 0.1
        tracker.log({"loss": 7.0, "acc": 0.5}, step=10)
        page.until(lambda: page.lines("loss")["one"]["y"][-1] == 7.0, "the record is drawn")
        assert page.shown("loss")["x"] == [2, 30]
        assert page.lines("acc")["one"]["y"] == [0.5]
        with vizkit.Tracker(tmp_path / "log" / "two", system=False) as other:
            other.log({"loss": 3.0}, step=5)
        page.until_listed(["one", "two"])
        page.until(lambda: list(page.lines("loss")) == ["one", "two"], "the run is drawn")
        tracker.close()
        page.until(lambda: page.page.locator("aside .status.finished").count() == 2, "they have ended")


def test_nan_infinities_and_zeros_are_said(look: Look, tmp_path: Path) -> None:
    values = [1.0, math.nan, 10.0, math.inf, 0.0, -1.0, 100.0]
    with vizkit.LogWriter(tmp_path / "log" / "odd") as writer:
        for step, value in enumerate(values):
            writer.add_scalar("loss", value, step)
    with serving(tmp_path / "log") as served, look("?ylog=1", origin=served.origin) as page:
        np.testing.assert_array_equal(page.lines("loss")["odd"]["y"], values)
        expect(page.panel("loss").locator(".note")).to_contain_text("2 values not above zero")
        low, high = page.shown("loss")["y"]
        assert 0 < low < 1 and 100 < high < 1000


def test_a_diverged_run_that_flattens_the_others_is_said_and_left_out(look: Look, tmp_path: Path) -> None:
    for number in range(5):
        with vizkit.LogWriter(tmp_path / "log" / f"run{number}") as writer:
            for step in range(50):
                writer.add_scalar("loss", 1e9 * step if number == 3 else number + 1 / (step + 1), step)
    with serving(tmp_path / "log") as served, look(origin=served.origin) as page:
        panel = page.panel("loss")
        expect(panel).to_contain_text("flattened by 1 of 5 curves")
        assert page.shown("loss")["y"][1] > 4e10
        panel.get_by_role("button", name="Leave outliers out").click()
        expect(panel).to_contain_text("1 of 5 curves beyond the range")
        low, high = page.shown("loss")["y"]
        assert low < 1 / 50 and 5 <= high < 1e9
        assert page.query()["robust"] == ["1"]


def test_each_pixel_column_holds_the_extremes_of_all_points(look: Look, tmp_path: Path) -> None:
    n = 200_000
    r = np.random.default_rng(7)
    values = np.cumsum(r.normal(size=n)) / 100
    values[r.integers(0, n, 40)] += r.normal(size=40) * 50  # spikes of one point
    with vizkit.LogWriter(tmp_path / "log" / "long") as writer:
        for step, value in enumerate(values.tolist()):
            writer.add_scalar("loss", value, step)
    with serving(tmp_path / "log") as served:
        for start, end in ((0, n - 1), (50_000, 130_000), (77_000, 77_200)):
            with look(f"?from={start}&to={end}", origin=served.origin) as page:
                line = page.lines("loss")["long"]
                width = int(page.panel("loss").evaluate("f => f.querySelector('.plot').chart.columns()"))
                x, y = np.array(line["x"]), np.array(line["y"])
                inside = (x >= start) & (x <= end)
                assert inside.sum() <= 4 * width + 2
                steps = np.arange(start, end + 1, dtype=np.float64)
                truth = extremes(steps, values[start : end + 1], start, end, width)
                np.testing.assert_array_equal(extremes(x[inside], y[inside], start, end, width), truth)


def test_long_curves_reach_both_ends_of_the_axis(look: Look, tmp_path: Path) -> None:
    values = np.cumsum(np.random.default_rng(7).normal(size=50_000))
    with vizkit.LogWriter(tmp_path / "log" / "long") as writer:
        for step, value in enumerate(values.tolist()):
            writer.add_scalar("loss", value, step)
    with serving(tmp_path / "log") as served:
        with look(origin=served.origin) as page:
            line = page.lines("loss")["long"]
            assert page.shown("loss")["x"] == [0, 49_999]
            assert (line["x"][-1], line["y"][-1]) == (49_999, values[-1])
        with look("?xlog=1", origin=served.origin) as page:  # each early step has a place of its own
            line = page.lines("loss")["long"]
            assert page.shown("loss")["x"][0] == 1 and line["x"][-1] == 49_999
            for step in (1, 2, 3, 10):
                assert line["y"][line["x"].index(step)] == values[step]


def test_a_wheel_scrolls_the_page_and_tells_how_to_zoom(look: Look) -> None:
    with look() as page:
        panel = page.panel("train/loss")
        page.page.mouse.move(*at(panel, 0.5, 0.5))
        before = page.shown("train/loss")["x"]
        page.page.mouse.wheel(0, 40)
        expect(panel.locator(".hint")).to_have_text("Drag, or Ctrl and wheel, to zoom")
        assert page.shown("train/loss")["x"] == before
        page.page.keyboard.down("Control")
        page.page.mouse.wheel(0, -100)
        page.page.keyboard.up("Control")
        expect(panel.locator(".hint")).to_have_count(0)
        page.until(lambda: page.shown("train/loss")["x"] != before, "it is zoomed")


def extremes(x: Floats, y: Floats, start: float, end: float, width: int) -> Floats:
    """Least and greatest y of each of ``width`` equal parts of [start, end], (2, width)."""
    part = np.minimum(((x - start) / (end - start) * width).astype(int), width - 1)
    found = np.array([np.full(width, np.inf), np.full(width, -np.inf)])
    np.minimum.at(found[0], part, y)
    np.maximum.at(found[1], part, y)
    return found


def test_hostile_names_are_text(look: Look, tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "log" / "run", hparams={HOSTILE: HOSTILE}, strict=False) as tracker:
        tracker.log({f"eval/{HOSTILE[:60]}": 0.5}, step=0)
    vizkit.load(tmp_path / "log")[0].annotate(add="<b>label</b>", note="<script>document.title=1</script>")
    with serving(tmp_path / "log") as served:
        for tab in ("charts", "table", "compare", "media"):
            with look(f"?tab={tab}", origin=served.origin) as page:
                expect(
                    page.page.locator(".name").first if tab != "compare" else page.page.locator("h2, b").first
                ).to_be_visible()
                assert (
                    page.page.title().endswith("log · VizKit") and page.page.locator("img, b b").count() == 0
                )
                page.page.set_viewport_size({"width": 390, "height": 800})
                page.until(
                    lambda: page.page.evaluate("document.documentElement.scrollWidth") == 390, f"{tab} fits"
                )


@pytest.mark.parametrize("tab", ["charts", "media", "table", "compare"])
def test_a_narrow_chinese_page_has_no_overflow(look: Look, tab: str) -> None:
    with look(f"?tab={tab}", viewport={"width": 390, "height": 800}, locale="zh-CN") as page:
        expect(page.page.get_by_role("button", name="图表", exact=True)).to_be_visible()
        if tab == "charts":
            page.lines("train/loss")
        pixels = page.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert pixels == 0


def test_a_lost_server_is_said_and_found_again(look: Look, tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "log" / "run") as writer:
        writer.add_scalar("loss", 1.0, 0)
    with vizkit.serve(str(tmp_path / "log"), port=0) as server:
        url = server.url
        port = urlsplit(url).port or 0
        context = look(origin=url.split("/vizkit/")[0])
        page = context.__enter__()
        page.lines("loss")
    expect(page.page.get_by_text("connection lost")).to_be_visible()
    with vizkit.LogWriter(tmp_path / "log" / "run") as writer:
        writer.add_scalar("loss", 2.0, 1)
    with vizkit.serve(str(tmp_path / "log"), port=port):
        page.until(lambda: page.lines("loss")["run"]["y"] == [1.0, 2.0], "it goes on")
        expect(page.page.get_by_text("connection lost")).to_have_count(0)
        page._faults.clear()  # of requests while there was no server
        context.__exit__(None, None, None)
