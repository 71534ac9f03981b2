"""The served page while its log changes, and with names that are meant to break it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

import vizkit

from .conftest import Visit
from .visualdl_page import VisualDLPage

pytestmark = pytest.mark.browser

POLL = 31_000  # ms: the first comes after 30 s

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "\"quoted' & <b>bold<!--",
    "100%25 {{x}} ${y}",
    "训练 🚀 loss",
    "<script>alert(1)<",
)


def tag_of(name: str) -> str:
    """VizKit takes no ``%`` in a tag."""
    return name.replace("%", "_")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("live") / "log"
    for number, name in enumerate(HOSTILE):
        with vizkit.LogWriter(root / f"hostile{number}", display_name=name) as writer:
            tag = tag_of(name)
            writer.add_hparams({name: name}, [f"{tag}/metric"])
            writer.add_scalar(f"{tag}/metric", 0.5, 0)
            writer.add_scalar(f"{tag}/metric", 0.25, 1)
            writer.add_text(f"{tag}/text", f"{name}<script>alert(1)</script>", 0)
    return root


@pytest.fixture(scope="module")
def origin(log: Path) -> Iterator[str]:
    with vizkit.serve(log) as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.fixture
def live(tmp_path: Path, context_of: Callable[[str], BrowserContext]) -> Iterator[tuple[Path, VisualDLPage]]:
    """A log with a run, and its page of scalars, whose clock can be moved."""
    with vizkit.LogWriter(tmp_path / "log/first") as writer:
        writer.add_scalar("train/loss", 1.0, 0)
        writer.add_scalar("train/loss", 0.5, 1)
    with vizkit.serve(tmp_path / "log") as server:
        page = VisualDLPage(context_of("en-US").new_page(), f"http://127.0.0.1:{server.port}")
        page.page.clock.install()
        page.open("scalar")
        page.charts(1, filled=2)
        yield tmp_path / "log", page
        assert page.faults() == []
        page.page.close()


def until_answered(page: VisualDLPage, path: str, holds: Callable[[object], bool]) -> None:
    """Wait until the server has read what was written."""
    url = page.page.url.replace("/scalar", f"/api/{path}")
    page.until(lambda: holds(page.page.request.get(url).json()["data"]), f"{path} is answered")


def steps(page: VisualDLPage) -> dict[str, list[float]]:
    """The steps that the one chart draws of each run."""
    (chart,) = page.charts(1, filled=1)
    return {series["name"]: [row[1] for row in series["data"]] for series in chart["series"]}


def test_records_and_runs_appear_at_the_next_poll_and_leave(live: tuple[Path, VisualDLPage]) -> None:
    log, page = live
    assert steps(page) == {"first": [0, 1]}
    with vizkit.LogWriter(log / "first") as writer:
        writer.add_scalar("train/loss", 0.25, 2)
    with vizkit.LogWriter(log / "second") as writer:
        writer.add_scalar("train/loss", 2.0, 0)
    until_answered(page, "scalar/tags", lambda data: len(data["runs"]) == 2)  # type: ignore[index]
    until_answered(page, "scalar/list?run=first&tag=train/loss", lambda data: len(data) == 3)  # type: ignore[arg-type]
    page.page.clock.fast_forward(POLL)
    assert list(page.runs(2)) == ["first", "second"]
    page.until(lambda: steps(page) == {"first": [0, 1, 2]}, "the new record is drawn")
    page.page.locator(".run-list .run-item", has_text="second").click()  # the page leaves it to the user
    page.until(lambda: steps(page) == {"first": [0, 1, 2], "second": [0]}, "the new run is drawn")

    shutil.rmtree(log / "first")
    until_answered(page, "scalar/tags", lambda data: data["runs"] == ["second"])  # type: ignore[index]
    page.page.clock.fast_forward(POLL)
    assert list(page.runs(1)) == ["second"]
    page.until(lambda: steps(page) == {"second": [0]}, "the run has left the chart")


def nothing_was_run(page: VisualDLPage) -> None:
    """No name has become an element of the page."""
    assert page.page.locator("img[src=x], b").count() == 0
    assert page.page.locator("script", has_text="alert(1)").count() == 0


def test_hostile_names_are_shown_as_they_are(visit: Visit) -> None:
    with visit("scalar") as page:
        page.page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
        assert list(page.runs(len(HOSTILE))) == list(HOSTILE)
        for group in page.page.locator("h3").all()[1:]:
            group.click()
        charts = page.charts(len(HOSTILE), filled=2)
        tags = [f"{tag_of(name)}/metric" for name in HOSTILE]
        assert sorted(chart["title"] for chart in charts) == sorted(tags)
        for chart in page.page.locator(".echarts canvas").all():
            chart.hover()  # the tooltip is HTML
            page.page.wait_for_timeout(100)
        nothing_was_run(page)


def test_hostile_texts_are_shown_as_they_are(visit: Visit) -> None:
    with visit("sample/text") as page:
        page.page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
        page.runs(len(HOSTILE))
        for group in page.page.locator("h3").all()[1:]:
            group.click()
        texts = page.page.locator("article .text")
        page.until(lambda: texts.count() == len(HOSTILE), "all texts are shown")
        expected = sorted(f"{name}<script>alert(1)</script>" for name in HOSTILE)
        page.until(lambda: sorted(texts.all_inner_texts()) == expected, f"{expected} are shown")
        nothing_was_run(page)


def test_hostile_hyper_parameters_are_shown_as_they_are(visit: Visit) -> None:
    with visit("hyper-parameter") as page:
        page.page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
        rows = page.page.get_by_role("table").locator(".tbody").get_by_role("row")
        page.until(lambda: rows.count() == len(HOSTILE), "all runs are in the table")
        names = [row.get_by_role("cell").first.inner_text() for row in rows.all()]
        assert names == list(HOSTILE)
        nothing_was_run(page)
