"""A hundred runs that grow, as in an hour of training: the memory of a tab, and how soon it draws."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks._common import Goal, Table, median
from benchmarks._pages import QUICK, free_port, heap_of, new_page, opened_browser, served, vizkit_command
from benchmarks._readers import NOW

__all__ = ["run"]

RUNS, TAGS = 100, [f"train/metric{number}" for number in range(6)]
STEPS = 2_000  # of each run, before the page opens: more points than pixels from the start
ROUNDS, LOOKS = (3, 3) if QUICK else (60, 6)
A_ROUND = 60  # steps
RECORDS = 3 if QUICK else 20

_LAST = """([step, panels]) => {
    const charts = [...document.querySelectorAll('figure.panel .plot')].map(plot => plot.chart);
    const drawn = charts.filter(chart => chart?.lines.length);
    const last = line => Math.round(1 / line.y[line.y.length - 1]) - 1;
    return drawn.length >= panels && drawn.every(chart => chart.lines.every(line => last(line) >= step));
}"""


# Milliseconds until the first chart has a step of a run.
_DRAWN = """async ([name, step]) => {
    const start = performance.now();
    const last = line => Math.round(1 / line.y[line.y.length - 1]) - 1;
    const {chart} = document.querySelector('figure.panel .plot');
    const line = () => chart.lines.find(line => line.name === name);
    while (!(line() && last(line()) >= step)) await new Promise(done => requestAnimationFrame(done));
    return performance.now() - start;
}"""


def run(root: str) -> list[Table]:
    """The table."""
    logs = Path(root, "log")
    for number in range(RUNS):
        _append(logs / f"run{number}", 0, STEPS)
    table = Table(
        f"memory of a tab while {RUNS} runs grow", ("minutes, simulated", "records", "objects, MB", "nodes")
    )
    heaps: list[float] = []
    port = free_port()
    with served(vizkit_command(logs, port), port, "/alive") as server, opened_browser() as browser:
        page = new_page(browser)
        page.goto(f"{server.origin}/vizkit/")
        page.wait_for_function(_LAST, arg=[STEPS - 1, 3])
        start, total = time.perf_counter(), STEPS
        for turn in range(ROUNDS + 1):
            if turn % max(ROUNDS // LOOKS, 1) == 0:
                heaps.append(heap_of(page) / 1e6)
                nodes = page.evaluate("document.querySelectorAll('*').length")
                table.rows.append(
                    (str(turn), f"{total * RUNS * len(TAGS):,}", f"{heaps[-1]:.2f}", str(nodes))
                )
            if turn < ROUNDS:
                for number in range(RUNS):
                    _append(logs / f"run{number}", total, A_ROUND)
                total += A_ROUND
                page.wait_for_function(_LAST, arg=[total - 1, 3])
        took = time.perf_counter() - start
        drawn = []
        for number in range(RECORDS):
            page.wait_for_timeout(700 + 37 * number % 400)
            name = f"run{number}"
            _append(logs / name, total, 1)
            drawn.append(page.evaluate(_DRAWN, [name, total]) / 1000)
    growth = heaps[-1] / heaps[1]
    table.goals.append(
        Goal("memory of a tab after an hour of updates", "flat", f"{growth:.2f} times", growth < 1.1)
    )
    slowest = max(drawn)
    table.goals.append(
        Goal(f"a new record of {RUNS} live runs, drawn", "1 s", f"{slowest:.2f} s", slowest < 1)
    )
    table.notes.append(
        f"A record was drawn {median(drawn):.2f} s after it was written, the median of {RECORDS}. "
        f"{RUNS} runs of {len(TAGS)} tags, {A_ROUND} steps a minute; the hour took {took:.0f} s. Objects of "
        "the page after its garbage was collected, once all charts had the last step; the growth is that "
        "after the first look."
    )
    return [table]


def _append(directory: Path, first: int, steps: int) -> None:
    """More steps at the end of a log."""
    from vizkit.format import encode

    fields = [encode.tag_field(tag) for tag in TAGS]
    frames = []
    for step in range(first, first + steps):
        at, walltime = encode.step_field(step), encode.walltime_field(NOW + 1000 * step)
        frames += [encode.encode_scalar(field, 1 / (step + 1), at, walltime) for field in fields]
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "vdlrecords.1767225600.log").open("ab") as file:
        file.write(b"".join(frames))
