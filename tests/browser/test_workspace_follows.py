"""What is shown follows what is chosen: a page that was changed shows what one that is loaded shows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import vizkit

from .workspace_page import Look, Served, Workspace, serving

pytestmark = pytest.mark.browser

CLASSES = {"a": ["cat", "dog"], "b": ["dog", "owl"], "c": ["cat", "dog", "owl"]}
_SHOWN = """() => ({
    text: document.getElementById('workspace').innerText,
    dots: [...document.querySelectorAll('#workspace i')].map(dot => getComputedStyle(dot).backgroundColor),
    lines: [...document.querySelectorAll('.plot')]
        .map(plot => plot.chart?.lines.map(line => [line.name, line.color])),
    drawings: [...document.querySelectorAll('canvas.drawing')].map(canvas => canvas.toDataURL()),
    strokes: [...document.querySelectorAll('#workspace svg *')]
        .map(one => [one.getAttribute('stroke'), one.getAttribute('fill')]),
    loads: !!document.querySelector('[data-busy="1"], [aria-busy="true"]'),
})"""
_GO = "query => { history.pushState(null, '', query || '?'); dispatchEvent(new PopStateEvent('popstate')); }"


@pytest.fixture(scope="module")
def animals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("animals") / "log"
    labels = np.arange(60) % 2
    for seed, (run, classes) in enumerate(CLASSES.items()):
        random = np.random.default_rng(seed)
        with vizkit.Tracker(root / run, system=False) as tracker:
            for name in classes:
                scores = (labels + random.random(60)) / 2
                tracker.log_pr_curve(f"eval/pr/{name}", labels=labels, predictions=scores, step=1)
    with serving(root) as served:
        yield served


def until_loaded_alike(page: Workspace, query: str) -> None:
    """Wait until the page shows what another one shows that is loaded from its address."""
    loaded = page.page.context.new_page()
    loaded.goto(page.page.url)
    try:
        page.until(lambda: not differing(page.page, loaded), f"{query} is as it is loaded")
    except BaseException:
        print(query, differing(page.page, loaded))
        raise
    finally:
        loaded.close()


def differing(*pages: Page) -> dict[str, list[Any]]:
    """What two pages show that differs, and what either has only begun to show."""
    one, other = (page.evaluate(_SHOWN) for page in pages)
    return {
        part: [one[part], other[part]]
        for part in one
        if one[part] != other[part] or (part == "loads" and one[part])
    }


@pytest.mark.parametrize(
    "query", ["", "?tab=media", "?tab=table", "?tab=compare&group=batch+size", "?run=batch32-0"]
)
def test_colours_follow_the_theme(look: Look, query: str) -> None:
    with look(query, viewport={"width": 1200, "height": 3000}) as page:
        page.page.get_by_label("Light or dark").click()
        until_loaded_alike(page, query)


def test_views_follow_the_address(look: Look) -> None:
    queries = ["?tab=media&at=20", "?tab=table&sort=best:eval/acc&desc=1", "?run=batch64-1", "?run=batch32-0"]
    queries += [
        "?panels=train/loss,eval/acc&ylog=1",
        "?full=train/loss,eval/acc&panels=train/loss,eval/acc",
        "?group=batch+size&x=time",
    ]
    with look("", viewport={"width": 1200, "height": 3000}) as page:
        for query in queries:
            page.page.evaluate(_GO, query)
            until_loaded_alike(page, query)


@pytest.mark.parametrize("query", ["", "?tab=media", "?tab=table", "?tab=compare&group=rate", "?run=a"])
def test_an_open_page_follows_runs_that_grow_come_and_go(look: Look, tmp_path: Path, query: str) -> None:
    log = tmp_path / "log"

    def write(run: str, first: int, tag: str) -> None:
        with vizkit.LogWriter(log / run, resume=True) as writer:
            writer.add_hparams({"rate": first / 10}, [tag])
            for step in range(first, first + 10):
                writer.add_scalar(tag, 1 / (step + 1), step)
            writer.add_image("input", np.full((8, 8, 3), first * 9, np.uint8), first)
            writer.add_text("notes", f"{run} {first}", first)

    write("a", 0, "loss")
    write("b", 0, "loss")
    viewport = {"width": 1200, "height": 2000}
    with serving(log) as served, look(query, served.origin, viewport=viewport) as page:
        until_loaded_alike(page, "two runs")
        write("a", 10, "loss")
        write("c", 20, "acc")
        until_loaded_alike(page, "three runs")
        shutil.rmtree(log / "b")
        until_loaded_alike(page, "two of them")


def curves(page: Workspace) -> list[str]:
    """Runs and classes of the curves that are shown."""
    rows = page.page.locator(".areas tbody tr").all_inner_texts()
    return [" ".join(row.split()[:2]) for row in rows]


def until_curves(page: Workspace, expected: list[str]) -> None:
    page.until(lambda: curves(page) == expected, f"{expected}, not {curves(page)}")


def test_runs_with_other_classes_than_the_first_are_shown(look: Look, animals: Served) -> None:
    with look("?tab=media", origin=animals.origin) as page:
        until_curves(page, ["a dog", "b dog", "c dog"])  # which most of them have
        figure = page.page.locator("figure.panel")
        figure.get_by_role("button", name="owl").click()
        figure.get_by_role("button", name="dog").click()
        until_curves(page, ["b owl", "c owl"])


def test_classes_follow_the_tags_that_are_wanted(look: Look, animals: Served) -> None:
    with look("?tab=media&tags=cat|dog&classes=cat", origin=animals.origin) as page:
        until_curves(page, ["a cat", "c cat"])
        tags = page.page.get_by_label("Select tags by a regular expression")
        tags.fill("dog|owl")
        until_curves(page, ["a dog", "b dog", "c dog"])
        expect(page.page.get_by_role("group", name="Classes").get_by_role("button")).to_have_text(
            ["dog", "owl"]
        )


def test_a_run_that_comes_brings_its_classes(look: Look, tmp_path: Path) -> None:
    labels = np.arange(60) % 2
    log = tmp_path / "log"

    def write(run: str, name: str) -> None:
        with vizkit.Tracker(log / run, system=False) as tracker:
            tracker.log_pr_curve(f"eval/pr/{name}", labels=labels, predictions=labels / 2, step=1)

    write("b", "dog")
    write("c", "owl")
    with serving(log) as served, look("?tab=media&classes=dog&classes=cat", origin=served.origin) as page:
        until_curves(page, ["b dog"])
        write("a", "cat")
        until_curves(page, ["a cat", "b dog"])


def test_a_space_that_is_typed_into_the_filter_stays(look: Look) -> None:
    with look() as page:
        field = page.page.get_by_label("Filter or search runs")
        field.press_sequentially("batch32 ")
        page.until_listed(["batch32-0", "batch32-1", "batch32-2"])
        expect(field).to_have_value("batch32 ")
