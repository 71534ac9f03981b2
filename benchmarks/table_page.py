"""The table of 10,000 runs in a browser: until it can be used, while it scrolls, while runs grow."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from benchmarks._common import Goal, Table
from benchmarks._pages import (
    QUICK,
    frames_while,
    free_port,
    heap_of,
    new_page,
    opened_browser,
    served,
    vizkit_command,
)
from benchmarks._readers import NOW

__all__ = ["run", "write_runs"]

RUNS = 1_000 if QUICK else 10_000
STEPS, TAGS = 10, ["train/loss", "eval/acc", "lr"]
SCROLLS = 60

# Milliseconds from the address until the rows in view have their numbers, and until all runs are listed.
_USABLE = """async (runs) => {
    const pause = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    const rows = () => [...document.querySelectorAll('.sheet .rows li')];
    const usable = () => rows().length > 10
        && rows().every(row => row.querySelector('.number')?.textContent.trim());
    while (!usable()) await pause();
    await pause();
    const first = performance.now();
    while (!(usable() && Number(rows()[0].getAttribute('aria-setsize')) === runs)) await pause();
    return [first, performance.now()];
}"""


def run(root: str) -> list[Table]:
    """The table."""
    logs = Path(root, "log")
    write_runs(logs, RUNS)
    os.environ["VIZKIT_CACHE_DIR"] = str(Path(root, "cache"))
    table = Table(
        f"{RUNS:,} small runs",
        (
            "",
            "usable, s",
            "all runs, s",
            "scrolling: p95 of frames, ms",
            "greatest",
            "tasks over 50 ms",
            "memory of the tab, MB",
        ),
    )
    port = free_port()
    with served(vizkit_command(logs, port), port, "/alive") as server, opened_browser() as browser:
        for name, query, box in (
            ("table, right after the server's start", "?tab=table", ".sheet"),
            ("table, opened again", "?tab=table", ".sheet"),
            ("runs beside charts", "?tags=^lr$", ".runs"),
        ):
            page = new_page(browser)
            start = time.perf_counter()
            page.goto(f"{server.origin}/vizkit/{query}", wait_until="commit")
            if box == ".sheet":
                usable, complete = (one / 1000 for one in page.evaluate(_USABLE, RUNS))
            else:
                page.wait_for_selector('figure.panel[data-busy="0"] canvas')
                usable = complete = time.perf_counter() - start
            page.locator(f"{box} .rows").hover(position={"x": 100, "y": 200})
            page.wait_for_timeout(1000)
            with frames_while(page) as frames:
                for number in range(SCROLLS):
                    page.mouse.wheel(0, 300 if number % 20 < 15 else 30_000)
                    page.wait_for_timeout(16)
            table.rows.append(
                (
                    name,
                    f"{usable:.2f}",
                    f"{complete:.2f}",
                    f"{frames.quantile(0.95):.1f}",
                    f"{max(frames.frames):.1f}",
                    str(len(frames.tasks)),
                    f"{heap_of(page) / 1e6:.0f}",
                )
            )
            if box == ".sheet":
                table.goals.append(
                    Goal(f"{RUNS:,} runs: {name}: usable", "2 s", f"{usable:.2f} s", usable < 2)
                )
            greatest = max(frames.frames)
            table.goals.append(
                Goal(
                    f"{RUNS:,} runs: no frame of scrolling ({name})",
                    "over 50 ms",
                    f"{greatest:.0f} ms",
                    greatest <= 50,
                )
            )
            page.context.close()
        cpu, memory = server.cpu_and_memory()
    again, cpu_again = _started_again(logs)
    table.notes.append(
        f"Runs of {len(TAGS)} tags of {STEPS} steps and 4 hyper-parameters. Usable: from the address to rows "
        "in view with their numbers, in a new profile; all runs: until all are listed. The server took "
        f"{server.seconds:.1f} s to its first answer, {cpu:.1f} s of CPU until the end, and holds "
        f"{memory / 1e6:.0f} MB. Scrolled by the wheel, also a thousand rows at once. Started again, it "
        f"listed all runs {again:.2f} s after the address was opened, with {cpu_again:.1f} s of CPU."
    )
    table.goals.append(
        Goal(f"{RUNS:,} runs: the server started again: all listed", "2 s", f"{again:.2f} s", again < 2)
    )
    return [table]


def _started_again(logs: Path) -> tuple[float, float]:
    """Seconds until a page of a new server, which knows the logs, lists all runs; its CPU seconds."""
    port = free_port()
    with served(vizkit_command(logs, port), port, "/alive") as server, opened_browser() as browser:
        page = new_page(browser)
        page.goto(f"{server.origin}/vizkit/?tab=table", wait_until="commit")
        _, complete = (one / 1000 for one in page.evaluate(_USABLE, RUNS))
        return complete, server.cpu_and_memory()[0]


def write_runs(root: Path, runs: int, steps: int = STEPS) -> None:
    """Small runs of VisualDL's format, with hyper-parameters."""
    from vizkit.format import encode
    from vizkit.format.types import HParams

    rng = np.random.default_rng(0)
    fields = [encode.tag_field(tag) for tag in TAGS]
    for number in range(runs):
        hparams = {
            "lr": float(10.0 ** -rng.integers(1, 6)),
            "batch size": int(2 ** rng.integers(4, 9)),
            "optimizer": str(rng.choice(["Adam", "SGD", "Momentum"])),
            "seed": number,
        }
        frames = [encode.encode_hparams(HParams(hparams, TAGS[:2]), NOW)]
        for step, row in enumerate(rng.random((steps, len(TAGS))).tolist()):
            at, walltime = encode.step_field(step), encode.walltime_field(NOW + 3 * step)
            frames += [
                encode.encode_scalar(field, value, at, walltime)
                for field, value in zip(fields, row, strict=True)
            ]
        directory = root / f"sweep{number // 100}" / f"run{number}"
        directory.mkdir(parents=True)
        (directory / "vdlrecords.1767225600.log").write_bytes(b"".join(frames))
