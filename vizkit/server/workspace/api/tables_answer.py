"""Tables of runs: which there are, their rows filtered, sorted and grouped, and single samples."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Literal
from urllib.parse import quote

import numpy as np
from starlette.responses import StreamingResponse

from vizkit.errors import DataError, UnknownNameError
from vizkit.format.input_packs import OVERLAYS, TEXT
from vizkit.format.tables import References, TableColumn, TableColumns, Texts
from vizkit.media.palette import color
from vizkit.metrics.arrays import AnyArray, Ints
from vizkit.metrics.downsampling import evenly
from vizkit.reading import RunTables, TableFile
from vizkit.runs import Run
from vizkit.runs.table_rows import CHANGE, grouped_rows, number_mean, value_codes
from vizkit.server.http import Answer
from vizkit.server.visualdl.api.media_pages import image_type
from vizkit.server.workspace.api.contents_answer import FOR_GOOD
from vizkit.server.workspace.api.state import WorkspaceState, named
from vizkit.server.workspace.api.table_answer_types import (
    ColumnHead,
    ColumnKind,
    PairsAnswer,
    RowGroupsAnswer,
    RowPointsAnswer,
    RowsAnswer,
    SampleAnswer,
    SampleValue,
    TablesAnswer,
)
from vizkit.server.workspace.api.table_store import OpenTable, nearest_file
from vizkit.server.workspace.api.thumbnails import thumbnail

__all__ = [
    "CsvQuery",
    "InputQuery",
    "RowGroupsQuery",
    "RowPointsQuery",
    "RowsQuery",
    "SampleQuery",
    "TablesQuery",
    "input_content",
    "read_input",
    "row_groups",
    "row_points",
    "rows",
    "rows_csv",
    "sample",
    "tables",
]

_MOST_RUNS = 200  # whose directories one answer looks at
_MOST_TEXT = 2000  # characters of a text in a row
_MOST_CELL = 1000
_MOST_POINTS = 5000
_CHUNK = 2000  # rows of CSV that are made at once
_MOST_STEPS = 24  # of a run, for one sample
_SECONDS = 4.0  # that one answer about a sample takes, about


@dataclass(frozen=True)
class TablesQuery:
    """The tables of runs, such as those of evaluations."""

    run: Annotated[list[str], "names of runs; all if there is none"] = field(default_factory=list)


@dataclass(frozen=True)
class _TableQuery:
    run: Annotated[str, "name of a run"]
    table: Annotated[str, "name of a table, as `tables` lists it"]
    step: Annotated[float | None, "the table nearest to this step; the last by default"] = None
    against: Annotated[str, "name of a second run, whose samples of equal id stand beside"] = ""
    where: Annotated[str, "an expression over columns, as of `Runs.filter`"] = ""


@dataclass(frozen=True)
class RowsQuery(_TableQuery):
    """Rows of a table, or of the samples of two runs."""

    order: Annotated[str, "the column to sort by"] = ""
    direction: Annotated[Literal["up", "down"], "`down`: the greatest first"] = "up"
    start: Annotated[int, "the first row of those that are selected", (0, 2**53)] = 0
    most: Annotated[int, "rows", (0, 1000)] = 100


@dataclass(frozen=True)
class CsvQuery(_TableQuery):
    """The selected rows of a table as CSV, without images."""

    order: Annotated[str, "the column to sort by"] = ""
    direction: Annotated[Literal["up", "down"], "`down`: the greatest first"] = "up"


@dataclass(frozen=True)
class RowGroupsQuery(_TableQuery):
    """The selected rows of a table in groups; by label and prediction they are a confusion matrix."""

    by: Annotated[list[str], "one or two columns"] = field(default_factory=list)
    most: Annotated[int, "groups", (1, 10_000)] = 10_000


@dataclass(frozen=True)
class RowPointsQuery(_TableQuery):
    """The selected rows of a table as points of a plane: its columns `x` and `y`, as of embeddings."""


@dataclass(frozen=True)
class SampleQuery:
    """A sample in the tables of runs, at all steps or as many as are quickly read."""

    table: Annotated[str, "name of a table"]
    run: Annotated[list[str], "names of runs, up to 20"]
    id: Annotated[str, "of the column id; without such a column the place of the row"]


@dataclass(frozen=True)
class InputQuery:
    """An image or a text that rows refer to."""

    run: Annotated[str, "name of a run"]
    digest: Annotated[str, "as in a row"]
    side: Annotated[int | None, "as of `content`", (16, 4096)] = None


def tables(state: WorkspaceState, query: TablesQuery) -> TablesAnswer:
    """Answer with the tables of runs."""
    with state.runs() as runs:
        chosen = named(runs, query.run)
        found: TablesAnswer = {"tables": [], "more": max(len(chosen) - _MOST_RUNS, 0)}
        for run in chosen[:_MOST_RUNS]:
            for name, steps in run.tables.items():
                if steps:
                    found["tables"].append({"run": run.name, "table": name, "steps": list(steps)})
    return found


def rows(state: WorkspaceState, query: RowsQuery) -> RowsAnswer:
    """Answer with rows of a table."""
    table, steps = _open(state, query)
    places = state.tables.rows(table, query.where, query.order, descending=query.direction == "down")
    shown = places[query.start : query.start + query.most]
    columns = table.columns
    cells = [_cells(column, shown) for column in columns.values()]
    images, texts = _inputs(columns, shown, table.sources)
    return {
        "run": query.run,
        "table": query.table,
        "step": table.file.step,
        "steps": list(steps),
        "other_step": None if table.other is None else table.other.step,
        "total": columns.rows,
        "found": len(places),
        "columns": [_head(name, column) for name, column in columns.items()],
        "rows": [list(row) for row in zip(*cells, strict=True)],
        "places": shown.tolist(),
        "images": images,
        "texts": texts,
        "pairs": None if table.other is None else _pairs(table),
    }


def rows_csv(state: WorkspaceState, query: CsvQuery) -> StreamingResponse:
    """Answer with the selected rows as CSV."""
    table, _ = _open(state, query)
    places = state.tables.rows(table, query.where, query.order, descending=query.direction == "down")
    name = quote(f"{query.table.replace('/', ' ')} {table.file.step}.csv", safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "Cache-Control": "no-store"}
    return StreamingResponse(_csv(table.columns, places), media_type="text/csv", headers=headers)


def _csv(table: TableColumns, places: Ints) -> Iterator[bytes]:
    columns = {name: column for name, column in table.items() if not isinstance(column, References)}
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(columns)
    for start in range(0, max(len(places), 1), _CHUNK):
        some = places[start : start + _CHUNK]
        writer.writerows(zip(*(_plain(column, some) for column in columns.values()), strict=True))
        yield file.getvalue().encode("utf-8", "replace")
        file.seek(0)
        file.truncate()


def _plain(column: TableColumn, places: Ints) -> Iterable[object]:
    if isinstance(column, Texts):
        texts: list[object] = column[places].to_array().tolist()
        return texts
    assert not isinstance(column, References)
    return list(column[places])  # float32 with its own digits


def row_groups(state: WorkspaceState, query: RowGroupsQuery) -> RowGroupsAnswer:
    """Answer with groups of rows."""
    if not 1 <= len(query.by) <= 2:
        raise DataError("by names one or two columns, got {n}", n=len(query.by))
    table, _ = _open(state, query)
    columns = table.columns
    for name in query.by:
        if name not in columns:
            raise UnknownNameError("there is no column {name}", name=repr(name[:200]))
    places = state.tables.rows(table, query.where)
    groups, count = grouped_rows([columns[name] for name in query.by], places, query.most)
    correct, loss = columns.get("correct"), columns.get("loss")
    return {
        "groups": [
            {
                "values": [_value(value) for value in group.values],
                "where": _where(query.by, group.values),
                "n": len(group.rows),
                "correct": number_mean(correct, group.rows),
                "loss": _finite(number_mean(loss, group.rows)),
            }
            for group in groups
        ],
        "more": count - len(groups),
    }


def row_points(state: WorkspaceState, query: RowPointsQuery) -> RowPointsAnswer:
    """Answer with rows as points, the same ones every time where there are many."""
    table, _ = _open(state, query)
    columns = table.columns
    x, y = columns.get("x"), columns.get("y")
    if not isinstance(x, np.ndarray) or not isinstance(y, np.ndarray):
        raise UnknownNameError("there is no column {name}", name="'x', 'y'")
    places = state.tables.rows(table, query.where)
    places = places[np.isfinite(x[places].astype(np.float64) + y[places].astype(np.float64))]
    shown = evenly(places, _MOST_POINTS)
    label = columns.get("label")
    codes, names = value_codes(label, shown) if label is not None else (np.zeros(len(shown), np.int64), [])
    ids, picture = columns.get("id"), _first_input(columns)
    images, _ = _inputs(TableColumns({"input": picture}), shown, table.sources) if picture else ({}, {})
    return {
        "found": len(places),
        "x": [float(value) for value in x[shown]],
        "y": [float(value) for value in y[shown]],
        "ids": shown.tolist() if ids is None else _cells(ids, shown),
        "groups": codes.tolist(),
        "names": [_value(name) for name in names],
        "colors": [color(place) for place in range(len(names))],
        "inputs": _cells(picture, shown) if picture else [],
        "images": images,
    }


def _first_input(columns: TableColumns) -> References | None:
    return next((column for column in columns.values() if isinstance(column, References)), None)


def sample(state: WorkspaceState, query: SampleQuery) -> SampleAnswer:
    """Answer with a sample at the steps of runs."""
    if len(query.run) > 20:
        raise DataError("a sample is asked for in 20 runs at most, got {n}", n=len(query.run))
    with state.runs() as runs:
        files = [(run, _files(run, query.table)) for run in named(runs, query.run)]
    found: SampleAnswer = {"rows": [], "images": {}, "texts": {}, "complete": True}
    until = time.monotonic() + _SECONDS
    for run, every in files:
        shown = evenly(np.arange(len(every)), _MOST_STEPS).tolist()
        found["complete"] &= len(shown) == len(every)
        for at in shown:
            if time.monotonic() > until and found["rows"]:
                found["complete"] = False
                break
            table = state.tables.read(run.logs.tables, every[at])
            place = _place(table, query.id)
            if place is None:
                continue
            rows = np.array([place])
            cells = {name: _cells(column, rows)[0] for name, column in table.items()}
            images, texts = _inputs(table, rows, {run.name: run.logs.tables})
            found["rows"].append({"run": run.name, "step": every[at].step, "cells": cells})
            found["images"].update(images)
            found["texts"].update(texts)
    return found


def input_content(state: WorkspaceState, query: InputQuery) -> Answer:
    """Answer with an image or a text."""
    kind, data = read_input(state, query.run, query.digest)
    if kind == OVERLAYS:
        raise UnknownNameError("there is no such image or text (any more)")
    if kind == TEXT:
        return Answer.of(data, "text/plain; charset=utf-8", headers=FOR_GOOD)
    picture = data if query.side is None else thumbnail(data, query.side)
    return Answer.of(picture, image_type(picture), headers=FOR_GOOD)


def read_input(state: WorkspaceState, name: str, digest: str) -> tuple[int, bytes]:
    """The kind and the bytes of what a row of a run refers to.

    Raises:
        UnknownNameError: it is not there, or cannot be read.
    """
    with state.runs() as runs:
        (run,) = named(runs, [name])
    found = run.logs.tables.inputs().get(int(digest) if digest.isascii() and digest.isdigit() else 0)
    if found is None:
        raise UnknownNameError("there is no such image or text (any more)")
    try:
        (data,) = run.logs.tables.contents([found])
    except DataError as error:
        raise UnknownNameError("the record cannot be read: {error}", error=error) from error
    return found.place.kind, data


# -- their parts --------------------------------------------------------------------------------------


def _open(state: WorkspaceState, query: _TableQuery) -> tuple[OpenTable, list[int | float]]:
    with state.runs() as runs:
        (run,) = named(runs, [query.run])
        file, steps = nearest_file(run, query.table, query.step)
        other = None
        if query.against:
            (second,) = named(runs, [query.against])
            other = second, nearest_file(second, query.table, query.step)[0]
    return state.tables.open(run, file, other), steps


def _files(run: Run, table: str) -> list[TableFile]:
    if table not in run.logs.tables.names():
        return []
    return [file for file in run.logs.tables.files(table) if file.path]


def _place(table: TableColumns, wanted: str) -> int | None:
    """The row of a sample."""
    ids = table.get("id")
    if isinstance(ids, Texts):
        if wanted not in ids.values:
            return None
        found = np.flatnonzero(ids.codes == list(ids.values).index(wanted))
    else:
        try:
            number = int(wanted)
        except ValueError:
            return None
        if not isinstance(ids, np.ndarray):
            return number if 0 <= number < table.rows else None
        found = np.flatnonzero(ids == number) if abs(number) < 1 << 63 else np.empty(0, np.int64)
    return int(found[0]) if len(found) else None


def _head(name: str, column: TableColumn) -> ColumnHead:
    kind: ColumnKind
    if isinstance(column, Texts):
        kind = "category" if column.category else "text"
    elif isinstance(column, References):
        kind = "input"
    else:
        kind = "bool" if column.dtype.kind == "b" else "whole" if column.dtype.kind in "iu" else "number"
    return {"name": name, "kind": kind}


def _cells(column: TableColumn, places: Ints) -> list[SampleValue]:
    if isinstance(column, Texts):
        texts = column[places].to_array().tolist()
        return [None if text is None else text[:_MOST_CELL] for text in texts]
    if isinstance(column, References):
        some = column[places]
        over = np.zeros(len(some), np.uint64) if some.layers is None else some.layers
        pairs = zip(some.digests.tolist(), over.tolist(), strict=True)
        named = [f"{digest} {layers}" if layers else str(digest) for digest, layers in pairs]
        return [name if digest else None for name, digest in zip(named, some.digests.tolist(), strict=True)]
    return [_value(value) for value in _shortest(column[places])]


def _shortest(values: AnyArray) -> list[object]:
    """Numbers as Python's, of float32 with no more digits than it has."""
    if values.dtype == np.float32:
        return [float(str(value)) for value in values]
    found: list[object] = values.tolist()
    return found


def _value(value: object) -> SampleValue:
    if isinstance(value, tuple):  # a bin
        least, end = value
        return f"≥ {least:g}" if end is None else f"{least:g} – {end:g}"
    if isinstance(value, float):
        return value if np.isfinite(value) else None if value != value else "inf" if value > 0 else "-inf"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return str(value)  # with all its digits
    return value if isinstance(value, (str, int, bool)) else None


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def _where(names: list[str], values: tuple[object, ...]) -> str:
    return " and ".join(_equals(name, value) for name, value in zip(names, values, strict=True))


def _equals(name: str, value: object) -> str:
    quoted = "`" + name.replace("`", "``") + "`"
    if value is None:
        return f"{quoted} is None"
    if isinstance(value, tuple):
        least, end = value
        above = f"{quoted} >= {_literal(least)}"
        return above if end is None else f"{above} and {quoted} < {_literal(end)}"
    return f"{quoted} == {_literal(value)}"


def _literal(value: object) -> str:
    if isinstance(value, float) and np.isinf(value):
        return "1e999" if value > 0 else "-1e999"
    return repr(value)


def _inputs(
    table: TableColumns, places: Ints, sources: dict[str, RunTables]
) -> tuple[dict[str, str], dict[str, str]]:
    """Of the inputs in some rows, the runs that have the images and layers, and the texts."""
    wanted: set[int] = set()
    for column in table.values():
        if isinstance(column, References):
            some = column[places]
            wanted.update(some.digests.tolist())
            wanted.update([] if some.layers is None else some.layers.tolist())
    images: dict[str, str] = {}
    texts: dict[str, str] = {}
    for run, tables in sources.items():
        known = tables.inputs() if wanted else {}
        there = [digest for digest in wanted if digest in known]
        images.update({str(digest): run for digest in there if not known[digest].is_text})
        words = [digest for digest in there if known[digest].is_text]
        try:
            contents = tables.contents(known[digest] for digest in words)
        except DataError:
            contents = []
        for digest, data in zip(words, contents, strict=False):
            texts[str(digest)] = data.decode("utf-8", "replace")[:_MOST_TEXT]
        wanted.difference_update(there)
    return images, texts


def _pairs(table: OpenTable) -> PairsAnswer:
    only_a, only_b, repeated = table.unpaired
    change = table.columns.get(CHANGE)
    counts: list[int | None] = [None] * 4
    if isinstance(change, Texts):
        counts = [int(n) for n in np.bincount(change.codes, minlength=4)]
    return {
        "mended": counts[0],
        "broken": counts[1],
        "both_wrong": counts[2],
        "both_right": counts[3],
        "only_a": only_a,
        "only_b": only_b,
        "repeated": repeated,
        "verdict": "" if table.difference is None else table.difference.verdict,
    }
