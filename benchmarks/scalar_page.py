"""The page of scalars in a browser, from its address to charts that are drawn."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import psutil

from benchmarks._common import Goal, Table, interleaved, median, ratio
from benchmarks._pages import opened_browser
from benchmarks._readers import TAGS, Logs, in_rounds, write_visualdl
from benchmarks._servers import STOCK_SERVER, VIZKIT_SERVER, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["run"]

RUNS, STEPS, CHARTS = 100, 1_000, 5
TIMES = 3
PATIENCE = 300_000  # ms

# Milliseconds, by the page's clock, from the address to a frame that comes after every chart was full. The
# charts are those of the page's own ECharts module; each run is drawn twice: smoothed, and as it is. They are
# looked at in place: `getOption` would copy all points each time.
DRAWN = """async ([charts, runs, patience]) => {
    const pause = () => new Promise(done => setTimeout(done, 20));
    const names = () => performance.getEntriesByType('resource').map(entry => entry.name);
    const module = () => names().find(name => name.endsWith('/__snowpack__/pkg/echarts.js'));
    while (!module()) await pause();
    const echarts = await import(module());
    const full = new Set();
    while (full.size < charts) {
        if (performance.now() > patience) throw new Error(`only ${full.size} charts were drawn`);
        await pause();
        for (const element of document.querySelectorAll('.echarts')) {
            const series = echarts.getInstanceByDom(element)?.getModel()?.getSeries() ?? [];
            if (series.filter(one => one.getRawData().count()).length >= runs) full.add(element);
        }
    }
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    return performance.now();
}"""
ASKED = """() => performance.getEntriesByType('resource')
    .filter(entry => entry.name.includes('/api/scalar/list') && entry.transferSize).length"""


class Load(NamedTuple):
    """One cold load of the page, until its charts were drawn.

    Attributes:
        seconds: that it took.
        cpu: seconds of CPU time that the browser and the server took.
        answers: those of the server that hold a run's points.
    """

    seconds: float
    cpu: float
    answers: int


def run(root: str) -> list[Table]:
    """The table."""
    logs = _write(Path(root))
    table = Table(
        f"the scalar page drawn, {RUNS} runs, {CHARTS} open charts", ("", "s", "least", "CPU s", "answers")
    )
    loads: dict[str, list[Load]] = {VIZKIT_SERVER: [], STOCK_SERVER: []}
    with opened_browser() as browser:

        def load(name: str) -> float:
            loads[name].append(_load(browser, name, logs))
            return loads[name][-1].seconds

        taken = interleaved({name: partial(load, name) for name in loads}, TIMES, warmup=0)
    for name, some in loads.items():
        seconds, cpu, answers = (median(column) for column in zip(*some, strict=True))
        least = min(taken[name])
        table.rows.append((name, f"{seconds:.1f}", f"{least:.1f}", f"{cpu:.1f}", f"{answers:,.0f}"))
    share = ratio(taken[VIZKIT_SERVER], taken[STOCK_SERVER])
    table.goals.append(Goal(table.title, "half of visualdl's time", f"{share:.2f} of it", share <= 0.5))
    table.notes.append(
        "Cold loads in Chromium, until all charts hold all runs and a frame was drawn after that; medians of "
        f"{TIMES} in turn, each from a server of its own. CPU time is the browser's and the server's; the "
        "answers are those of the server that hold a run's points."
    )
    return [table]


def _load(browser: Browser, name: str, logs: Logs) -> Load:
    with serving(name, logs, "run0", TAGS[0]) as served:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.add_init_script("performance.setResourceTimingBufferSize(10_000)")
        before = _cpu_seconds()
        page.goto(f"http://127.0.0.1:{served.port}/app/scalar", wait_until="commit")
        seconds = page.evaluate(DRAWN, [CHARTS, RUNS, PATIENCE]) / 1000
        loaded = Load(seconds, _cpu_seconds() - before, page.evaluate(ASKED))
        page.close()
        return loaded


def _cpu_seconds() -> float:
    """CPU time of the processes that this one started, and of theirs."""
    seconds = 0.0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            times = process.cpu_times()
            seconds += times.user + times.system
    return seconds


def _write(root: Path) -> Logs:
    """Logs of as many tags as charts are to be open."""
    random = np.random.default_rng(0)
    for number in range(RUNS):
        write_visualdl(root / f"run{number}", in_rounds(random.random((STEPS, CHARTS))))
    return Logs(root, root, RUNS, STEPS)
