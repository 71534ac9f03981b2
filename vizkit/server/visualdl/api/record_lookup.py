"""Lookup of the records that a query's run and tag name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from vizkit._files import is_shortage
from vizkit.errors import DataError
from vizkit.format.walltime import time_list
from vizkit.metrics.arrays import Ints
from vizkit.metrics.downsampling import evenly
from vizkit.reading import Entries, RunReader, Scalars
from vizkit.server.visualdl.api.endpoint import APIRequest

__all__ = [
    "find_entries",
    "find_scalars",
    "list_tags",
    "locked_run",
    "shortages_raised",
    "shown_places",
    "shown_records",
]


@contextmanager
def locked_run(request: APIRequest) -> Iterator[RunReader | None]:
    """The logs of the query's run, locked against refreshes; None if there is no such run (any more)."""
    run = request.runs.snapshot.runs.get(request.query["run"])
    with request.runs.lock:
        yield run.logs if run else None


def find_entries(request: APIRequest, kind: str) -> Entries[Any] | None:
    """The records of the query's run and tag; None if there are none (any more)."""
    with locked_run(request) as logs:
        tag = _find_tag(logs, request.query["tag"], kind) if logs else None
        return logs.entries(tag) if logs and tag else None


def shown_places(entries: Entries[Any], limit: int) -> Ints:
    """Indices of the records that are shown: all, or the first, the last and evenly spaced ones."""
    return evenly(np.arange(len(entries)), limit)


def shown_records(entries: Entries[Any], limit: int) -> Iterator[tuple[int | None, float, object]]:
    """Walltime in milliseconds, step and content of the records that are shown, without broken ones."""
    places = shown_places(entries, limit)
    walltimes = time_list(entries.walltimes[places])
    for place, walltime in zip(places.tolist(), walltimes, strict=True):
        with suppress(DataError), shortages_raised():
            yield walltime, entries.steps[place].item(), entries[place]


@contextmanager
def shortages_raised() -> Iterator[None]:
    """Raise the cause of a `DataError` if the records are there, but no file can be opened now."""
    try:
        yield
    except DataError as error:
        if isinstance(error.__cause__, OSError) and is_shortage(error.__cause__):
            raise error.__cause__ from None
        raise


def find_scalars(request: APIRequest, tag: str) -> Scalars | None:
    """The columns of a scalar tag of the query's run, which may be a member of a group."""
    name = request.query["run"]
    snapshot = request.runs.snapshot
    with request.runs.lock:
        run = snapshot.runs.get(name)
        if run:
            found = _find_tag(run.logs, tag, "scalar")
            if found:
                return run.logs.scalars(found)
        member = snapshot.members.get(name)
        if member and member.tag == tag.replace("%", "/"):
            logs = member.run.logs
            if logs.kinds.get(member.tag) == "scalars" and member.member in logs.members(member.tag):
                return logs.scalars(member.tag, member.member)
    return None


def _find_tag(logs: RunReader, tag: str, kind: str) -> str | None:
    """The tag that is meant: VisualDL's clients may write ``/`` as ``%``."""
    return next((name for name in (tag, tag.replace("%", "/")) if logs.kinds.get(name) == kind), None)


def list_tags(request: APIRequest, kind: str) -> dict[str, object]:
    """The runs that have tags of a kind, and the tags of each, as parallel lists."""
    found = request.runs.snapshot.tags(kind)
    return {"runs": list(found), "tags": list(found.values())}
