"""VizKit's workspace as a browser shows it: what its charts hold, and a log of nine runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import numpy as np
from playwright.sync_api import Locator, Page, Response

import vizkit

from .visualdl_page import VisualDLPage

HOSTILE = "<img src=x onerror=document.title=1>'&amp; a&b?#+ 🌡 " + "long" * 30
RUNS = [f"batch{batch_size}-{seed}" for batch_size in (32, 64, 128) for seed in range(3)]
_LINES = """figure => figure.querySelector('.plot').chart.lines.map(line => ({
    name: line.name, color: line.color, x: [...line.x], y: [...line.y].map(String),
    smooth: line.smooth && [...line.smooth.y], low: line.band && [...line.band.low],
    high: line.band && [...line.band.high], counts: line.counts && [...line.counts]}))"""


class Workspace(VisualDLPage):
    """The workspace, and what its charts hold."""

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self._faults.append(f"HTTP {response.status}: {response.url}")

    def go(self, query: str = "") -> None:
        self.open(f"../vizkit/{query}")

    def panel(self, tag: str) -> Locator:
        """The panel of a tag, once it is drawn."""
        panel = self.page.locator(f'figure.panel[aria-label="{tag}"]')
        panel.scroll_into_view_if_needed()
        self.until(
            lambda: panel.get_attribute("data-busy") == "0" and self.has_chart(panel), f"{tag} is drawn"
        )
        return panel

    def has_chart(self, panel: Locator) -> bool:
        return bool(panel.evaluate("figure => !!figure.querySelector('.plot').chart"))

    def lines(self, tag: str) -> dict[str, dict[str, Any]]:
        """Name -> what the chart of a tag holds of a curve; numbers as Python has them."""
        found = {line.pop("name"): line for line in self.panel(tag).evaluate(_LINES)}
        for line in found.values():
            line["y"] = [float(value) for value in line["y"]]
        return found

    def shown(self, tag: str) -> dict[str, list[float]]:
        shown: dict[str, list[float]] = self.panel(tag).evaluate(
            "f => f.querySelector('.plot').chart.shown()"
        )
        return shown

    def query(self) -> dict[str, list[str]]:
        """The page's address."""
        return parse_qs(urlsplit(self.page.url).query)

    def listed(self) -> list[str]:
        return self.page.locator("aside .name").all_inner_texts()

    def until_listed(self, names: list[str]) -> None:
        self.until(lambda: self.listed() == names, f"{names} are listed")


Look = Callable[..., AbstractContextManager[Workspace]]
"""The fixture `look` of a test."""


def write_run(directory: Path, batch_size: int, seed: int) -> None:
    hparams = {"batch size": batch_size, "seed": seed, "learning rate": 10.0 ** -(1 + seed)}
    with vizkit.Tracker(directory, hparams=hparams, metrics=["train/loss", "eval/acc"]) as tracker:
        for step in range(100):
            loss = math.exp(-step / batch_size) + 0.05 * seed
            tracker.log({"train/loss": loss, "eval/acc": 1 - loss / 2}, step=step)
            if step % 20 == 0:
                tracker.log_text("notes", f"step {step}\nof <b>{batch_size}</b>", step=step)
        for step in range(0, 100, 50 if seed else 20):
            tracker.log_image("input", np.full((8, 8, 3), step * 2, np.uint8), step=step)
        tracker.log_histogram("weights", np.arange(100.0), step=0)
        tracker.log_histogram("weights", np.arange(100.0) * 2, step=50)
        labels = np.arange(40) % 2
        tracker.log_pr_curve("pr", labels=labels, predictions=(labels + np.arange(40) / 40) / 2, step=99)


class Served(NamedTuple):
    log: Path
    origin: str


@contextmanager
def serving(log: Path, *, edit: bool = False) -> Iterator[Served]:
    with vizkit.serve(str(log), port=0, edit=edit) as server:
        yield Served(log, server.url.split("/vizkit/")[0])


def at(panel: Locator, x: float, y: float) -> tuple[float, float]:
    """A place in a panel's drawing, as shares of its width and height from its top left corner."""
    box = panel.locator(".u-over").bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()
