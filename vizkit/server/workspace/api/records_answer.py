"""Records of other kinds than scalars, by the addresses of VisualDL's API, and single values of curves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlencode

import numpy as np

from vizkit.curves.expressions import has
from vizkit.errors import UnknownNameError
from vizkit.format.walltime import time_list
from vizkit.server.workspace.api.answers import NearestValue, RecordsAnswer, ValuesAnswer
from vizkit.server.workspace.api.packing import number
from vizkit.server.workspace.api.state import WorkspaceState, named

__all__ = ["RecordsQuery", "ValuesQuery", "records", "values"]

_SINGLE = {"image", "audio", "text"}
_LISTS = {"histogram": "histogram", "pr_curve": "pr-curve", "roc_curve": "roc-curve"}


@dataclass(frozen=True)
class RecordsQuery:
    """The images, histograms, curves, texts or sounds of a tag: where their contents are."""

    run: Annotated[str, "name of a run"]
    tag: Annotated[str, "a tag of any kind but scalar"]


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
        (run,) = named(runs, [query.run])
        kind = run.logs.kinds.get(query.tag, "")
        if kind in ("", "scalar", "scalars"):
            raise UnknownNameError(
                "{run} has no images, histograms or other records named {tag}",
                run=query.run,
                tag=repr(query.tag[:200]),
            )
        entries = run.logs.entries(query.tag)
        shown = state.current.shown_name(run)
    walltimes = time_list(entries.walltimes)
    single = f"{state.visualdl}/api/{kind}/{kind}?" if kind in _SINGLE else ""
    places = [
        {
            "step": step,
            "walltime": walltime,
            "address": single
            and single + urlencode({"run": shown, "tag": query.tag, "index": index, "ts": walltime or ""}),
        }
        for index, (step, walltime) in enumerate(zip(entries.steps.tolist(), walltimes, strict=True))
    ]
    contents = ""
    if kind in _LISTS:
        contents = f"{state.visualdl}/api/{_LISTS[kind]}/list?" + urlencode({"run": shown, "tag": query.tag})
    return {"kind": kind, "records": places, "contents": contents}  # type: ignore[typeddict-item]


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
