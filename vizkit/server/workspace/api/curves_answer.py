"""Windows of curves and of means of groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np

from vizkit._language import tr
from vizkit.curves.expressions import having, is_expression, runs_with
from vizkit.curves.group_windows import group_window, trace_bounds
from vizkit.curves.means import band_text
from vizkit.curves.plot_arguments import labelled_groups
from vizkit.curves.smoothing import Smoothing, smoothing
from vizkit.curves.windows import Points, Trace, windows_of
from vizkit.errors import DataError, UnknownNameError, VizKitError
from vizkit.runs import Run
from vizkit.server.workspace.api.answer_types import Array, CurveHead, CurvesHead, GroupHead
from vizkit.server.workspace.api.packing import Arrays
from vizkit.server.workspace.api.queries import WrongParameter
from vizkit.server.workspace.api.state import WorkspaceState, named

__all__ = ["CurvesQuery", "curves_answer"]

_FARTHEST = 1e300  # edges beyond would overflow


@dataclass(frozen=True)
class CurvesQuery:
    """The curves of a scalar tag in a window, each with the exact extremes of every pixel column."""

    tag: Annotated[str, "a scalar tag, `group/member`, or an expression over tags in braces"]
    run: Annotated[list[str], "names of runs; all with the tag if there is none"] = field(
        default_factory=list
    )
    x: Annotated[str, "step, epoch, time, relative, walltime (seconds), or a scalar tag"] = "step"
    start: Annotated[
        float | None, "the least x of the window; that of all curves", (-_FARTHEST, _FARTHEST)
    ] = None
    end: Annotated[float | None, "the greatest x of the window", (-_FARTHEST, _FARTHEST)] = None
    width: Annotated[int, "pixel columns of the window", (1, 8192)] = 800
    scale: Annotated[Literal["linear", "log"], "of the x axis, on which the columns are equally wide"] = (
        "linear"
    )
    smooth: Annotated[str, "a weight such as 0.9; time:0.9, gaussian:20, mean:50"] = "0"
    group: Annotated[list[str], "hyper-parameters: answer with means of runs with equal values"] = field(
        default_factory=list
    )
    center: Annotated[Literal["mean", "median"], "of a group"] = "mean"
    band: Annotated[Literal["ci", "std", "se", "minmax", "none"], "around the centre of a group"] = "ci"


def curves_answer(state: WorkspaceState, query: CurvesQuery) -> bytes:
    """Answer with the windows of curves."""
    try:
        how = smoothing(query.smooth)
    except DataError as error:
        raise WrongParameter("smooth", "{message}", message=error) from error
    with state.runs() as runs:
        asked = named(runs, query.run)
        try:
            with_tag = having(asked, query.tag)
        except DataError as error:
            raise WrongParameter("tag", "{message}", message=error) from error
        traces, without = _traces(state, asked if query.run else with_tag, query)
        groups = labelled_groups(list(traces), query.group) if query.group and traces else {}
        cursor, unread = state.cursor(), state.live.unread
    if not traces and (query.run or not unread):
        if is_expression(query.tag) and asked and not with_tag:
            runs_with(asked, query.tag)  # raises: it says which tag is not there
        reasons = next(iter(without.values()), tr("no run has the scalar {tag!r}", tag=query.tag[:200]))
        raise UnknownNameError("{message}", message=reasons)
    ranges = [ends for trace in traces.values() if (ends := trace.range)]
    least, greatest = (
        (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else (None, None)
    )
    start = least if query.start is None else query.start
    end = greatest if query.end is None else query.end
    log = query.scale == "log" and end is not None and end > 0
    if log and start is not None and start <= 0:  # points that a logarithmic axis cannot show
        start = min((first for trace in traces.values() if (first := trace.first_positive)), default=start)
        log = start > 0
    if query.start is not None and query.end is not None:
        state.live.explore()
    arrays = Arrays()
    curves: list[CurveHead] = []
    means: list[GroupHead] = []
    text = ""
    if start is not None and end is not None and query.group:
        text = _means(groups, traces, (start, end), query, how, log, arrays, means)
        state.live.release()
    elif start is not None and end is not None:
        curves = _curves(
            traces, (start, max(start, end)), query.width, how, log, arrays, between=state.live.release
        )
    head: CurvesHead = {
        "tag": query.tag,
        "x": query.x,
        "start": start,
        "end": end,
        "least": least,
        "greatest": greatest,
        "width": query.width,
        "unread": unread,
        "cursor": cursor,
        "curves": curves,
        "groups": means,
        "band": text,
        "without": without,
    }
    return arrays.behind(head)


def _traces(
    state: WorkspaceState, runs: Sequence[Run], query: CurvesQuery
) -> tuple[dict[Run, Trace], dict[str, str]]:
    """The traces of runs, and the reasons why some have none."""
    found: dict[Run, Trace] = {}
    without: dict[str, str] = {}
    for run in runs:
        with _reason(run, without):
            found[run] = state.traces.trace(run, query.tag, query.x)
    return found, without


@contextmanager
def _reason(run: Run, without: dict[str, str]) -> Iterator[None]:
    """Note the reason where a run has no trace."""
    try:
        yield
    except VizKitError as error:
        without[run.name] = str(error)


def _curves(
    traces: dict[Run, Trace],
    ends: tuple[float, float],
    width: int,
    how: Smoothing,
    log: bool,
    arrays: Arrays,
    between: Callable[[], None],
) -> list[CurveHead]:
    windows = windows_of([*traces.values()], *ends, width, log=log, between=between)
    around = [
        array
        for window in windows
        for array in np.array([one or (np.nan, np.nan) for one in (window.before, window.after)]).reshape(
            1, -1
        )
    ]
    drawn = arrays.add_drawn([window.drawn for window in windows])
    places = arrays.add_all(around)
    smooth: Sequence[dict[str, Array] | None] = [None] * len(windows)
    if how:
        drawn_smooth = []
        for trace in traces.values():
            drawn_smooth.append(trace.smoothed(*ends, width, how, log=log).drawn)
            between()
        smooth = arrays.add_drawn(drawn_smooth)
    return [
        {
            "run": run.name,
            "kind": "points" if isinstance(window.drawn, Points) else "columns",
            "n": window.count,
            "arrays": {**own, "around": place},
            "smooth": smoothed,
        }
        for run, window, own, place, smoothed in zip(traces, windows, drawn, places, smooth, strict=True)
    ]


def _means(
    groups: dict[str, list[Run]],
    traces: dict[Run, Trace],
    ends: tuple[float, float],
    query: CurvesQuery,
    how: Smoothing,
    log: bool,
    arrays: Arrays,
    found: list[GroupHead],
) -> str:
    """Append the means of groups; return the way in which their bands were computed."""
    bounds = trace_bounds(query.tag, list(traces.values()))
    band = None if query.band == "none" else query.band
    for label, runs in groups.items():
        some = [traces[run] for run in runs if len(traces[run])]
        if not some:
            continue
        window = group_window(
            some,
            ends[0],
            max(ends),
            query.width,
            center=query.center,
            band=band if len(some) > 1 else None,
            bounds=bounds,
            how=how,
            log=log,
        )
        places = arrays.add_drawn([window.drawn])[0] | {"reach": arrays.add(window.reach)}
        if window.low is not None and window.high is not None:
            places |= {"low": arrays.add(window.low), "high": arrays.add(window.high)}
        kind: Literal["points", "columns"] = "points" if isinstance(window.drawn, Points) else "columns"
        found.append({"label": label, "runs": [run.name for run in runs], "kind": kind, "arrays": places})
    return band_text(query.center, band, bounds) if band else ""
