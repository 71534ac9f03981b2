"""Pages in a browser: servers of logs, frames while something moves, the memory of a tab."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = [
    "PATIENCE",
    "QUICK",
    "FrameTimes",
    "Serving",
    "frames_while",
    "heap_of",
    "opened_browser",
    "served",
    "vizkit_command",
]

QUICK = os.environ.get("VIZKIT_BENCH_QUICK") == "1"
"""True for a short run, whose figures only show that all of it works."""

PATIENCE = 45.0 if QUICK else 300.0  # seconds
_VIEW = {"width": 1600, "height": 1000}

# Times between frames, and tasks of the page's thread of more than 50 ms, from now on.
_WATCH = """() => {
    window.watched = {frames: [], tasks: [], stop: false};
    const observer = new PerformanceObserver(list => {
        for (const entry of list.getEntries()) window.watched.tasks.push(entry.duration);
    });
    observer.observe({type: 'longtask'});
    let last = performance.now();
    const frame = now => {
        window.watched.frames.push(now - last);
        last = now;
        if (!window.watched.stop) requestAnimationFrame(frame);
    };
    requestAnimationFrame(now => { last = now; requestAnimationFrame(frame); });
}"""


@dataclass(frozen=True)
class FrameTimes:
    """Milliseconds between frames, and of the tasks that took more than 50."""

    frames: list[float]
    tasks: list[float]

    def quantile(self, share: float) -> float:
        """Of the times between frames."""
        ordered = sorted(self.frames)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


@dataclass(frozen=True)
class Serving:
    """A server that answers.

    Attributes:
        origin: its address.
        seconds: from its start to its first answer.
        pid: its process.
    """

    origin: str
    seconds: float
    pid: int

    def cpu_and_memory(self) -> tuple[float, int]:
        """Seconds of CPU that its process has used, and bytes of memory that it holds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return cpu, int(fields[21]) * os.sysconf("SC_PAGE_SIZE")


def vizkit_command(logs: Path, port: int) -> list[str]:
    """What starts VizKit's server."""
    return [sys.executable, "-m", "vizkit", "serve", str(logs), "--port", str(port)]


@contextmanager
def served(
    command: Sequence[str], port: int, path: str = "/", patience: float = PATIENCE
) -> Iterator[Serving]:
    """Start a server, and wait until a path is answered.

    Raises:
        RuntimeError: it ended, or did not answer.
    """
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "NO_PROXY": "127.0.0.1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    origin, start = f"http://127.0.0.1:{port}", time.perf_counter()
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        while True:
            with suppress(URLError, OSError), urlopen(origin + path, timeout=patience):
                break
            if process.poll() is not None or time.perf_counter() - start > patience:
                raise RuntimeError(f"{command[2]} did not answer")
            time.sleep(0.01)
        yield Serving(origin, time.perf_counter() - start, process.pid)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """The machine's Chromium, or Playwright's."""
    from playwright.sync_api import sync_playwright

    names = [name for name in ("chromium", "chromium-browser", "google-chrome") if shutil.which(name)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which(names[0]) if names else None,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
            ],
        )
        yield browser
        browser.close()


def new_page(browser: Browser) -> Page:
    """A page without anything kept from others."""
    page = browser.new_context(viewport={"width": _VIEW["width"], "height": _VIEW["height"]}).new_page()
    page.set_default_timeout(PATIENCE * 1000)
    return page


@contextmanager
def frames_while(page: Page) -> Iterator[FrameTimes]:
    """Watch the frames of a page; they are there afterwards."""
    found = FrameTimes([], [])
    page.evaluate(_WATCH)
    yield found
    watched = page.evaluate("() => { window.watched.stop = true; return window.watched }")
    found.frames.extend(watched["frames"])
    found.tasks.extend(watched["tasks"])


def heap_of(page: Page) -> int:
    """Bytes of the page's objects, after its garbage was collected."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.enable")
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    used = int(session.send("Runtime.getHeapUsage")["usedSize"])
    session.detach()
    return used
