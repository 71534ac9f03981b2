"""Runs, tags and labels whose names are meant to break the served page, on every page that shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import pytest
from playwright.sync_api import Dialog, expect

import vizkit

from .conftest import Visit
from .sample_log import IMAGE, RUNS, SAMPLE_RATE
from .visualdl_page import VisualDLPage

pytestmark = pytest.mark.browser

NAMES = (
    "<img src=x onerror=alert(1)>",
    "\"quoted' & <b>bold<!--",
    "100%25 {{x}} ${y}",
    "训练 🚀 loss",
    "<script>alert(1)<",
    "?x=1&y=2#z+;",
    "a//b\\c/../d",
    "\u202eabc " + "long" * 60,
    "constructor",
)
LISTED = (*NAMES[:-1], "constructor/")  # a name that every JavaScript object knows would blank the page
SCRIPT = "<script>alert(1)</script>"


def tag_of(name: str) -> str:
    """VizKit takes no ``%`` in a tag."""
    return name.replace("%", "_")


def label_of(name: str) -> str:
    return f"{name}{SCRIPT}"


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("names") / "log"
    vectors = RUNS[0].features
    for number, name in enumerate(NAMES):
        with vizkit.LogWriter(root / f"run{number}", display_name=name) as writer:
            tag = tag_of(name)
            writer.add_hparams({name: name}, [f"{tag}/metric"])
            writer.add_scalar(f"{tag}/metric", 0.5, 0)
            writer.add_scalar(f"{tag}/metric", 0.25, 1)
            writer.add_text(f"{tag}/text", label_of(name), 0)
            writer.add_image(f"{tag}/image", IMAGE.copy(), 0)
            writer.add_audio(f"{tag}/audio", np.zeros(SAMPLE_RATE, np.float32), 0, SAMPLE_RATE)
            writer.add_histogram(f"{tag}/histogram", RUNS[0].weights(0), 0)
            writer.add_pr_curve(f"{tag}/curve", *RUNS[0].scores(0), 0, num_thresholds=20)
            writer.add_roc_curve(f"{tag}/roc", *RUNS[0].scores(0), 0, num_thresholds=20)
            writer.add_embeddings(f"{tag}/features", vectors, metadata=[label_of(name)] * len(vectors))
    with vizkit.serve(root) as server:
        yield f"http://127.0.0.1:{server.port}"


Look = Callable[[str], AbstractContextManager[VisualDLPage]]


@pytest.fixture
def look(visit: Visit) -> Look:
    """Open a page with all its groups unfolded; on leaving, assert that no name was run as code."""

    @contextmanager
    def look(path: str) -> Iterator[VisualDLPage]:
        with visit(path) as page:
            said: list[str] = []

            def hear(dialog: Dialog) -> None:
                said.append(dialog.message)
                dialog.dismiss()

            page.page.on("dialog", hear)
            if path not in ("hyper-parameter", "high-dimensional"):
                page.page.set_viewport_size({"width": 1400, "height": 5000})  # what is not seen is not loaded
                assert list(page.runs(len(NAMES))) == list(LISTED)
                groups = page.page.locator("h3")
                expect(groups).to_have_count(len(NAMES))
                groups.evaluate_all("groups => groups.slice(1).forEach(group => group.click())")
            yield page
            assert said == []
            assert page.page.locator("img[src=x], b").count() == 0
            assert page.page.locator("script", has_text="alert(1)").count() == 0
            page.until(lambda: not page.spins(), "nothing is loading")

    return look


@pytest.mark.parametrize(
    ("path", "tag", "series"),
    [
        ("scalar", "{tag}/metric", 2),
        ("histogram", "{tag}/histogram ({name})", 1),
        ("pr-curve", "{tag}/curve", 1),
        ("roc-curve", "{tag}/roc", 1),
    ],
)
def test_charts_have_names_as_they_are(look: Look, path: str, tag: str, series: int) -> None:
    with look(path) as page:
        charts = page.charts(len(NAMES), filled=series)
        titles = [tag.format(tag=tag_of(name), name=run) for name, run in zip(NAMES, LISTED, strict=True)]
        assert sorted(chart["title"] for chart in charts) == sorted(titles)
        for chart in page.page.locator(".echarts canvas").all():
            chart.hover()  # the tooltip is HTML
            page.page.wait_for_timeout(50)


def test_images_have_names_as_they_are(look: Look) -> None:
    with look("sample/image") as page:
        images = page.page.locator("article img")
        expect(images).to_have_count(len(NAMES))
        loaded = "images => images.every(image => image.naturalWidth)"
        page.until(lambda: bool(images.evaluate_all(loaded)), "images have loaded")
        headings = page.page.locator("article h4").all_text_contents()
        assert sorted(headings) == sorted(f"{tag_of(name)}/image" for name in NAMES)


def test_audio_has_names_as_they_are(look: Look) -> None:
    with look("sample/audio") as page:
        expect(page.page.locator(".time")).to_have_text(["00:00/00:01"] * len(NAMES))


def test_texts_are_shown_as_they_are(look: Look) -> None:
    with look("sample/text") as page:
        texts = page.page.locator("article .text")
        page.until(lambda: texts.count() == len(NAMES), "all texts are shown")
        expected = sorted(map(label_of, NAMES))
        page.until(lambda: sorted(texts.all_inner_texts()) == expected, f"{expected} are shown")


def test_hyper_parameters_have_names_as_they_are(look: Look) -> None:
    with look("hyper-parameter") as page:
        table = page.page.get_by_role("table")
        rows = table.locator(".tbody").get_by_role("row")
        expect(rows).to_have_count(len(NAMES))
        assert [row.get_by_role("cell").first.inner_text() for row in rows.all()] == list(LISTED)
        header = table.locator(".thead .th").all_text_contents()
        assert header == ["Trial ID", *LISTED, *(f"{tag_of(name)}/metric" for name in NAMES)]


def test_embeddings_have_names_as_they_are(look: Look) -> None:
    with look("high-dimensional") as page:
        page.until_inked(page.page.locator("article canvas").first, share=0.005)
        choice = page.page.locator("aside", has_text=page.word("high-dimensional", "select-data"))
        options = choice.locator(".list").first.locator("[title]").all_text_contents()
        pairs = zip(NAMES, LISTED, strict=True)
        assert options == [f"{run}/{tag_of(name)}/features" for name, run in pairs]
        page.page.locator("aside input[type=text]").first.fill(NAMES[0][:4])
        expect(page.page.get_by_text(label_of(NAMES[0])).first).to_be_visible()
