"""Stock VisualDL, started as a user starts it, and its page as a browser shows it."""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import ConsoleMessage, Error, Locator, Page, Request, Response, expect

from tests.helpers import PATIENCE, until

# What stock's page asks for and stock does not have: faults of VisualDL 2.5.3, not of the log.
STOCK_FAULTS = ("/app/icons/dragger.svg",)

BROWSER_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--mute-audio",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]

# The page's own ECharts module holds the charts that it has drawn.
_CHARTS = """async () => {
    const [base] = document.querySelector('script[src*="/_dist_/"]').src.split('/_dist_/');
    const echarts = await import(`${base}/__snowpack__/pkg/echarts.js`);
    return [...document.querySelectorAll('.echarts')]
        .map(element => echarts.getInstanceByDom(element)?.getOption())
        .filter(option => option)
        .map(option => ({
            title: option.title[0].text,
            series: option.series
                .filter(one => one.data?.length)
                .map(one => ({name: one.name ?? '', data: one.data})),
        }));
}"""

_SPINS = """() => !!document.querySelector('animate') || document.getAnimations()
    .some(one => one.effect.getTiming().iterations === Infinity)"""


@cache
def _words(language: str, namespace: str) -> dict[str, Any]:
    """The page's own texts, nested."""
    package = files("visualdl")
    texts = (package / f"server/dist/locales/{language}/{namespace}.json").read_text("utf-8")
    words: dict[str, Any] = json.loads(texts)
    return words


class Series(TypedDict):
    """One drawn series: a run's name (or nothing) and its rows."""

    name: str
    data: list[list[float]]


class Chart(TypedDict):
    """One drawn chart."""

    title: str
    series: list[Series]


@contextmanager
def serve(cwd: Path, logdir: str = "log") -> Iterator[str]:
    """Run stock ``visualdl --logdir LOGDIR`` in ``cwd`` and yield its origin.

    The directory is relative, as in the documentation. With an absolute one VisualDL 2.5.3
    caches the vectors and the labels of an embedding under one key, and draws neither.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "visualdl.server.app", "--logdir", logdir]
    command += ["--host", "127.0.0.1", "--port", str(port), "--disable-telemetry"]
    output = cwd / "visualdl.out"
    with output.open("wb") as stream:
        server = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_alive(server, port, output)
        yield f"http://127.0.0.1:{port}"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _wait_until_alive(server: subprocess.Popen[bytes], port: int, output: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/alive")
            if connection.getresponse().status == http.HTTPStatus.NO_CONTENT:
                return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise RuntimeError(f"visualdl did not start:\n{output.read_text(errors='replace')[-2000:]}")


class VisualDLPage:
    """An open page of VisualDL that keeps a record of all that went wrong on it."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        page.set_default_timeout(1000 * PATIENCE)
        self.elsewhere: list[str] = []
        self._origin = origin
        self._faults: list[str] = []
        self._answers: list[Response] = []
        page.on("request", self._on_request)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._faults.append(f"page error: {error}"))
        page.on("requestfailed", self._on_failure)
        page.on("response", self._on_response)

    def open(self, path: str) -> None:
        self._read_answers()  # the browser drops them with the page
        self.page.goto(f"{self._origin}/app/{path}", wait_until="domcontentloaded")

    def _on_request(self, request: Request) -> None:
        # Only noted: the browser finds no other host, and a route would turn its cache off.
        if not request.url.startswith((f"{self._origin}/", "blob:", "data:")):
            self.elsewhere.append(request.url)

    def _on_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # what a page that was left had not loaded yet
            self._faults.append(f"{request.url}: {request.failure}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.location["url"].endswith(STOCK_FAULTS):
            self._faults.append(f"console: {message.text} ({message.location['url']})")

    def _on_response(self, response: Response) -> None:
        is_json = "json" in response.headers.get("content-type", "")
        if response.status >= 400 and not response.url.endswith(STOCK_FAULTS):
            self._faults.append(f"HTTP {response.status}: {response.url}")
        elif "/api/" in response.url and "/vizkit/" not in response.url and is_json:
            self._answers.append(response)

    def _read_answers(self) -> None:
        while self._answers:
            answer = self._answers.pop(0)
            try:
                body = answer.json()
            except Error:  # of a page that was left just then
                continue
            if body["status"] != 0:
                self._faults.append(f"API: {answer.url}: {body['msg']}")

    def faults(self) -> list[str]:
        """Everything that went wrong since the page was opened."""
        self._read_answers()
        return [
            *self._faults,
            *(f"request to another host: {url}" for url in self.elsewhere),
            *(f"toast: {text}" for text in self.page.locator(".Toastify__toast").all_inner_texts()),
        ]

    def word(self, namespace: str, *keys: str) -> str:
        """What the page calls something in its language."""
        words = _words(str(self.page.evaluate("navigator.language"))[:2], namespace)
        for key in keys:
            words = words[key]
        return str(words)

    def unfold_menus(self) -> None:
        """Unfold the tabs that have others under them; their links then stay in the document."""
        self.page.locator("nav .nav-text").first.wait_for()
        for menu in self.page.locator("nav .left [aria-expanded]").all():
            menu.hover()
            expect(menu).to_have_attribute("aria-expanded", "true")

    def tabs(self) -> list[str]:
        """The paths that the menu leads to, those that unfold under others included."""
        self.unfold_menus()
        links = self.page.locator("a[href^='/app/']:not([href='/app/index'])")
        paths = links.evaluate_all("links => links.map(link => link.getAttribute('href').slice(5))")
        self.page.mouse.move(700, 990)  # off the menu
        return list(dict.fromkeys(paths))

    def spins(self) -> bool:
        """True while anything is shown to be loading: an animation without an end."""
        return bool(self.page.evaluate(_SPINS))

    def runs(self, count: int) -> dict[str, tuple[int, ...]]:
        """The runs listed at the side, each with its colour; waits for ``count`` of them."""
        items = self.page.locator(".run-list .run-item")
        self.until(lambda: items.count() == count, f"{count} runs are listed")
        listed = items.evaluate_all(
            "items => items.map(i => [i.innerText, getComputedStyle(i.querySelector('i')).backgroundColor])"
        )
        return {name: tuple(map(int, re.findall(r"\d+", colour))) for name, colour in listed}

    def charts(self, count: int, filled: int) -> list[Chart]:
        """What ``count`` ECharts charts hold, once each has ``filled`` series with data."""
        charts: list[Chart] = []

        def filled_charts() -> bool:
            charts[:] = self.page.evaluate(_CHARTS)
            return len(charts) == count and all(len(chart["series"]) >= filled for chart in charts)

        self.until(filled_charts, f"{count} charts have {filled} series")
        return charts

    def pixels(self, element: Locator) -> NDArray[np.int64]:
        """What the screen shows of the element: its pixels, as rows of R, G, B."""
        image = Image.open(io.BytesIO(element.screenshot())).convert("RGB")
        return np.asarray(image, dtype=np.int64).reshape(-1, 3)

    def until_drawn(self, element: Locator, colours: Iterable[tuple[int, ...]], pixels: int = 30) -> None:
        """Wait until every colour covers at least so many pixels of the element."""
        wanted = list(colours)

        def drawn() -> bool:
            shown = self.pixels(element)
            return all((np.abs(shown - colour).max(axis=1) <= 16).sum() >= pixels for colour in wanted)

        self.until(drawn, f"the colours {wanted} are drawn")

    def until_inked(self, element: Locator, share: float) -> None:
        """Wait until so large a share of the element's pixels is not its background."""

        def inked() -> bool:
            shown = self.pixels(element)
            return bool((np.abs(shown - np.median(shown, axis=0)).max(axis=1) > 40).mean() >= share)

        self.until(inked, f"{share:.1%} of the pixels are drawn")

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for a condition, and fail with its description."""
        until(holds, what, lambda seconds: self.page.wait_for_timeout(1000 * seconds))
