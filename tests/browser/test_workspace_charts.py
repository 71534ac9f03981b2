"""A chart's curve that stands out, its legend of groups, its axes, and the files that it gives away."""

from __future__ import annotations

import io
import math
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

import vizkit
from vizkit.media.palette import COLORS

from .workspace_page import RUNS, Look, Served, Workspace, at, serving

pytestmark = pytest.mark.browser

_INKED = "canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"


def _overlay(panel: Locator) -> Locator:
    return panel.locator("canvas.overlay")


def _has_colour(canvas: Locator, colour: str) -> bool:
    pixels = np.array(canvas.evaluate(_INKED), np.int64).reshape(-1, 4)
    return bool((np.abs(pixels[:, :3] - tuple(bytes.fromhex(colour[1:]))).sum(1) < 20).any())


def test_the_nearest_curve_stands_out_until_the_pointer_leaves(look: Look, nine: Served) -> None:
    with look() as page:
        panel = page.panel("train/loss")
        page.page.mouse.move(*at(panel, 0.5, 0.02))
        expect(_overlay(panel)).to_be_visible()
        bold = panel.locator(".closest th").inner_text()
        assert _has_colour(_overlay(panel), page.lines("train/loss")[bold]["color"])
        page.page.mouse.move(5, 5)
        expect(_overlay(panel)).to_be_hidden()  # nothing of it stays behind


def test_a_run_of_the_list_stands_out_in_all_charts(look: Look, nine: Served) -> None:
    with look() as page:
        colour = page.lines("train/loss")[RUNS[4]]["color"]
        page.page.locator("aside .run", has_text=RUNS[4]).hover()
        for tag in ("train/loss", "eval/acc"):
            expect(_overlay(page.panel(tag))).to_be_visible()
            assert _has_colour(_overlay(page.panel(tag)), colour)
        page.page.mouse.move(700, 5)
        expect(_overlay(page.panel("train/loss"))).to_be_hidden()


def test_groups_have_a_legend_in_colours_of_their_own(look: Look, nine: Served) -> None:
    with look("?group=batch+size&band=minmax") as page:
        lines = page.lines("train/loss")
        assert [line["color"] for line in lines.values()] == list(COLORS[:3])
        legend = page.page.get_by_role("group", name="Groups")
        texts = [f"batch size = {size} (3)" for size in (32, 64, 128)]
        expect(legend.get_by_role("button")).to_have_text(texts)
        legend.get_by_role("button").nth(0).click()
        page.until(lambda: list(page.lines("train/loss")) == list(lines)[1:], "the group is hidden")
        assert page.lines("train/loss")["batch size = 64"]["color"] == COLORS[1]  # a colour stays
        legend.get_by_role("button").nth(0).click()
        page.until(lambda: list(page.lines("train/loss")) == list(lines), "and shown again")


def _saved(page: Workspace, panel: Locator, item: str) -> bytes:
    panel.get_by_role("button", name="More of").click()
    with page.page.expect_download() as download:
        page.page.get_by_role("menuitem", name=item).click()
    return Path(download.value.path()).read_bytes()


def test_a_chart_is_saved_as_data_and_as_pictures(look: Look, nine: Served) -> None:
    with look("?group=batch+size&band=minmax") as page:
        lines = page.lines("train/loss")
        panel = page.panel("train/loss")
        saved = _saved(page, panel, "Data as CSV")
        assert saved.startswith(b"\xef\xbb\xbf")  # by which Excel knows UTF-8
        rows = saved.decode("utf-8-sig").splitlines()
        assert rows[0] == "run,step,value" and len(rows) == 1 + 300
        name, step, value = rows[1].split(",")
        assert (name, float(step), float(value)) == ("batch size = 32", 0, lines[name]["y"][0])

        drawing = ElementTree.fromstring(_saved(page, panel, "Picture as SVG"))
        texts = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
        assert {"train/loss", *lines, "0", "20", "0.2"} <= set(texts)  # the title, the legend, round ticks
        opacities = [path.get("opacity") for path in drawing.iter("{http://www.w3.org/2000/svg}path")]
        assert opacities.count("0.18") == 3  # the bands

        picture = Image.open(io.BytesIO(_saved(page, panel, "Picture as PNG")))
        canvas = panel.locator("canvas").first
        assert picture.height > 30 + int(canvas.evaluate("canvas => canvas.height"))  # with title and legend
        pixels = np.asarray(picture.convert("RGB"), np.int64)[-40:]
        for line in lines.values():
            assert (np.abs(pixels - tuple(bytes.fromhex(line["color"][1:]))).sum(2) < 20).any()


def test_ticks_tell_values_apart_at_any_scale(look: Look, tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "log" / "run") as writer:
        for step in range(5):
            writer.add_scalar("near", 1 + 1e-12 * step, step)
            writer.add_scalar("huge", 1e300 * step, step)
    with serving(tmp_path / "log") as served, look(origin=served.origin) as page:
        for tag in ("near", "huge"):
            ticks = page.panel(tag).evaluate("figure => figure.querySelector('.plot').chart.ticks().y")
            assert len(ticks) >= 3 and len({text for _, text in ticks}) == len(ticks)
            assert all(float(text) == place for place, text in ticks)


def test_curves_are_counted_once_with_their_bands(look: Look, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for run in range(6):
        with vizkit.LogWriter(tmp_path / "log" / f"run{run}") as writer:
            writer.add_hparams({"lr": 0.1 if run < 3 else 0.2}, ["loss"])
            for step in range(100):
                writer.add_scalar("loss", rng.normal() + 1e6 * (run == 0 and step > 90), step)
    with (
        serving(tmp_path / "log") as served,
        look("?group=lr&band=minmax&robust=1&smooth=ema", served.origin) as page,
    ):
        expect(page.panel("loss")).to_contain_text("1 of 2 curves beyond the range")


def test_colours_show_a_value_and_axes_scroll_where_room_is_short(look: Look, nine: Served) -> None:
    with look("?tab=compare&hue=best:eval/acc", viewport={"width": 390, "height": 800}) as page:
        runs = sorted(vizkit.load(nine.log), key=lambda run: float(run.columns("eval/acc").values.max()))
        by_name = page.page.locator("circle").evaluate_all(
            """all => Object.fromEntries(
                all.map(one => [one.textContent.split('\\n')[0], one.getAttribute('fill')]))"""
        )
        assert by_name[runs[0].name] == "#0d0887" and by_name[runs[-1].name] == "#f89540"
        box = page.page.locator(".parallel")
        wide, room = box.evaluate("one => [one.scrollWidth, one.clientWidth]")
        assert wide >= room and page.page.evaluate("document.documentElement.scrollWidth") == 390
        titles = page.page.locator(".axis-title").all()
        boxes = [found for title in titles if (found := title.bounding_box())]
        assert all(one["x"] + one["width"] <= other["x"] for one, other in pairwise(boxes))  # none overlaps


def test_a_filter_leaves_the_charts_that_its_runs_have(look: Look, tmp_path: Path) -> None:
    for name, tag in (("cnn", "eval/acc"), ("gan", "eval/fid")):
        with vizkit.LogWriter(tmp_path / "log" / name) as writer:
            writer.add_scalar("train/loss", 0.5, 0)
            writer.add_scalar(tag, 0.75, 0)
    charts = "all => all.map(one => one.getAttribute('aria-label'))"
    with serving(tmp_path / "log") as served, look(origin=served.origin) as page:
        panels = page.page.locator("figure.panel")
        expect(panels).to_have_count(3)
        page.page.get_by_label("Filter or search runs").fill("eval/acc > 0.5")  # a tag, without backquotes
        page.until_listed(["cnn"])
        page.until(lambda: panels.evaluate_all(charts) == ["train/loss", "eval/acc"], "the other is left out")


def test_a_new_panel_is_typed_at_once_and_comes_into_view(look: Look, nine: Served) -> None:
    with look(viewport={"width": 900, "height": 500}) as page:
        page.panel("eval/acc").scroll_into_view_if_needed()
        page.page.get_by_role("button", name="New panel").click()
        page.page.keyboard.type("train/loss, eval/acc")
        page.page.keyboard.press("Enter")
        expect(page.page.locator('figure.panel[aria-label="train/loss, eval/acc"]')).to_be_in_viewport()


def test_logarithmic_axes_end_with_the_curves(look: Look, tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "log" / "run") as writer:
        for step in range(201):
            writer.add_scalar("loss", 0.9 + 1.1 * math.exp(-step / 60), step)
    scale = (
        "f => { const { min, max } = f.querySelector('.plot').chart.plot.scales['AXIS']; return [min, max] }"
    )
    with serving(tmp_path / "log") as served, look("?xlog=1&ylog=1", served.origin) as page:
        panel = page.panel("loss")
        assert panel.evaluate(scale.replace("AXIS", "x")) == [1, 200]
        low, high = panel.evaluate(scale.replace("AXIS", "y"))
        assert 0.85 < low < 0.94 and 2 < high < 2.1


def test_a_point_alone_is_drawn_whole_also_at_an_edge(look: Look, tmp_path: Path) -> None:
    for name, steps in (("alone", 1), ("long", 50)):
        with vizkit.LogWriter(tmp_path / "log" / name) as writer:
            for step in range(steps):
                writer.add_scalar("loss", 1.0 + (name == "alone"), step)
    with serving(tmp_path / "log") as served, look("", served.origin) as page:
        panel = page.panel("loss")
        color = np.array(tuple(bytes.fromhex(page.lines("loss")["alone"]["color"][1:])))
        canvas = panel.locator("canvas").first
        picture = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB"), np.int64)
        inked = np.abs(picture - color).sum(axis=2) < 90
        assert inked.any(axis=0).sum() >= 5 and inked.any(axis=1).sum() >= 5


def test_a_band_on_a_logarithmic_axis_reaches_from_the_least_to_the_greatest_run(
    look: Look, tmp_path: Path
) -> None:
    values = [0.001, 0.002, 0.003, 0.5, 0.9]
    for seed, value in enumerate(values):
        with vizkit.LogWriter(tmp_path / "log" / f"seed{seed}") as writer:
            writer.add_hparams({"lr": 0.1, "seed": seed}, ["loss"])
            for step in range(3):
                writer.add_scalar("loss", value, step)
    with serving(tmp_path / "log") as served, look("?group=lr&ylog=1", served.origin) as page:
        (line,) = page.lines("loss").values()
        np.testing.assert_allclose([line["low"], line["high"]], [[0.001] * 3, [0.9] * 3], rtol=1e-6)
        expect(page.panel("loss").locator(".note")).to_contain_text("least and greatest")
        page.page.get_by_label("Logarithmic y").uncheck()
        expect(page.panel("loss").locator(".note")).to_contain_text("95 % interval")


def test_a_menu_closes_with_escape_and_a_click_elsewhere(look: Look, nine: Served) -> None:
    with look("?tab=compare") as page:
        menu = page.page.locator("details.choose", has_text="Axes")
        for key in ("Escape", ""):
            menu.locator("summary").click()
            expect(menu).to_have_attribute("open", "")
            if key:
                page.page.keyboard.press(key)
            else:
                page.page.mouse.click(700, 500)
            expect(menu).not_to_have_attribute("open", "")


def test_the_names_of_the_table_stay_where_it_scrolls_sideways(look: Look, nine: Served) -> None:
    with look("?tab=table", viewport={"width": 900, "height": 600}) as page:
        name = page.page.locator(".row .named").first
        head = page.page.get_by_role("button", name="Sort by Name")
        expect(name).to_be_visible()
        before = [name.bounding_box(), head.bounding_box()]
        page.page.locator(".sheet .rows").evaluate("rows => rows.scrollTo(300, 0)")
        page.until(
            lambda: page.page.locator(".sheet .rows").evaluate("rows => rows.scrollLeft") > 100, "scrolled"
        )
        assert [name.bounding_box(), head.bounding_box()] == before


def test_an_empty_directory_says_how_the_first_run_comes(look: Look, tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    with serving(tmp_path / "log") as served, look(origin=served.origin) as page:
        code = page.page.locator("main pre").inner_text()
        assert f'vizkit.Tracker("{tmp_path / "log"}/run1")' in code
        exec(re.sub(r"range\(100\)", "range(3)", code), {})  # as it stands
        page.until_listed(["run1"])
