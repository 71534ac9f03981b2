"""Charts of notebooks in a real browser: what a kernel gave out is drawn, whole, and without a request."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import vizkit
from tests.helpers import until
from tests.notebooks import executed
from vizkit._language import speaking
from vizkit.charts.embedding import Options
from vizkit.curves.smoothing import smoothed, smoothing
from vizkit.notebook import _view

from .workspace_page import at, drag

pytestmark = pytest.mark.browser

N = 4000
HOSTILE = "</script><script>document.title='gone'</script><img src=x onerror=document.title='gone'>"
CELLS = [
    "import vizkit\nruns = vizkit.load('log')",
    "runs.chart('loss')",
    "runs.chart('loss', points=2000)",
    "following = vizkit.live('log/later', every=0.05)",
    "with vizkit.Tracker('log/later', metrics=['eval/acc']) as tracker:\n"
    "    for step in range(50):\n"
    "        tracker.log({'eval/acc': step / 50}, step=step)\n",
    "assert following.wait(300)",
]
_LINES = """plot => plot.chart.lines.map(line => ({name: line.name, color: line.color, x: [...line.x],
    y: [...line.y].map(String), smooth: line.smooth && [...line.smooth.y].map(String)}))"""
# Puts HTML into an element as JupyterLab does: scripts of such HTML do not run by themselves.
_RENDER = """(host, html) => {
    host.innerHTML = html;
    for (const old of host.querySelectorAll('script')) {
        const script = document.createElement('script');
        script.textContent = old.textContent;
        old.replaceWith(script);
    }
}"""
_DARK = "() => { document.body.style.background = '#111'; document.body.style.color = '#ddd'; }"


def values(seed: int) -> list[float]:
    found = np.random.default_rng(seed).normal(size=N).cumsum()
    found[1234] = 300.0 + seed  # a spike
    found[2000] = math.nan
    return list(map(float, found))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("notebook")
    for seed in range(3):
        with vizkit.Tracker(root / "log" / f"run{seed}", hparams={"lr": seed % 2}) as tracker:
            for step, value in enumerate(values(seed)):
                tracker.log({"loss": value}, step=step)
    return root


@pytest.fixture(scope="module")
def runs(root: Path) -> vizkit.Runs:
    return vizkit.load(root / "log")


@pytest.fixture(scope="module")
def outputs(root: Path, runs: vizkit.Runs) -> list[str]:
    """The HTML of each cell that has some, as a kernel gave it out."""
    empty: dict[str, object] = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    cells = [{**empty, "source": cell} for cell in CELLS]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    (root / "charts.ipynb").write_text(json.dumps(notebook), "utf-8")
    data = [
        output.get("data", {}) for cell in executed(root / "charts.ipynb").cells for output in cell.outputs
    ]
    return [str(one["text/html"]) for one in data if "text/html" in one]


class Cells:
    """A page with the outputs of cells."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def plot(self, number: int = 0) -> Locator:
        """The drawing of a chart, once it is there."""
        plot = self.page.locator(".plot").nth(number)
        until(lambda: plot.count() > 0 and bool(plot.evaluate("plot => !!plot.chart")), "it is drawn")
        return plot

    def lines(self, number: int = 0) -> dict[str, dict[str, Any]]:
        found = {line.pop("name"): line for line in self.plot(number).evaluate(_LINES)}
        for line in found.values():
            line["y"] = [float(value) for value in line["y"]]
            line["smooth"] = line["smooth"] and [float(value) for value in line["smooth"]]
        return found

    def shown(self, axis: str) -> list[float]:
        ends: list[float] = self.plot().evaluate("(plot, axis) => plot.chart.shown()[axis]", axis)
        return ends

    def until_shown(self, axis: str, condition: Callable[[list[float]], bool]) -> None:
        until(lambda: condition(self.shown(axis)), f"{axis} is as it should be")

    def render(self, html: str) -> None:
        self.page.locator("#cell").evaluate(_RENDER, html)


Open = Callable[..., AbstractContextManager[Cells]]


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Open:
    """Open outputs in a page; on leaving, assert that nothing was asked for and nothing went wrong."""

    @contextmanager
    def opened(*outputs: str, page: str = "", **options: Any) -> Iterator[Cells]:  # noqa: ANN401 of the context
        content = page or f"<!doctype html><title>notebook</title><body><div id=cell></div>{''.join(outputs)}"
        file = tmp_path / "page.html"
        file.write_text(content, "utf-8")
        context = chromium.new_context(viewport={"width": 1000, "height": 800}, **options)
        shown, faults = context.new_page(), []
        shown.on("console", lambda message: faults.append(message.text))
        shown.on("pageerror", lambda error: faults.append(str(error)))
        shown.on("request", lambda request: faults.append(request.url))
        shown.goto(file.as_uri())
        try:
            yield Cells(shown)
            assert faults == [file.as_uri()]
        finally:
            context.close()

    return opened


def test_what_a_kernel_gave_out_is_drawn_whole(opened: Open, outputs: list[str]) -> None:
    whole, thinned, followed = outputs
    with opened(whole, thinned, followed) as cells:
        for seed in range(3):
            line = cells.lines(0)[f"run{seed}"]
            np.testing.assert_array_equal(line["y"], values(seed))
            assert line["x"] == list(range(N))
        cells.plot(1)
        expect(cells.page.get_by_text("Long curves are here as the least and greatest of")).to_have_count(1)
        for seed in range(3):
            y = np.array(cells.lines(1)[f"run{seed}"]["y"])
            assert len(y) < N
            assert (np.nanmin(y), np.nanmax(y)) == (np.nanmin(values(seed)), np.nanmax(values(seed)))
        assert cells.lines(2)["later"]["y"] == [step / 50 for step in range(50)]
        expect(cells.page.locator(".status")).to_contain_text("later, finished")


def test_a_spike_is_on_the_screen(opened: Open, runs: vizkit.Runs) -> None:
    with opened(runs[0].chart("loss", points=1000).html) as cells:
        drawn = cells.plot().evaluate(
            """plot => {
                const [left, top] = plot.chart.place(1234, 299);
                const canvas = plot.querySelector('canvas'), over = plot.querySelector('.u-over');
                const [own, around] = [canvas.getBoundingClientRect(), over.getBoundingClientRect()];
                const ratio = canvas.width / own.width;
                const x = (around.left - own.left + left) * ratio, y = (around.top - own.top + top) * ratio;
                const {data} = canvas.getContext('2d').getImageData(x - 3, y, 7, 1);
                return data.some((value, at) => at % 4 === 3 && value > 100);
            }"""
        )
        assert drawn


def test_it_is_zoomed_read_and_smoothed(opened: Open, runs: vizkit.Runs) -> None:
    with opened(runs.chart("loss", log="x").html) as cells:
        plot = cells.plot()
        cells.page.get_by_label("Logarithmic x").uncheck()
        cells.until_shown("x", lambda ends: ends == [0, N - 1])
        drag(cells.page, at(plot, 0.25, 0.5), at(plot, 0.5, 0.5))
        cells.until_shown("x", lambda ends: 900 < ends[0] < 1100 and 1900 < ends[1] < 2100)
        cells.page.mouse.dblclick(*at(plot, 0.5, 0.5))
        cells.until_shown("x", lambda ends: ends == [0, N - 1])
        cells.page.mouse.move(*at(plot, 0.5, 0.5))
        tooltip = cells.page.locator(".tooltip")
        (step,) = re.findall(r"Step (\d+)", tooltip.inner_text())
        for seed in range(3):
            row = tooltip.locator("tr").filter(has_text=f"run{seed}")
            assert float(row.locator("td").nth(1).inner_text()) == values(seed)[int(step)]
        cells.page.get_by_label("Smoothing").fill("0.9")
        until(lambda: bool(cells.lines()["run1"]["smooth"]), "it is smoothed")
        expected = smoothed(np.array(values(1)), smoothing(0.9))
        np.testing.assert_allclose(cells.lines()["run1"]["smooth"], expected, rtol=1e-9)


def test_the_legend_hides(opened: Open, runs: vizkit.Runs) -> None:
    with opened(runs.chart("loss").html) as cells:
        cells.plot()
        entry = cells.page.get_by_role("button", name="run1")
        entry.press("Enter")  # as a click
        until(lambda: list(cells.lines()) == ["run0", "run2"], "it is hidden")
        expect(entry).to_have_attribute("aria-pressed", "false")
        entry.click(modifiers=["Alt"])
        until(lambda: list(cells.lines()) == ["run1"], "all others are hidden")
        entry.click(modifiers=["Alt"])
        until(lambda: len(cells.lines()) == 3, "all are there again")


def test_keys_act_on_the_chart_and_not_on_the_notebook(opened: Open, runs: vizkit.Runs) -> None:
    with opened(runs.chart("loss").html) as cells:
        cells.page.evaluate("() => document.addEventListener('keydown', () => document.title = 'heard')")
        cells.plot().focus()
        cells.page.keyboard.press("ArrowRight")
        expect(cells.page.locator(".tooltip")).to_be_visible()
        cells.page.keyboard.press("+")
        cells.until_shown("x", lambda ends: ends[1] - ends[0] < N - 1)
        cells.page.keyboard.press("0")
        cells.until_shown("x", lambda ends: ends == [0, N - 1])
        assert cells.page.title() == "notebook"


def test_it_is_as_dark_as_the_notebook(opened: Open, runs: vizkit.Runs) -> None:
    with opened(runs.chart("loss").html) as cells:
        light = cells.lines()["run0"]["color"]
        cells.page.evaluate(_DARK)
        until(lambda: cells.lines()["run0"]["color"] != light, "it is dark")
        expect(cells.page.locator(".vizkit")).to_have_attribute("data-theme", "dark")
    with opened(runs.chart("loss").html, color_scheme="dark") as cells:  # a light notebook on a dark system
        cells.page.evaluate("() => document.body.style.background = 'white'")
        until(lambda: cells.lines()["run0"]["color"] == light, "it is light")


def test_groups_have_means_and_bands(opened: Open, runs: vizkit.Runs) -> None:
    with opened(runs.chart("loss", by="lr", band="minmax").html) as cells:
        assert list(cells.lines()) == ["lr = 0", "lr = 1"]
        band = cells.plot().evaluate("plot => [...plot.chart.lines[0].band.high].map(String)")
        expected = np.fmax(values(0), values(2))
        np.testing.assert_array_equal([float(value) for value in band], expected)
        expect(cells.page.get_by_text("least and greatest", exact=True)).to_be_visible()


def test_names_do_not_break_out(opened: Open, tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "log" / "run", hparams={HOSTILE: HOSTILE}) as tracker:
        for step in range(5):
            tracker.log({HOSTILE: step}, step=step)
    runs = vizkit.load(tmp_path / "log")
    chart = runs.chart("*", by=HOSTILE)
    with opened(chart.html) as cells:
        cells.plot()
        expect(cells.page.get_by_role("button", name=HOSTILE).first).to_be_visible()
        assert cells.page.title() == "notebook"
    chart.save(tmp_path / "chart.html")
    with opened(page=(tmp_path / "chart.html").read_text("utf-8")) as cells:
        cells.plot()
        assert cells.page.title() == chart.title != "gone"


def test_it_speaks_chinese(opened: Open, runs: vizkit.Runs) -> None:
    with speaking("zh"):
        chart = runs.chart("loss")
    with opened(chart.html) as cells:
        cells.plot()
        expect(cells.page.get_by_label("纵轴对数")).to_be_visible()


def test_without_scripts_there_is_a_table(opened: Open, runs: vizkit.Runs) -> None:
    with opened(runs.chart("loss").html, java_script_enabled=False) as cells:
        expect(cells.page.get_by_role("row")).to_have_count(4)
        expect(cells.page.get_by_role("rowheader", name="run2")).to_be_visible()


def test_the_table_is_there_for_those_who_do_not_see(opened: Open, runs: vizkit.Runs) -> None:
    with opened(runs.chart("loss").html) as cells:
        assert "loss: 3 runs, run0 " in (cells.plot().get_attribute("aria-label") or "")
        expect(cells.page.get_by_role("rowheader", name="run2")).to_be_hidden()
        cells.page.get_by_text("Values as a table").press("Enter")
        expect(cells.page.get_by_role("rowheader", name="run2")).to_be_visible()


def test_a_followed_chart_keeps_its_zoom(opened: Open, tmp_path: Path) -> None:
    def view(runs: vizkit.Runs, ended: bool) -> str:
        html = _view(runs, None, Options(points=1000, quick=True), "abc", ended).html
        assert html is not None
        return html

    with vizkit.Tracker(tmp_path / "run", metrics=["loss"]) as tracker:
        for step in range(100):
            tracker.log({"loss": float(step)}, step=step)
        runs = vizkit.load(tmp_path / "run")
        with opened() as cells:
            cells.render(view(runs, False))
            plot = cells.plot()
            plot.evaluate("plot => plot.first = true")
            drag(cells.page, at(plot, 0.2, 0.5), at(plot, 0.4, 0.5))
            cells.until_shown("x", lambda ends: 15 < ends[0] < 25 and 35 < ends[1] < 45)
            zoomed = cells.shown("x")
            expect(cells.page.locator(".live")).to_be_visible()
            for step in range(100, 200):
                tracker.log({"loss": float(step)}, step=step)
            runs.refresh()
            cells.render(view(runs, False))
            until(lambda: len(cells.lines()["run"]["x"]) == 200, "the new points are there")
            assert cells.shown("x") == zoomed and cells.plot().evaluate("plot => plot.first")
            cells.render(view(runs, True))
            expect(cells.page.locator(".live")).to_have_count(0)
            assert cells.shown("x") == zoomed and cells.plot().evaluate("plot => plot.first")
            cells.page.get_by_role("button", name="Reset zoom").click()
            cells.until_shown("x", lambda ends: ends == [0, 199])
            # A second view of the same output has a chart of its own.
            cells.page.evaluate("() => document.body.insertAdjacentHTML('beforeend', '<div id=other></div>')")
            cells.page.locator("#other").evaluate(_RENDER, view(runs, True))
            until(lambda: cells.page.locator(".plot").count() == 2, "it is there twice")
            assert cells.plot(0).evaluate("plot => plot.first") and cells.lines(1)["run"]["x"][-1] == 199
