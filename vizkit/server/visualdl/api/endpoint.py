"""What an endpoint of the API is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from vizkit.server.live_runs import Followed

__all__ = ["Endpoint", "Request", "Settings", "Streamed"]


@dataclass(frozen=True)
class Settings:
    """How runs are shown.

    Attributes:
        samples: points of one chart; its series share them.
        hparam_metrics: whether the table of hyper-parameters shows last or best values.
        model: a model file for the page of static graphs.
    """

    samples: int = 10_000
    hparam_metrics: Literal["last", "best"] = "last"
    model: str | None = None


class Request(NamedTuple):
    """What an endpoint answers from.

    Attributes:
        log: the runs.
        query: names and values of the URL's query; the last value counts.
        settings: how runs are shown.
        client: whose request it is, for pages that keep a state for each client.
    """

    log: Followed
    query: dict[str, str]
    settings: Settings
    client: str = ""


class Streamed(NamedTuple):
    """An answer that is sent as it is made."""

    parts: Iterator[bytes]
    media_type: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Endpoint:
    """One path of the API.

    Attributes:
        answer: gives the data for VisualDL's JSON envelope, or an `Answer` or `Streamed` as it is.
        needs: names that the query must hold.
        lasts: until what its answer stays the same: ``"shape"`` (runs or tags come or go), ``"version"``
            (any change), ``"run"`` (the run of the query changes); ``""``: it is made anew each time.
        stamp: what else the answer depends on.
        slow: whether it may take seconds: such requests wait for each other, and no other for them.
    """

    answer: Callable[[Request], Any]
    needs: tuple[str, ...] = ()
    lasts: str = "version"
    stamp: Callable[[Request], Hashable] | None = None
    slow: bool = False
