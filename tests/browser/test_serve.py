"""Every page of VisualDL over `vizkit.serve`, on logs of VizKit and of stock VisualDL, in both languages.

One page is opened for a log, and its menu leads from test to test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

import vizkit

from . import checks
from .conftest import watched
from .sample_log import RUNS
from .served_logs import PROFILED_STEPS, write_logs
from .visualdl_page import VisualDLPage

pytestmark = pytest.mark.browser

IN_ORDER = [RUNS[3], *RUNS[:3]]  # the natural order of their paths: lenet/seed1, run1, run2, run10
STAGE_COLOURS = ((41, 50, 225), (0, 204, 136), (152, 30, 255))
PEAK_COLOUR = (6, 107, 255)
BY_NAME = {run.display_name or run.name: run for run in IN_ORDER}


@dataclass
class Served:
    """A served log, and the page that is open on it.

    Attributes:
        writer: who wrote the log.
        origin: where it is served.
        locale: the browser's.
        page: the page, None before it is opened.
    """

    writer: str
    origin: str
    locale: str
    page: VisualDLPage | None = None

    @property
    def tabs(self) -> list[str]:
        """The paths that the menu leads to, in its order."""
        tabs = ["scalar", "sample/image", "sample/text", "sample/audio", "histogram", "hyper-parameter"]
        tabs += ["pr-curve", "roc-curve", "high-dimensional", "graph/dynamic_graph", "profiler"]
        return [*tabs, "graph/static_graph"] if self.writer == "stock" else tabs


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Served]]:
    ours, stock, model = write_logs(tmp_path_factory.mktemp("served"))
    with vizkit.serve(ours) as first, vizkit.serve(stock, model=model) as second:
        yield {
            "vizkit": Served("vizkit", f"http://127.0.0.1:{first.port}", "en-US"),
            "stock": Served("stock", f"http://127.0.0.1:{second.port}", "zh-CN"),
        }


@pytest.fixture(scope="module", params=["vizkit", "stock"], ids=["log of vizkit-en", "log of stock-zh"])
def served(logs: dict[str, Served], request: pytest.FixtureRequest) -> Served:
    return logs[request.param]


Show = Callable[[str], AbstractContextManager[VisualDLPage]]


@pytest.fixture
def show(chromium: Browser, served: Served, request: pytest.FixtureRequest) -> Show:
    """Go to a tab by the menu; on leaving, assert that nothing went wrong."""

    @contextmanager
    def show(path: str) -> Iterator[VisualDLPage]:
        if served.page is None:
            context = chromium.new_context(locale=served.locale, viewport={"width": 1400, "height": 1000})
            served.page = VisualDLPage(context.new_page(), served.origin)
            served.page.open("index")
            served.page.page.wait_for_url("**/app/scalar")
        page, served.page = served.page, None  # what fails is not shown again
        with watched(page, f"serve-{request.node.name}"):
            go_to(page, path)
            yield page
            page.until(lambda: not page.spins(), "nothing is loading")
        served.page = page

    return show


def go_to(page: VisualDLPage, path: str) -> None:
    """Click a tab, or one in the menu that unfolds under another."""
    link = page.page.locator(f"a[href='/app/{path}']")
    page.page.locator("nav .nav-text").first.wait_for()
    if not link.count():
        page.unfold_menus()
    link.first.evaluate("link => link.click()")  # a menu that has folded again keeps its links
    page.page.mouse.move(700, 990)  # off the menu
    page.page.wait_for_url(f"**/app/{path}")


def test_there_is_a_tab_for_what_there_is_and_scalars_are_first(show: Show, served: Served) -> None:
    with show("scalar") as page:
        tabs = page.tabs()
        assert tabs[0] == "scalar"
        assert sorted(tabs) == sorted(served.tabs)
        page.runs(len(RUNS))


def test_scalars(show: Show) -> None:
    with show("scalar") as page:
        checks.check_scalars(page, BY_NAME)
        assert list(page.runs(len(RUNS))) == list(BY_NAME)


def test_images(show: Show) -> None:
    with show("sample/image") as page:
        checks.check_images(page, BY_NAME)
        assert list(page.runs(len(RUNS))) == list(BY_NAME)


def test_texts(show: Show) -> None:
    with show("sample/text") as page:
        checks.check_texts(page, BY_NAME)
        assert list(page.runs(len(RUNS))) == list(BY_NAME)


def test_audio(show: Show) -> None:
    with show("sample/audio") as page:
        checks.check_audio(page, BY_NAME)
        assert list(page.runs(len(RUNS))) == list(BY_NAME)


def test_histograms(show: Show) -> None:
    with show("histogram") as page:
        checks.check_histograms(page, BY_NAME)
        assert list(page.runs(len(RUNS))) == list(BY_NAME)


def test_hyper_parameter_table(show: Show, served: Served) -> None:
    with show("hyper-parameter") as page:
        names = checks.check_table(page, BY_NAME, exact=served.writer == "vizkit")
        assert names == list(BY_NAME)


def test_parallel_coordinates(show: Show) -> None:
    with show("hyper-parameter") as page:
        checks.check_parallel_coordinates(page, IN_ORDER)


def test_scatter_plots(show: Show) -> None:
    with show("hyper-parameter") as page:
        checks.check_scatter_plots(page, IN_ORDER)


@pytest.mark.parametrize("kind", ["pr", "roc"])
def test_curves(show: Show, served: Served, kind: str) -> None:
    with show(f"{kind}-curve") as page:
        checks.check_curves(page, BY_NAME, kind, stock_rates=served.writer == "stock")
        assert list(page.runs(len(RUNS))) == list(BY_NAME)


def test_embeddings(show: Show) -> None:
    with show("high-dimensional") as page:
        names = checks.check_embeddings(page, {f"{name}/features": run for name, run in BY_NAME.items()})
        assert names == [f"{name}/features" for name in BY_NAME]


def test_model_graph(show: Show) -> None:
    with show("graph/dynamic_graph") as page:
        checks.check_graph(page)


def test_model_file(show: Show, served: Served) -> None:
    if "graph/static_graph" in served.tabs:  # else there is no tab, as asserted above
        with show("graph/static_graph") as page:
            # The frame cannot be asked: it turns `eval` off. Operators have blue names.
            page.until_drawn(page.page.locator("iframe"), [(153, 190, 255)], pixels=1000)


def choose_view(page: VisualDLPage, view: str) -> None:
    """Choose one of the profiler's views, which are all that it offers."""
    choice = page.page.locator("aside .list", has=page.page.locator("[title='Operator']")).locator("[title]")
    choice.first.wait_for(state="attached")
    assert choice.all_text_contents() == ["Overview", "Operator", "Memory"]
    page.until(lambda: not page.spins(), "the first view is there")
    choice.filter(has_text=view).evaluate("choice => choice.click()")


def test_profiler_overview(show: Show) -> None:
    with show("profiler") as page:
        choose_view(page, "Overview")
        page.page.locator("canvas").nth(6).wait_for()
        for title in ("Configuration-details", "Device-Details", "time-consuming", "training-step-time"):
            expect(page.page.get_by_text(page.word("profiler", title), exact=True)).to_be_visible()
        expect(page.page.get_by_text(page.word("profiler", "NoGPUdata")).first).to_be_visible()
        # A column a step, of forward, backward and other time, each in its colour.
        page.until_drawn(page.page.locator("canvas").nth(2), STAGE_COLOURS, pixels=500)


def test_profiler_operators(show: Show) -> None:
    with show("profiler") as page:
        choose_view(page, "Operator")
        row = page.page.locator("tbody tr", has_text="matmul dygraph").first
        expect(row.locator("td").nth(1)).to_have_text(str(PROFILED_STEPS))


def test_profiler_memory(show: Show) -> None:
    with show("profiler") as page:
        choose_view(page, "Memory")
        expect(page.page.locator("table")).to_have_count(2)
        row = page.page.locator("table").last.locator("tbody tr", has_text="matmul dygraph")
        expect(row.locator("td").nth(2)).to_have_text(str(PROFILED_STEPS))  # each step allocates once
        page.until_drawn(page.page.locator("canvas").first, [PEAK_COLOUR], pixels=200)


def test_curves_that_rest_come_from_the_server_once(
    context_of: Callable[[str], BrowserContext], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However slow the browser is: answers are kept for as long as the test may take."""
    kept_long = (("Cache-Control", "private, max-age=3600"),)
    monkeypatch.setattr("vizkit.server.visualdl.api.scalar_page._CACHED_BRIEFLY", kept_long)
    for run in range(5):
        with vizkit.LogWriter(tmp_path / f"run{run}") as writer:
            writer.add_scalar("loss", 1.0, 0, walltime=1_700_000_000_000)
            writer.add_scalar("loss", 0.5, 1, walltime=1_700_000_060_000)
    with vizkit.serve(tmp_path) as server:
        page = VisualDLPage(context_of("en-US").new_page(), f"http://127.0.0.1:{server.port}")
        page.page.add_init_script("performance.setResourceTimingBufferSize(1000)")
        page.open("scalar")
        page.charts(1, filled=10)  # smoothed, and as recorded
        entries = page.page.evaluate(
            """performance.getEntriesByType('resource').filter(entry => entry.name.includes('/scalar/list'))
            .map(entry => [entry.name, entry.transferSize])"""
        )
        page.page.close()
    sizes: dict[str, list[int]] = {}
    for url, size in entries:
        sizes.setdefault(url, []).append(size)
    assert len(sizes) == 5
    for of_one in sizes.values():  # the page asks twice or, on a slow machine, more often
        assert len(of_one) >= 2 and 0 in of_one[1:]
