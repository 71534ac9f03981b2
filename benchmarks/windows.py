"""Windows of 100 runs of a million points: opening, opening again, zooms by many clients and in a browser."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
from numpy.typing import NDArray

from benchmarks._common import Goal, Table, ms
from benchmarks._pages import new_page, opened_browser

__all__ = ["run"]

RUNS, STEPS = 100, 1_000_000
TAG, WIDTH = "train/loss", 800
CLIENTS, ZOOMS = 16, 40
PAUSE = (
    0.5  # seconds between an answer and a client's next question; their first ones are spread over as many
)
NOW = 1_767_225_600_000
GESTURES = 25  # of each kind, in a browser

# Notes the time from the next end of a drag, or turn of the wheel, to the frame in which the chart has the
# curves that the server answers with for the new window.
_WATCH = """() => {
    const plot = document.querySelector('figure.panel .plot');
    const before = plot.chart.lines;
    window.zoomed = new Promise(done => {
        let start = 0;
        const begin = event => { start ||= event.timeStamp; };
        for (const kind of ['mouseup', 'wheel']) addEventListener(kind, begin, {capture: true, once: true});
        const frame = () => {
            const busy = plot.closest('figure').dataset.busy !== '0';
            if (!start || busy || plot.chart.lines === before) return requestAnimationFrame(frame);
            requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
        };
        frame();
    });
}"""
_DRAWN = """runs => {
    const figure = document.querySelector('figure.panel');
    return figure?.dataset.busy === '0' && figure.querySelector('.plot').chart?.lines.length === runs;
}"""


def run(root: str) -> list[Table]:
    """Both tables."""
    logs = Path(root, "log")
    size = sum(_write_log(logs / f"run{number}", number) for number in range(RUNS))
    os.environ["VIZKIT_CACHE_DIR"] = str(Path(root, "cache"))
    with _served(logs) as server:
        first = server.opening()
    with _served(logs) as server:
        again = server.opening()
        zooms = [(runs, server.zooming(runs)) for runs in (1, 10, RUNS)]
        after, own = server.memory(), server.memory("RssAnon")
        by_hand = [(runs, server.zooming_by_hand(runs)) for runs in (10, RUNS)]
    work = f"{RUNS} runs x {STEPS:,} points of one tag"
    opening = Table(work, ("", "first picture, s", "exact, s", "CPU, s", "greatest memory, MB"))
    for name, one in (("opened first", first), ("opened again", again)):
        cells = (f"{one.picture:.2f}", f"{one.exact:.2f}", f"{one.cpu:.1f}", f"{one.memory / 1e6:,.0f}")
        opening.rows.append((name, *cells))
    opening.notes.append(
        f"{size / 1e9:.1f} GB of logs, in the page cache. From the start of `vizkit serve` to the answer of "
        f"`curves` with {WIDTH} pixel columns of each run; the first picture is one of some runs."
    )
    opening.goals = [
        Goal(f"{work}: first picture", "1 s", f"{first.picture:.2f} s", first.picture <= 1),
        Goal(f"{work}: exact", "8 s", f"{first.exact:.2f} s", first.exact <= 8),
        Goal(f"{work}: memory", "1.5 GB", f"{first.memory / 1e9:.2f} GB", first.memory < 1.5e9),
        Goal("the same, opened again: exact", "1 s", f"{again.exact:.2f} s", again.exact <= 1),
        Goal("the same, opened again: memory", "300 MB", f"{again.memory / 1e6:.0f} MB", again.memory < 3e8),
    ]
    zooming = Table(f"Zooms of {CLIENTS} clients", ("runs in a chart", "p50, ms", "p95, ms", "longest, ms"))
    for runs, times in zooms:
        zooming.rows.append((str(runs), *(ms(np.quantile(times, part)) for part in (0.5, 0.95, 1))))
    zooming.notes.append(
        f"Windows of 100 to {STEPS:,} steps, {WIDTH} pixel columns; each client asks for another one half a "
        "second after its last answer, and they begin one after another within half a second. The "
        f"server's own memory is {own / 1e6:,.0f} MB afterwards; with what is mapped of the cache's files, "
        f"which the system may take back, {after / 1e6:,.0f} MB."
    )
    zooming.goals = [
        Goal(
            f"a zoom of {runs} of {RUNS} runs, p95 of {CLIENTS} clients", "100 ms", f"{ms(p95)} ms", p95 < 0.1
        )
        for runs, p95 in _p95(zooms[1:])
    ]
    browser = Table("Zooms in a browser", ("runs in a chart", "gesture", "p50, ms", "p95, ms"))
    for runs, gestures in by_hand:
        for gesture, times in gestures.items():
            browser.rows.append(
                (str(runs), gesture, ms(np.quantile(times, 0.5)), ms(np.quantile(times, 0.95)))
            )
    browser.notes.append(
        "From the end of a drag along the x axis, or a turn of the wheel with Ctrl, to the frame with the "
        "curves of the new window; a drag takes 0.5 to 60 % of what is shown, at first of all."
    )
    browser.goals = [
        Goal(f"the same in a browser, until drawn, chart of {runs}", "200 ms", f"{ms(p95)} ms", p95 < 0.2)
        for runs, p95 in _p95([(runs, [*chain(*gestures.values())]) for runs, gestures in by_hand])
    ]
    return [opening, zooming, browser]


def _p95(measured: Sequence[tuple[int, list[float]]]) -> list[tuple[int, float]]:
    return [(runs, float(np.quantile(times, 0.95))) for runs, times in measured]


def _write_log(directory: Path, seed: int) -> int:
    """Write a run as a tracker does, with exact values; return the bytes."""
    from vizkit.format import encode

    directory.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    steps = np.arange(STEPS)
    values = np.exp(-3 * steps / STEPS) + 0.1 * rng.standard_normal(STEPS)
    values[rng.integers(0, STEPS, 5)] = 5.0
    walltimes = NOW + np.cumsum(rng.integers(5, 15, STEPS))
    field_, parts = encode.tag_field(TAG), []
    for low, high in ((0, 1), (1, 1 << 7), (1 << 7, 1 << 14), (1 << 14, STEPS)):  # steps of equal lengths
        one = encode.encode_scalar(
            field_, 0.1, encode.step_field(low), encode.walltime_field(int(walltimes[low]))
        )
        rows = np.tile(np.frombuffer(one, np.uint8), (high - low, 1))
        width = -(-low.bit_length() // 7) if low else 0
        _put_varints(rows[:, 11 : 11 + width], steps[low:high])
        at = one.index(field_) + len(field_) + 1
        _put_varints(rows[:, at : at + 6], walltimes[low:high])
        rows[:, at + 7 : at + 11] = values[low:high].astype("<f4")[:, None].view(np.uint8)
        rows[:, -8:] = values[low:high, None].astype("<f8").view(np.uint8)
        parts.append(rows.tobytes())
    return (directory / "vdlrecords.1767225600.log").write_bytes(b"".join(parts))


def _put_varints(rows: NDArray[np.uint8], numbers: NDArray[np.int64]) -> None:
    width = rows.shape[1]
    for index in range(width):
        rows[:, index] = (numbers >> 7 * index) & 0x7F | (0x80 if index < width - 1 else 0)


@dataclass
class _Opening:
    picture: float
    exact: float
    cpu: float
    memory: int


@dataclass
class _Server:
    process: subprocess.Popen[bytes]
    port: int
    start: float = field(default_factory=time.perf_counter)

    def ask(self, **query: str | float | list[str]) -> dict[str, Any]:
        """The head of the answer of `curves`."""
        address = f"http://127.0.0.1:{self.port}/vizkit/api/curves?{urlencode(query, doseq=True)}"
        with urlopen(address) as answer:
            body = answer.read()
        head: dict[str, Any] = json.loads(body[4 : 4 + int.from_bytes(body[:4], "little")])
        return head

    def opening(self) -> _Opening:
        """Ask until all runs are there."""
        picture = 0.0
        while True:
            try:
                head = self.ask(tag=TAG, width=WIDTH)
            except URLError:
                time.sleep(0.01)
                continue
            now = time.perf_counter() - self.start
            picture = picture or (now if head["curves"] else 0.0)
            if not head["unread"]:
                break
            time.sleep(0.2)
        assert len(head["curves"]) == RUNS
        assert all(curve["n"] == STEPS for curve in head["curves"])
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return _Opening(picture, now, cpu, self.memory("VmHWM"))

    def memory(self, name: str = "VmRSS") -> int:
        """Bytes of memory, now or at most."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
        raise RuntimeError(f"no {name}")

    def zooming(self, runs: int) -> list[float]:
        """Seconds of each zoom of all clients."""
        times: list[float] = []

        def client(seed: int) -> None:
            chosen = random.Random(seed)
            time.sleep(PAUSE * seed / CLIENTS)
            for _ in range(ZOOMS):
                span = 10 ** chosen.uniform(2, np.log10(STEPS))
                start = chosen.uniform(0, STEPS - span)
                some = chosen.sample(range(RUNS), runs)
                names = [f"run{number}" for number in some]
                begin = time.perf_counter()
                self.ask(tag=TAG, width=WIDTH, start=start, end=start + span, run=names)
                times.append(time.perf_counter() - begin)
                time.sleep(PAUSE)

        threads = [threading.Thread(target=client, args=(seed,)) for seed in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return times

    def zooming_by_hand(self, runs: int) -> dict[str, list[float]]:
        """Gesture -> seconds of each, in a browser's page of one chart."""
        chosen = random.Random(runs)
        only = [f"run{number}" for number in range(runs)] if runs < RUNS else []
        query = urlencode({"only": only}, doseq=True)
        times: dict[str, list[float]] = {"drag": [], "wheel": []}
        with opened_browser() as browser:
            page = new_page(browser)
            page.goto(f"http://127.0.0.1:{self.port}/vizkit/?{query}")
            page.wait_for_function(_DRAWN, arg=runs)
            box = page.locator("figure.panel .u-over").bounding_box()
            assert box is not None
            left, middle, width = box["x"], box["y"] + box["height"] / 2, box["width"]
            for turn in range(GESTURES):
                if turn % 3 == 0:
                    page.mouse.dblclick(left + width / 2, middle)
                    page.wait_for_timeout(500)
                    page.wait_for_function(_DRAWN, arg=runs)
                span = 10 ** chosen.uniform(-2.3, -0.2)
                start = left + width * chosen.uniform(0.01, 0.99 - span)
                page.mouse.move(start, middle)
                page.mouse.down()
                page.mouse.move(start + max(span * width, 6), middle, steps=4)
                page.evaluate(_WATCH)
                page.mouse.up()
                times["drag"].append(page.evaluate("() => window.zoomed") / 1000)
                page.keyboard.down("Control")
                page.evaluate(_WATCH)
                page.mouse.wheel(0, chosen.choice((-120, 120)))
                times["wheel"].append(page.evaluate("() => window.zoomed") / 1000)
                page.keyboard.up("Control")
        return times


@contextmanager
def _served(logs: Path) -> Iterator[_Server]:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vizkit", "serve", str(logs), "--port", str(port)]
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield _Server(process, port, start)
        process.terminate()
