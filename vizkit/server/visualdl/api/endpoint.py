"""Endpoints of the API: the request that one gets, and the answer that it gives."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from vizkit.server.live_runs import LiveRuns
from vizkit.server.options import ServeOptions

__all__ = ["APIRequest", "Endpoint", "StreamedAnswer"]


class APIRequest(NamedTuple):
    """A request to an endpoint.

    Attributes:
        runs: the runs to answer from.
        query: names and values of the URL's query; of several values the last counts.
        options: how runs are shown.
        client: the client's address, for pages that keep a state for each client.
    """

    runs: LiveRuns
    query: dict[str, str]
    options: ServeOptions
    client: str = ""


class StreamedAnswer(NamedTuple):
    """An answer that is sent part by part."""

    parts: Iterator[bytes]
    media_type: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Endpoint:
    """One path of the API.

    Attributes:
        answer: returns an `Answer`, a `StreamedAnswer`, or the data for VisualDL's JSON envelope.
        needs: names that the query must hold.
        depends_on: the part of the log that the answer depends on; it is cached until that changes.
            ``"log"``: any record; ``"tags"``: the lists of runs and tags; ``"run"``: the records of the
            query's run; ``""``: never cached.
        also_depends_on: returns a further value that the answer depends on.
        slow: it may take seconds: slow requests wait for each other, and no other waits for them.
    """

    answer: Callable[[APIRequest], object]
    needs: tuple[str, ...] = ()
    depends_on: Literal["", "log", "tags", "run"] = "log"
    also_depends_on: Callable[[APIRequest], Hashable] | None = None
    slow: bool = False
