"""The page of scalars: curves of fewer points that look the same, and all points to download."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from vizkit.format.walltime import time_list
from vizkit.metrics.downsampling import distinct, thinned
from vizkit.reading import Scalars
from vizkit.server.http import Answer, json_answer
from vizkit.server.visualdl.api.downloads import ROWS_A_PART, download
from vizkit.server.visualdl.api.endpoint import APIRequest, Endpoint, StreamedAnswer
from vizkit.server.visualdl.api.record_lookup import find_scalars, list_tags

__all__ = ["ENDPOINTS", "CurvePoint", "curve_answer", "points", "points_of_curve"]

_MIN_POINTS, _MAX_POINTS = 32, 2_000  # of one curve, however many share a chart
_RESTING = 60_000  # ms since the last record
_CACHED_BRIEFLY = (("Cache-Control", "private, max-age=3"),)

CurvePoint = list[int | float | str | None]
"""Walltime in milliseconds or None, step, value; a value that JSON lacks is a text."""


def points(columns: Scalars, limit: int) -> list[CurvePoint]:
    """Select points of a curve: of many, the first, last, least and greatest of groups of neighbours.

    About ``limit`` finite points are kept; NaN and infinities stay too, one of each kind between two points.
    """
    steps, walltimes, values = columns
    if len(values) > limit:
        kept = thinned(steps, values, limit).places
        chosen = distinct(np.append(kept, [0, len(values) - 1]))
        steps, walltimes, values = steps[chosen], walltimes[chosen], values[chosen]
    shown: Iterable[float | str] = values.tolist()
    if not np.isfinite(values).all():
        shown = (value if math.isfinite(value) else str(value) for value in values.tolist())
    return [list(row) for row in zip(time_list(walltimes), steps.tolist(), shown, strict=True)]


def points_of_curve(request: APIRequest) -> int:
    """The number of points of the query's curve: those of its chart, shared by all runs with the tag."""
    tag = _tag(request)
    counts = request.runs.snapshot.curve_counts
    curves = max(counts[tag], counts[tag.replace("%", "/")], 1)
    return max(_MIN_POINTS, min(_MAX_POINTS, request.options.samples // curves))


def _tag(request: APIRequest) -> str:
    return request.query.get("tag", request.query.get("metric", ""))


def curve_answer(request: APIRequest) -> Answer:
    """The points of the curve that the query's run and tag (or metric) name."""
    columns = find_scalars(request, _tag(request))
    if not columns:
        return json_answer([])
    rows = points(columns, points_of_curve(request))
    answer = json_answer(rows)
    # The page asks twice for each curve when it opens, and drops the first answer. Where nothing was
    # recorded of late, its browser may reuse that one.
    is_resting = bool(rows) and time.time() * 1000 - float(rows[-1][0] or 0) > _RESTING
    return replace(answer, headers=_CACHED_BRIEFLY) if is_resting else answer


def _download(request: APIRequest) -> StreamedAnswer:
    tag = request.query["tag"].replace("%", "/")
    columns = find_scalars(request, request.query["tag"])
    snapshot = request.runs.snapshot
    member = None if request.query["run"] in snapshot.runs else snapshot.members.get(request.query["run"])
    names = (tag, member.member) if member else (tag,)

    def rows() -> Iterator[Iterable[object]]:
        yield "id", *("tag", "sub_tag")[: len(names)], "timestamp", "value"
        if columns:
            for start in range(0, len(columns.steps), ROWS_A_PART):
                part = slice(start, start + ROWS_A_PART)
                steps, values = (column[part].tolist() for column in (columns.steps, columns.values))
                walltimes = time_list(columns.walltimes[part])
                for step, walltime, value in zip(steps, walltimes, values, strict=True):
                    yield step, *names, "" if walltime is None else walltime, value

    return download(rows(), request, "scalars")


ENDPOINTS = {
    "scalar/tags": Endpoint(lambda request: list_tags(request, "scalar"), depends_on="tags"),
    "scalar/list": Endpoint(curve_answer, ("run", "tag"), "run", points_of_curve),
    "scalar/data": Endpoint(_download, ("run", "tag"), ""),
}
