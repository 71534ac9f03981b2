"""The page of scalars in a browser, from its address to charts that are drawn."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np

from benchmarks._common import Goal, Table
from benchmarks._readers import TAGS, Logs, in_rounds, write_visualdl
from benchmarks._servers import STOCK_SERVER, VIZKIT_SERVER, serving

__all__ = ["run"]

RUNS, STEPS, CHARTS = 100, 1_000, 5
PATIENCE = 300  # seconds

# The charts that the page's own ECharts module holds; each run is drawn twice: smoothed, and as it is.
DRAWN = """async ([charts, runs]) => {
    const loaded = performance.getEntriesByType('resource').map(entry => entry.name);
    const module = loaded.find(name => name.endsWith('/__snowpack__/pkg/echarts.js'));
    if (!module) return false;
    const echarts = await import(module);
    const full = [...document.querySelectorAll('.echarts')]
        .map(element => echarts.getInstanceByDom(element)?.getOption()?.series ?? [])
        .filter(series => series.filter(one => one.data?.length).length >= runs);
    return full.length >= charts;
}"""


def run(root: str) -> list[Table]:
    """The table."""
    from playwright.sync_api import sync_playwright

    names = [name for name in ("chromium", "chromium-browser", "google-chrome") if shutil.which(name)]
    logs = _write(Path(root))
    table = Table(f"the scalar page drawn, {RUNS} runs, {CHARTS} open charts", ("", "s"))
    taken = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which(names[0]) if names else None,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
            ],
        )
        for name in (VIZKIT_SERVER, STOCK_SERVER):
            with serving(name, logs, "run0", TAGS[0]) as served:
                page = browser.new_page(viewport={"width": 1400, "height": 1000})
                start = time.perf_counter()
                page.goto(f"http://127.0.0.1:{served.port}/app/scalar", wait_until="commit")
                while time.perf_counter() - start < PATIENCE:
                    if page.evaluate(DRAWN, [CHARTS, RUNS]):
                        break
                    page.wait_for_timeout(250)
                else:
                    raise RuntimeError(f"{name} did not draw {CHARTS} charts of {RUNS} runs")
                page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
                taken[name] = time.perf_counter() - start
                page.close()
            table.rows.append((name, f"{taken[name]:.1f}"))
        browser.close()
    share = taken[VIZKIT_SERVER] / taken[STOCK_SERVER]
    table.goals.append(Goal(table.title, "half of visualdl's time", f"{share:.2f} of it", share <= 0.5))
    table.notes.append(
        "A cold load in Chromium, until all charts hold all runs and a frame was drawn after that."
    )
    return [table]


def _write(root: Path) -> Logs:
    """Logs of as many tags as charts are to be open."""
    random = np.random.default_rng(0)
    for number in range(RUNS):
        write_visualdl(root / f"run{number}", in_rounds(random.random((STEPS, CHARTS))))
    return Logs(root, root, RUNS, STEPS)
