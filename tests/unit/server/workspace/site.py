"""A served log, and its pages read as a browser reads them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import httpx
import numpy as np

import vizkit
from tests.helpers import PATIENCE, until

VOID = {"meta", "link", "input", "br", "hr", "img"}


@dataclass
class Element:
    """A part of a document."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    content: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        parts = (part if isinstance(part, str) else part.text for part in self.content)
        return re.sub(r"\s+", " ", "".join(parts)).strip()

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """Those within it of a tag and with these attributes (``class_``: one of its classes), in order."""
        found = []
        for part in self.content:
            if isinstance(part, str):
                continue
            fits = not tag or part.tag == tag
            for name, value in attributes.items():
                given = part.attributes.get(name.rstrip("_"), "")
                fits = fits and (value in given.split() if name == "class_" else given == value)
            found += [part] * fits + part.all(tag, **attributes)
        return found

    def one(self, tag: str = "", **attributes: str) -> Element:
        (found,) = self.all(tag, **attributes)
        return found


class Document(HTMLParser):
    """Builds the tree, and fails where elements do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Element("")
        self._open = [self.root]
        self.feed(text)
        assert self._open == [self.root], f"{self._open[-1].tag} is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].content.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].content.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self._open[-1].content.append(data)


class Site:
    """A served log and what is read of its pages."""

    def __init__(self, logdir: Path) -> None:
        self.server = vizkit.serve(str(logdir))
        self.root = self.server.url.split("/app/")[0] + "/vizkit/"
        self.client = httpx.Client(timeout=PATIENCE)

    def get(self, path: str = "table", status: int = 200, **query: str | list[str]) -> Element:
        answer = self.client.get(urljoin(self.root, path), params=query or None)
        assert answer.status_code == status, answer.text
        return Document(answer.text).root

    def follow(self, link: Element) -> Element:
        return self.get(link.attributes["href"])

    def until(self, holds: Callable[[Element], bool], path: str = "table") -> Element:
        """The page once a condition holds."""
        pages: list[Element] = []

        def there() -> bool:
            pages.append(self.get(path))
            return holds(pages[-1])

        until(there)
        return pages[-1]

    def close(self) -> None:
        self.client.close()
        self.server.stop()


def write_runs(root: Path) -> None:
    for batch_size in (32, 64):
        for seed in range(3):
            hparams = {"batch size": batch_size, "seed": seed, "optimizer": "Adam", "rate": 0.1 * seed}
            with vizkit.Tracker(
                root / f"batch{batch_size}-{seed}", hparams=hparams, metrics=["train/loss", "eval/acc"]
            ) as tracker:
                for step in range(30):
                    loss = math.exp(-step / batch_size) + 0.01 * seed
                    shown = math.nan if (batch_size, step) == (64, 5) else loss
                    tracker.log({"train/loss": shown}, step=step)
                    tracker.log({"eval/acc": 1 - loss / 2 - 0.05 * (step == 29), "rate": 0.1}, step=step)
                tracker.log_text("notes", "first line\n<b>not bold</b>", step=3)


def names(page: Element) -> list[str]:
    """The runs in the page's table; none before there is one."""
    rows = [row for table in page.all("table", class_="runs") for row in table.one("tbody").all("tr")]
    return [row.one("a", class_="run").attributes["title"] for row in rows]


def cells(table: Element) -> list[list[str]]:
    return [[cell.text for cell in row.content if isinstance(cell, Element)] for row in table.all("tr")]


def places(path: Element) -> np.ndarray:
    """The points of a path of M, L, V and h0: (n, 2)."""
    out: list[tuple[float, float]] = []
    for letter, numbers in re.findall(r"([MLVh])([^MLVh]*)", path.attributes["d"].rstrip("Z")):
        parts = [float(part) for part in numbers.split()]
        if letter != "h":
            out.append((out[-1][0], parts[0]) if letter == "V" else (parts[0], parts[1]))
    return np.array(out)
