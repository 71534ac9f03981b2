"""Runs, their summaries, and changes of them."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import orjson

from vizkit._language import language, tr
from vizkit.curves.summaries import quick_summary
from vizkit.media.palette import color
from vizkit.reading.run_reader import without_gc
from vizkit.runs import Run
from vizkit.runs.scalar_tags import shown_metrics
from vizkit.runs.statistics import Point, mode_in
from vizkit.server.run_names import printable
from vizkit.server.workspace.api.answer_types import (
    ChangesAnswer,
    MatchingAnswer,
    MetricSummary,
    RunRecord,
    RunsAnswer,
)
from vizkit.server.workspace.api.packing import number
from vizkit.server.workspace.api.queries import WrongParameter
from vizkit.server.workspace.api.state import RELEASED_AFTER, WorkspaceState, named

__all__ = [
    "ChangesQuery",
    "MatchingQuery",
    "RunsQuery",
    "changes",
    "matching_answer",
    "metric_summary",
    "plain_value",
    "prepare_records",
    "runs_answer",
]

_MAX_METRICS = 64
_MAX_PROBLEMS = 20
_LOOK_SECONDS = 0.1
_RECORD_SECONDS = 0.3  # of making records of many runs, which other requests wait for
_TURN, _BETWEEN = 0.05, 0.02  # seconds of making records ahead, and for others between
_AT_ONCE = 256  # records that are made without a look at the clock, or a quarter of those that are there


@dataclass(frozen=True)
class RunsQuery:
    """All runs of the log directory, or some of them, with what is known of each."""

    run: Annotated[list[str], "names of runs; all if there is none"] = field(default_factory=list)
    filter: Annotated[str, "an expression of `vizkit.Runs.filter`"] = ""


@dataclass(frozen=True)
class MatchingQuery:
    """The names of the runs that a filter selects: of many runs, a small part of what is known of them."""

    filter: Annotated[str, "an expression of `vizkit.Runs.filter`"]


@dataclass(frozen=True)
class ChangesQuery:
    """Changes since a cursor; waits until there are some."""

    since: Annotated[str, "the cursor of an earlier answer"]
    wait: Annotated[float, "seconds to wait for a change", (0, 25)] = 20.0


def runs_answer(state: WorkspaceState, query: RunsQuery) -> RunsAnswer:
    """Answer with runs; of many, with those that are known within a moment."""
    if not query.run:
        state.live.wait_for_rest()
    with state.runs() as runs:
        some = named(runs, query.run)
        if query.filter:
            chosen = {run.name for run in runs.filter(query.filter)}
            some = [run for run in some if run.name in chosen]
        records = list(_records(state, some))
        return {
            "cursor": state.cursor(),
            "unread": state.live.unread + len(some) - len(records),
            "total": len(runs),
            "refused": state.live.refused,
            "runs": records,
        }


def matching_answer(state: WorkspaceState, query: MatchingQuery) -> MatchingAnswer:
    """Answer with the names of runs."""
    state.live.wait_for_rest()
    with state.runs() as runs:
        return {"runs": [run.name for run in runs.filter(query.filter)], "unread": state.live.unread}


def _records(state: WorkspaceState, runs: Sequence[Run]) -> Iterator[RunRecord]:
    """The records of runs, of the first ones at least, as JSON; those made before are used again."""
    spoken, made, end = language(), 0, time.monotonic() + _RECORD_SECONDS
    at_once = max(_AT_ONCE, len(state.records) // 4)
    for run in runs:
        key = run.revision, run.position
        known = state.records.get(run)
        if known is None or known[0] != key or known[1] not in ("", spoken):
            if made >= at_once and time.monotonic() > end:
                return
            made += 1
            known = state.records[run] = key, *_record_in_json(state, made, run)
        yield orjson.Fragment(known[2])  # type: ignore[misc]  # of which it becomes a part


def _record_in_json(state: WorkspaceState, number: int, run: Run) -> tuple[str, bytes]:
    """The language that a run's record is in, if it has words of VizKit; and the record."""
    proof = state.kept.proof(run)
    kept = state.kept.find(run, proof)
    if kept is not None:
        state.remember_remarks(run.name, run.remarks)
        return "", kept
    record = _record(state, number, run)
    found = orjson.dumps(record, option=orjson.OPT_NON_STR_KEYS)
    state.kept.note(run, proof, found)
    return language() if record["problems"] else "", found


def prepare_records(state: WorkspaceState, until: Callable[[], bool]) -> None:
    """Make the records of all runs that are there, turn by turn, before a page asks for them."""
    known, waiting, made = None, list[Run](), 0
    with without_gc():
        while not until():
            end = time.monotonic() + _TURN
            with state.runs() as runs:
                if runs is not known:
                    known, waiting = runs, [run for run in reversed(runs) if run not in state.records]
                while waiting and time.monotonic() < end:
                    if (run := waiting.pop()) not in state.records:
                        made += 1
                        key = run.revision, run.position
                        state.records[run] = key, *_record_in_json(state, made, run)
                is_complete = not waiting and not state.live.unread
            if is_complete:
                state.kept.save()
                return
            time.sleep(_BETWEEN)


def _record(state: WorkspaceState, number: int, run: Run) -> RunRecord:
    if number % RELEASED_AFTER == 0:
        state.live.release()
    started, duration, problems = run.started, run.duration, run.problems
    remarks = run.remarks
    state.remember_remarks(run.name, remarks)
    return {
        "name": run.name,
        "shown": run.display_name,
        "position": run.position,
        "color": color(run.position),
        "status": run.status,  # type: ignore[typeddict-item]  # one of these
        "started": None if started is None else round(started.timestamp() * 1000),
        "seconds": None if duration is None else duration.total_seconds(),
        "hparams": {name: plain_value(value) for name, value in run.hparams.items()},
        "metrics": {tag: metric_summary(run, tag) for tag in shown_metrics([run])[:_MAX_METRICS]},
        "tags": {**run.tags, "scalar": run.scalar_tags},
        "labels": list(remarks.labels),
        "note": remarks.note,
        "archived": remarks.archived,
        "problems": [printable(tr(problem.message)) for problem in problems[:_MAX_PROBLEMS]],
        "problem_count": len(problems),
    }


def plain_value(value: object) -> str | float | bool | None:
    """A value of a JSON answer; a text for numbers that JSON or JavaScript lacks, and for all else."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and abs(value) >= 2**53:  # JavaScript would round it
        return str(value)
    return value if isinstance(value, (str, int, float)) or value is None else str(value)


def metric_summary(run: Run, tag: str) -> MetricSummary:
    """A scalar tag of a run in a few numbers."""
    found = quick_summary(run, tag)

    def both(point: Point | None) -> tuple[float | str | None, float | None]:
        return (None, None) if point is None else (number(point.value), point.step)

    (least, least_step), (greatest, greatest_step) = both(found.min), both(found.max)
    return {
        "n": found.n,
        "nan": found.nan,
        "last": number(found.last.value),
        "last_step": found.last.step,
        "least": least,
        "least_step": least_step,
        "greatest": greatest,
        "greatest_step": greatest_step,
        "better": mode_in([run], tag),
    }


async def changes(
    state: WorkspaceState, query: ChangesQuery, is_gone: Callable[[], bool] = lambda: False
) -> ChangesAnswer:
    """Answer once there are changes, after the time to wait, or when the client is gone.

    An unknown cursor is before all changes.
    """
    instance, *numbers = query.since.split(".")
    if len(numbers) != 2 or not all(text.isdecimal() and len(text) < 16 for text in numbers):
        raise WrongParameter(
            "since", "since must be the cursor of an answer, got {value}", value=repr(query.since[:99])
        )
    version, statuses = map(int, numbers)
    if instance != state.instance:
        version = statuses = -1
    loop = asyncio.get_running_loop()
    end = loop.time() + query.wait
    while True:
        state.live.note_request()
        await asyncio.to_thread(state.look_at_statuses)
        cursor = state.cursor()
        if cursor != query.since or loop.time() >= end or is_gone() or state.live.stopped:
            return {
                "cursor": cursor,
                "layout": state.layout_changed_since(version, statuses),
                "changed": await asyncio.to_thread(state.changed_since, version, statuses),
                "unread": state.live.unread,
            }
        await asyncio.sleep(_LOOK_SECONDS)
