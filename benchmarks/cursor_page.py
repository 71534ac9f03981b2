"""Twenty charts of fifty runs whose shared cursor moves with the pointer: times between frames."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from benchmarks._common import Goal, Table
from benchmarks._pages import QUICK, frames_while, free_port, new_page, opened_browser, served, vizkit_command
from benchmarks._readers import write_visualdl

__all__ = ["run"]

RUNS, CHARTS = (5, 20) if QUICK else (50, 20)
STEPS = 1_000
MOVES = 60 if QUICK else 300

_DRAWN = """([charts, runs]) => {
    const panels = [...document.querySelectorAll('figure.panel')];
    return panels.length >= charts && panels.every(panel => panel.dataset.busy === '0'
        && panel.querySelector('.plot').chart?.lines.length === runs);
}"""

# Moves the pointer to and fro over the first chart, as often as there are frames, by the events of a pointer.
_MOVE = """async (moves) => {
    const over = document.querySelector('.u-over');
    const box = over.getBoundingClientRect();
    for (let at = 0; at < moves; at += 1) {
        const share = 0.5 + 0.45 * Math.sin(at / 12);
        const [clientX, clientY] = [box.left + box.width * share, box.top + box.height * (0.3 + at % 7 / 20)];
        const move = {clientX, clientY, bubbles: true, movementX: 3, movementY: 1};
        over.dispatchEvent(new MouseEvent('mousemove', move));
        await new Promise(done => requestAnimationFrame(done));
    }
}"""


def run(root: str) -> list[Table]:
    """The table."""
    logs = Path(root, "log")
    random = np.random.default_rng(0)
    tags = [f"train/metric{number}" for number in range(CHARTS)]
    for number in range(RUNS):
        values = np.cumsum(random.standard_normal((STEPS, CHARTS)), axis=0)
        records = (
            (step, tag, value)
            for step, row in enumerate(values.tolist())
            for tag, value in zip(tags, row, strict=True)
        )
        write_visualdl(logs / f"run{number}", records)
    work = f"the shared cursor over {CHARTS} charts of {RUNS} runs"
    table = Table(work, ("charts that follow", "p50 of frames, ms", "p95", "greatest", "tasks over 50 ms"))
    port = free_port()
    found: dict[int, float] = {}
    with served(vizkit_command(logs, port), port, "/alive") as server, opened_browser() as browser:
        for charts in (1, CHARTS):
            page = new_page(browser)
            page.set_viewport_size({"width": 1920, "height": 1700})  # all are in view
            query = urlencode({"tags": f"metric{0}$"} if charts == 1 else {})
            page.goto(f"{server.origin}/vizkit/?{query}")
            page.wait_for_function(_DRAWN, arg=[charts, RUNS])
            page.mouse.move(*_middle(page.locator(".u-over").first.bounding_box()))
            page.wait_for_timeout(500)
            with frames_while(page) as frames:
                page.evaluate(_MOVE, MOVES)
            found[charts] = frames.quantile(0.95)
            row = (f"{frames.quantile(0.5):.1f}", f"{found[charts]:.1f}", f"{max(frames.frames):.1f}")
            table.rows.append((str(charts), *row, str(len(frames.tasks))))
            page.context.close()
    p95, share = found[CHARTS], found[CHARTS] / found[1]
    met = p95 < 17 or (found[1] >= 17 and share < 2)
    table.goals.append(
        Goal(f"{work}: p95 of frames", "17 ms", f"{p95:.1f} ms ({share:.1f} of one chart's)", met)
    )
    table.notes.append(
        f"{STEPS:,} points a curve, {MOVES} moves, one a frame, with the tooltip of all runs shown."
    )
    return [table]


def _middle(box: object) -> tuple[float, float]:
    assert isinstance(box, dict)
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
