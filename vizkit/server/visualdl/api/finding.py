"""From the run and tag of a query to what they name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vizkit.reading import Entries, RunReader, Scalars
from vizkit.server.visualdl.api.endpoint import Request

__all__ = ["entries_of", "open_run", "scalars_of", "tag_of", "tags_answer"]


def tag_of(logs: RunReader, tag: str, kind: str) -> str | None:
    """The tag that is meant: VisualDL's clients may write ``/`` as ``%``."""
    for name in (tag, tag.replace("%", "/")):
        if logs.kinds.get(name) == kind:
            return name
    return None


@contextmanager
def open_run(request: Request) -> Iterator[RunReader | None]:
    """The logs of the run that a query names, held still; None if it is not there (any more)."""
    run = request.log.view.runs.get(request.query["run"])
    with request.log.lock:
        yield run.logs if run else None


def entries_of(request: Request, kind: str) -> Entries[Any] | None:
    """The records that a query names; None if they are not there (any more)."""
    with open_run(request) as logs:
        tag = tag_of(logs, request.query["tag"], kind) if logs else None
        return logs.entries(tag) if logs and tag else None


def scalars_of(request: Request, tag: str) -> Scalars | None:
    """The columns of a scalar tag, or of a member of a group, that a query names."""
    name = request.query["run"]
    view = request.log.view
    with request.log.lock:
        run = view.runs.get(name)
        if run:
            found = tag_of(run.logs, tag, "scalar")
            if found:
                return run.logs.scalars(found)
        member = view.members.get(name)
        if member and member.tag == tag.replace("%", "/"):
            logs = member.run.logs
            if logs.kinds.get(member.tag) == "scalars":
                return logs.group(member.tag).get(member.member)
    return None


def tags_answer(request: Request, kind: str) -> dict[str, Any]:
    """Parallel lists of runs and of their tags of a kind."""
    found = request.log.view.tags(kind)
    return {"runs": list(found), "tags": list(found.values())}
