"""The page of scalars: fewer points that look the same, and all of them as CSV or TSV."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from vizkit.format.walltime import milliseconds
from vizkit.metrics.downsampling import distinct, thinned
from vizkit.reading import Scalars
from vizkit.server.answers import Answer, json_answer
from vizkit.server.visualdl.api.endpoint import Endpoint, Request, Streamed
from vizkit.server.visualdl.api.finding import scalars_of, tags_answer

__all__ = ["ENDPOINTS", "plain_number", "points", "table"]

_FEWEST, _MOST = 32, 2_000  # points of one series, however many share a chart
_RESTING = 60_000  # ms since the last record
_KEPT = (("Cache-Control", "private, max-age=3"),)
_ROWS = 20_000


def plain_number(value: float) -> float | str:
    """A number as the page takes it: what JSON lacks as text."""
    return value if math.isfinite(value) else str(value)


def points(columns: Scalars, most: int) -> list[list[Any]]:
    """Rows of walltime, step and value; of many, the first, last, least and greatest of groups of neighbours.

    Args:
        columns: (n,) columns.
        most: how many finite points are kept, about. NaN and infinities stay too, one of each kind between
            two points.
    """
    steps, walltimes, values = columns
    if len(values) > most:
        kept = thinned(np.arange(len(values)), values, most).x.astype(np.intp)
        chosen = distinct(np.append(kept, [0, len(values) - 1]))
        steps, walltimes, values = steps[chosen], walltimes[chosen], values[chosen]
    shown: Iterable[Any] = values.tolist()
    if not np.isfinite(values).all():
        shown = map(plain_number, shown)
    return [list(row) for row in zip(milliseconds(walltimes).tolist(), steps.tolist(), shown, strict=True)]


def _budget(request: Request) -> int:
    tag = request.query.get("tag", request.query.get("metric", ""))
    counts = request.log.view.series
    series = max(counts[tag], counts[tag.replace("%", "/")], 1)
    return max(_FEWEST, min(_MOST, request.settings.samples // series))


def _list(request: Request) -> Answer:
    columns = scalars_of(request, request.query.get("tag", request.query.get("metric", "")))
    if not columns:
        return json_answer([])
    rows = points(columns, _budget(request))
    answer = json_answer(rows)
    # The page asks twice for each series when it opens, and drops the first answer. Where nothing was
    # recorded of late, its browser may give that one again.
    rests = bool(rows) and time.time() * 1000 - rows[-1][0] > _RESTING
    return replace(answer, headers=_KEPT) if rests else answer


def table(rows: Iterable[Iterable[Any]], request: Request, name: str) -> Streamed:
    """Rows as CSV, or as TSV if the query asks for it, some at a time."""
    tabs = request.query.get("type", "tsv") != "csv"

    def parts() -> Iterator[bytes]:
        with io.StringIO(newline="") as text:
            writer = csv.writer(text, delimiter="\t" if tabs else ",")
            for number, row in enumerate(rows, start=1):
                writer.writerow(row)
                if number % _ROWS == 0:
                    yield text.getvalue().encode("utf-8", "replace")
                    text.seek(0)
                    text.truncate()
            yield text.getvalue().encode("utf-8", "replace")

    kind = "tsv" if tabs else "csv"
    headers = (("Content-Disposition", f'attachment; filename="{name}.{kind}"'),)
    return Streamed(parts(), "text/tab-separated-values" if tabs else "text/csv", headers)


def _data(request: Request) -> Streamed:
    tag = request.query["tag"].replace("%", "/")
    columns = scalars_of(request, request.query["tag"])
    view = request.log.view
    member = None if request.query["run"] in view.runs else view.members.get(request.query["run"])
    names = (tag, member.member) if member else (tag,)

    def rows() -> Iterator[Iterable[Any]]:
        yield "id", *("tag", "sub_tag")[: len(names)], "timestamp", "value"
        if columns:
            for start in range(0, len(columns.steps), _ROWS):
                some = slice(start, start + _ROWS)
                steps, walltimes, values = (column[some].tolist() for column in columns)
                for step, walltime, value in zip(steps, walltimes, values, strict=True):
                    yield step, *names, walltime, value

    return table(rows(), request, "scalars")


ENDPOINTS = {
    "scalar/tags": Endpoint(lambda request: tags_answer(request, "scalar"), lasts="shape"),
    "scalar/list": Endpoint(_list, ("run", "tag"), "run", _budget),
    "scalar/data": Endpoint(_data, ("run", "tag"), ""),
    "hparams/metric": Endpoint(_list, ("run", "metric"), "run", _budget),
}
