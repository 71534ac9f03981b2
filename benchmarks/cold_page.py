"""The page of 100 runs of 20 tags, from its address to charts that are drawn, in VizKit and its peers."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks._common import Goal, Table, interleaved, median
from benchmarks._pages import (
    PATIENCE,
    QUICK,
    free_port,
    new_page,
    opened_browser,
    served,
    vizkit_command,
)
from benchmarks._readers import NOW, write_visualdl

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["run"]

RUNS, TAGS, STEPS = (10, 20, 200) if QUICK else (100, 20, 1_000)
TIMES = 1 if QUICK else 3

# Each ends with milliseconds by the page's clock, from the address to a frame after charts were there.
_VIZKIT = """async (runs) => {
    const pause = () => new Promise(done => setTimeout(done, 10));
    const seen = element => {
        const box = element.getBoundingClientRect();
        return box.bottom > 0 && box.top < innerHeight;
    };
    const full = panel => panel.querySelector('.plot').chart?.lines.length === runs;
    const drawn = panel => panel.dataset.busy === '0' && full(panel);
    for (;;) {
        const panels = [...document.querySelectorAll('figure.panel')].filter(seen);
        if (panels.length > 2 && panels.every(drawn)) break;
        await pause();
    }
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    return performance.now();
}"""
_VISUALDL = """async (runs) => {
    const pause = () => new Promise(done => setTimeout(done, 20));
    const module = () => performance.getEntriesByType('resource').map(entry => entry.name)
        .find(name => name.endsWith('/__snowpack__/pkg/echarts.js'));
    while (!module()) await pause();
    const echarts = await import(module());
    const seen = element => {
        const box = element.getBoundingClientRect();
        return box.bottom > 0 && box.top < innerHeight;
    };
    const full = element => (echarts.getInstanceByDom(element)?.getModel()?.getSeries() ?? [])
        .filter(one => one.getRawData().count()).length >= runs;
    for (;;) {
        const charts = [...document.querySelectorAll('.echarts')].filter(seen);
        if (charts.length > 2 && charts.every(full)) break;
        await pause();
    }
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    return performance.now();
}"""
# TensorBoard draws in workers: the last of its cards in view that stops to load has its points.
_TENSORBOARD = """async () => {
    const seen = element => {
        const box = element.getBoundingClientRect();
        return box.bottom > 0 && box.top < innerHeight;
    };
    const loading = card => card.querySelector('mat-spinner, mat-progress-spinner');
    for (;;) {
        const cards = [...document.querySelectorAll('card-view')].filter(seen);
        const drawn = card => card.querySelector('line-chart') && !loading(card);
        if (cards.length > 2 && cards.every(drawn)) break;
        await new Promise(done => setTimeout(done, 20));
    }
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    return performance.now();
}"""
# trackio's page gets all runs in one answer; before it, no chart has a canvas.
_TRACKIO_PAGE = """async () => {
    const seen = element => {
        const box = element.getBoundingClientRect();
        return box.bottom > 0 && box.top < innerHeight;
    };
    for (;;) {
        const plots = [...document.querySelectorAll('.plot-container')].filter(seen);
        if (plots.length > 2 && plots.every(plot => plot.querySelector('.vega-embed canvas'))) break;
        await new Promise(done => setTimeout(done, 20));
    }
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    return performance.now();
}"""


_IN_TIME = """runs => Promise.race([
    (SCRIPT)(runs),
    new Promise((_, fail) => setTimeout(() => fail(new Error('no picture')), 120_000)),
])"""


@dataclass(frozen=True)
class _Peer:
    """A server and its page.

    Attributes:
        command: logs, port -> what starts it.
        path: of its page.
        script: returns the milliseconds until its charts are drawn.
        write: writes its logs; None for those of VisualDL's format.
        package: that has to be there.
    """

    command: Callable[[Path, int], list[str]]
    path: str
    script: str
    package: str
    write: Callable[[Path], None] | None = None


def run(root: str) -> list[Table]:
    """The table."""
    peers = {name: peer for name, peer in _PEERS.items() if importlib.util.find_spec(peer.package)}
    logs: dict[str, Path] = {}
    for name, peer in peers.items():
        logs[name] = Path(root, f"logs-{name}" if peer.write else "logs")
        if not logs[name].exists():
            (peer.write or _write_visualdl)(logs[name])
    work = f"{RUNS} runs x {TAGS} tags x {STEPS:,} steps: charts in view drawn, cold"
    table = Table(work, ("", "s", "least", "server's start, s"))
    starts: dict[str, list[float]] = {name: [] for name in peers}
    taken: dict[str, list[float]] = {}
    with opened_browser() as browser:
        for name, peer in peers.items():
            case = {name: partial(_load, browser, peer, logs[name], starts[name])}
            with suppress(Exception if name != "vizkit" else ()):  # a peer that does not start
                taken |= interleaved(case, TIMES, warmup=0)
    ours = median(taken["vizkit"])
    for name, times in taken.items():
        start = f"{median(starts[name]):.1f}"
        table.rows.append((name, f"{median(times):.2f}", f"{min(times):.2f}", start))
    table.goals.append(Goal(work, "1.0 s", f"{ours:.2f} s", ours <= 1))
    for name, times in taken.items():
        if name != "vizkit":
            share = median(times) / ours
            table.goals.append(
                Goal(f"the same: sooner than {name}", "5 times", f"{share:.1f} times", share >= 5)
            )
    missing = sorted(_PEERS.keys() - taken.keys())
    table.notes.append(
        f"Medians of {TIMES}, each from a server of its own that has answered once, in a new profile of "
        "Chromium, from the address to a frame after all charts in view had all runs; of TensorBoard, which "
        "draws in workers, after its cards in view stopped to load; of trackio, after they had a picture."
        + (f" Not there, or without a picture within two minutes: {', '.join(missing)}." if missing else "")
    )
    return [table]


def _load(browser: Browser, peer: _Peer, logs: Path, starts: list[float]) -> float:
    port = free_port()
    with served(
        peer.command(logs, port), port, "/alive" if peer.package in ("vizkit", "visualdl") else "/"
    ) as server:
        starts.append(server.seconds)
        page = new_page(browser)
        page.add_init_script("performance.setResourceTimingBufferSize(10_000)")
        try:
            page.goto(server.origin + peer.path, wait_until="commit", timeout=PATIENCE * 1000)
            return float(page.evaluate(_IN_TIME.replace("SCRIPT", peer.script), RUNS)) / 1000
        finally:
            page.context.close()


def _values() -> np.ndarray:
    return np.cumsum(np.random.default_rng(0).standard_normal((STEPS, TAGS)), axis=0)


_NAMES = [f"train/metric{number}" for number in range(TAGS)]


def _write_visualdl(root: Path) -> None:
    values = _values()
    for number in range(RUNS):
        rows = (values + number).tolist()
        records = (
            (step, tag, one) for step, row in enumerate(rows) for tag, one in zip(_NAMES, row, strict=True)
        )
        write_visualdl(root / f"run{number}", records)


def _write_tensorboard(root: Path) -> None:
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary
    from tensorboardX.record_writer import RecordWriter

    values = _values()
    for number in range(RUNS):
        directory = root / f"run{number}"
        directory.mkdir(parents=True)
        writer = RecordWriter(str(directory / "events.out.tfevents.1767225600.host"))
        writer.write(Event(wall_time=NOW / 1000, file_version="brain.Event:2").SerializeToString())
        for step, row in enumerate((values + number).tolist()):
            pairs = zip(_NAMES, row, strict=True)
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=one) for tag, one in pairs])
            writer.write(
                Event(wall_time=(NOW + 3 * step) / 1000, step=step, summary=summary).SerializeToString()
            )
        writer.close()


def _write_trackio(root: Path) -> None:
    import trackio

    values = _values()
    for number in range(RUNS):
        trackio.init("bench", name=f"run{number}", auto_log_cpu=False, auto_log_gpu=False, embed=False)
        for step, row in enumerate((values + number).tolist()):
            trackio.log(dict(zip(_NAMES, row, strict=True)), step)
        trackio.finish()
    root.mkdir(parents=True)


_TRACKIO = """
import sys, trackio
trackio.show("bench", open_browser=False, block_thread=True, server_port=int(sys.argv[1]))
"""

_PEERS = {
    "vizkit": _Peer(vizkit_command, "/vizkit/", _VIZKIT, "vizkit"),
    "visualdl": _Peer(
        lambda logs, port: [
            *(sys.executable, "-m", "visualdl.server.app", "--logdir", str(logs)),
            *("--host", "127.0.0.1", "--port", str(port), "--disable-telemetry"),
        ],
        "/app/scalar",
        _VISUALDL,
        "visualdl",
    ),
    "tensorboard": _Peer(
        lambda logs, port: [
            *(sys.executable, "-m", "tensorboard.main", "--logdir", str(logs)),
            *("--host", "127.0.0.1", "--port", str(port), "--load_fast=true"),
        ],
        "/#timeseries",
        _TENSORBOARD,
        "tensorboard",
        _write_tensorboard,
    ),
    "trackio": _Peer(
        lambda _, port: [sys.executable, "-c", _TRACKIO, str(port)],
        "/?project=bench",
        _TRACKIO_PAGE,
        "trackio",
        _write_trackio,
    ),
}
