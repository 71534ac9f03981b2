"""A hundred runs to frames, and a look at what is new in a thousand."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._common import Goal, Table, median, ms, timed
from benchmarks._readers import (
    NOW,
    READERS,
    TAGS,
    VIZKIT,
    Logs,
    beside_ours,
    in_rounds,
    write_logs,
    write_visualdl,
)

__all__ = ["run"]

RUNS, STEPS = 100, 1_000
FOLLOWED = 1_000
REFRESHES = 20


def run(root: str) -> list[Table]:
    """Both tables."""
    logs = write_logs(Path(root, "peers"), np.random.default_rng(0).random((STEPS, len(TAGS))), RUNS)
    return [_to_frames(logs), _refresh(Path(root, "followed"))]


def _frames(name: str, logs: Logs) -> dict[str, Any]:
    """A frame of every run, its tags one below the other."""
    import pandas as pd

    if name == VIZKIT:
        import vizkit

        return {run.name: run.scalars() for run in vizkit.load(logs.visualdl)}
    found: dict[str, list[Any]] = {}
    for (run, tag), columns in READERS[name](logs).items():
        if not isinstance(columns, pd.DataFrame):
            columns = pd.DataFrame(dict(zip(("step", "time", "value"), columns, strict=True)))
            columns["tag"] = tag
        found.setdefault(run, []).append(columns)
    return {run: pd.concat(frames) for run, frames in found.items()}


def _to_frames(logs: Logs) -> Table:
    title = f"{RUNS} runs x {len(TAGS)} tags x {STEPS:,} steps to frames"
    table = Table(title, ("", "s", "times VizKit's"))

    def checked(name: str) -> float:
        found: dict[str, Any] = {}
        seconds = timed(lambda: found.update(_frames(name, logs)))
        assert len(found) == RUNS
        assert all(len(frame) == STEPS * len(TAGS) for frame in found.values())
        return seconds

    taken, times_ours = beside_ours(checked)
    for name, seconds in taken.items():
        table.rows.append((name, f"{seconds:.3f}", f"{seconds / taken[VIZKIT]:.1f}"))
    second = min((seconds, name) for name, seconds in taken.items() if name != VIZKIT)
    table.goals += [
        Goal(title, "< 0.5 s", f"{taken[VIZKIT]:.3f} s", taken[VIZKIT] < 0.5),
        Goal(
            "the same, against every peer",
            "faster",
            f"{second[0] / taken[VIZKIT]:.1f}x ({second[1]}, the fastest)",
            second[0] > taken[VIZKIT],
        ),
    ]
    table.notes.append(
        f"One frame a run, all tags one below the other. The median of {times_ours} readings by VizKit, two "
        "before each peer's one."
    )
    return table


def _refresh(root: Path) -> Table:
    from vizkit.format import encode
    from vizkit.reading import LogRoot

    write_visualdl(root / "run0", in_rounds(np.random.default_rng(0).random((20, len(TAGS)))))
    for number in range(1, FOLLOWED):
        shutil.copytree(root / "run0", root / f"run{number}")
    followed = LogRoot(root)
    log = next((root / "run500").iterdir())
    field, walltime = encode.tag_field(TAGS[0]), encode.walltime_field(NOW)
    grown, idle = [], []
    for turn in range(REFRESHES):
        steps = [encode.step_field(100 + 10 * turn + index) for index in range(10)]
        with log.open("ab") as file:
            file.write(b"".join(encode.encode_scalar(field, 0.5, step, walltime) for step in steps))
        grown.append(timed(followed.refresh))
        assert followed.runs["run500"].count(TAGS[0]) == 30 + 10 * turn
        idle.append(timed(followed.refresh))
    table = Table(f"A refresh of {FOLLOWED:,} runs", ("", "ms", "the least"))
    table.rows = [
        ("10 new records in one run", ms(median(grown)), ms(min(grown))),
        ("nothing new", ms(median(idle)), ms(min(idle))),
    ]
    goal = f"a refresh of {FOLLOWED:,} runs with 10 new records in one"
    table.goals.append(Goal(goal, "< 50 ms", f"{ms(median(grown))} ms", median(grown) < 0.05))
    return table
