"""The places of records of other kinds than scalars, and single values of curves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import numpy as np

from vizkit.curves.expressions import has
from vizkit.errors import UnknownNameError
from vizkit.format.walltime import time_list
from vizkit.metrics.downsampling import evenly
from vizkit.reading import Entries
from vizkit.runs import Run
from vizkit.server.workspace.api.answer_types import NearestValue, RecordsAnswer, RecordsOfRun, ValuesAnswer
from vizkit.server.workspace.api.packing import number
from vizkit.server.workspace.api.state import WorkspaceState, named

__all__ = ["RecordsQuery", "ValuesQuery", "has_records", "records", "values"]


@dataclass(frozen=True)
class RecordsQuery:
    """The images, histograms, curves, texts or sounds of a tag: at which steps there are some."""

    tag: Annotated[str, "a tag of any kind but scalar"]
    run: Annotated[list[str], "names of runs; all with the tag if there is none"] = field(
        default_factory=list
    )
    start: Annotated[float | None, "the least step"] = None
    end: Annotated[float | None, "the greatest step"] = None
    most: Annotated[int, "records of each run, at even distances", (1, 10_000)] = 2000


@dataclass(frozen=True)
class ValuesQuery:
    """The exact values of curves at an x, as for a pointer over a chart."""

    tag: Annotated[str, "a scalar tag, or an expression"]
    at: Annotated[float, "x"]
    run: Annotated[list[str], "names of runs; all if there is none"] = field(default_factory=list)
    x: Annotated[str, "the axis, as of curves"] = "step"


def records(state: WorkspaceState, query: RecordsQuery) -> RecordsAnswer:
    """Answer with the places of a tag's records."""
    with state.runs() as runs:
        found = [
            (run.name, run.logs.entries(query.tag))
            for run in named(runs, query.run)
            if has_records(run, query.tag)
        ]
    if not found:
        raise UnknownNameError(
            "no run has images, histograms or other records named {tag}", tag=repr(query.tag[:200])
        )
    return {"tag": query.tag, "runs": [_places(name, entries, query) for name, entries in found]}


def has_records(run: Run, tag: str) -> bool:
    """True if a tag of a run holds records of another kind than scalars."""
    return run.logs.kinds.get(tag, "scalar") not in ("scalar", "scalars")


def _places(name: str, entries: Entries[object], query: RecordsQuery) -> RecordsOfRun:
    start = -np.inf if query.start is None else query.start
    end = np.inf if query.end is None else query.end
    within = np.flatnonzero((entries.steps >= start) & (entries.steps <= end))
    shown = evenly(within, query.most)
    places = shown.tolist()
    return {
        "run": name,
        "kind": entries.kind,
        "total": len(within),
        "steps": entries.steps[shown].tolist(),
        "walltimes": time_list(entries.walltimes[shown]),
        "places": places,
        "names": [entries.name(place) for place in places],
        "layers": bool(places) and entries.has_layers(places[-1]),
    }


def values(state: WorkspaceState, query: ValuesQuery) -> ValuesAnswer:
    """Answer with the point of each curve that is nearest to an x."""
    found: list[NearestValue] = []
    with state.runs() as runs:
        for run in named(runs, query.run):
            if not has(run, query.tag):
                continue
            trace = state.traces.trace(run, query.tag, query.x)
            place = trace.nearest(query.at)
            if place is None:
                continue
            x, value = (float(column[place : place + 1][0]) for column in trace.recorded)
            if trace.kept is not None:
                place = int(trace.kept[place])
            (walltime,) = time_list(np.asarray(trace.walltimes[place : place + 1]))
            found.append(
                {
                    "run": run.name,
                    "x": x,
                    "step": trace.steps[place : place + 1][0].item(),
                    "walltime": walltime,
                    "value": number(value),
                }
            )
    if not found:
        raise UnknownNameError("no run has a scalar {tag}", tag=repr(query.tag[:200]))
    found.sort(key=lambda one: -float(one["value"]) if one["value"] != "nan" else float("inf"))
    return {"tag": query.tag, "values": found}
