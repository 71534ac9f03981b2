"""Tables of runs: which there are, and their rows filtered, sorted and grouped."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Literal
from urllib.parse import quote

import numpy as np
from starlette.responses import StreamingResponse

from vizkit.errors import DataError, UnknownNameError
from vizkit.format.tables import References, TableColumn, TableColumns, Texts
from vizkit.media.palette import color
from vizkit.metrics.arrays import Ints
from vizkit.metrics.downsampling import evenly
from vizkit.runs.export import BOM, without_formula
from vizkit.runs.table_rows import CHANGE, grouped_rows, number_mean, value_codes
from vizkit.server.workspace.api.inputs_answer import inputs_of_rows
from vizkit.server.workspace.api.state import WorkspaceState, named
from vizkit.server.workspace.api.table_answer_types import (
    ColumnHead,
    ColumnKind,
    PairsAnswer,
    RowGroupsAnswer,
    RowPointsAnswer,
    RowsAnswer,
    TablesAnswer,
)
from vizkit.server.workspace.api.table_cells import cell_of, cells_of, finite
from vizkit.server.workspace.api.table_store import OpenTable, nearest_file

__all__ = [
    "CsvQuery",
    "RowGroupsQuery",
    "RowPointsQuery",
    "RowsQuery",
    "TablesQuery",
    "row_groups",
    "row_points",
    "rows",
    "rows_csv",
    "tables",
]

_MOST_RUNS = 200  # whose directories one answer looks at
_MOST_POINTS = 5000
_CHUNK = 2000  # rows of CSV that are made at once


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
    cells = [cells_of(column, shown) for column in columns.values()]
    images, texts = inputs_of_rows(columns, shown, table.sources)
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
    """Answer with the selected rows as CSV, for people in front of a spreadsheet.

    It knows the encoding by the mark at the beginning, and runs no text as a formula.
    """
    table, _ = _open(state, query)
    places = state.tables.rows(table, query.where, query.order, descending=query.direction == "down")
    name = quote(f"{query.table.replace('/', ' ')} {table.file.step}.csv", safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "Cache-Control": "no-store"}
    return StreamingResponse(_csv(table.columns, places), media_type="text/csv", headers=headers)


def _csv(table: TableColumns, places: Ints) -> Iterator[bytes]:
    columns = {name: column for name, column in table.items() if not isinstance(column, References)}
    file = io.StringIO(newline="")
    file.write(BOM)
    writer = csv.writer(file)
    writer.writerow(map(without_formula, columns))
    for start in range(0, max(len(places), 1), _CHUNK):
        some = places[start : start + _CHUNK]
        writer.writerows(zip(*(_plain(column, some) for column in columns.values()), strict=True))
        yield file.getvalue().encode("utf-8", "replace")
        file.seek(0)
        file.truncate()


def _plain(column: TableColumn, places: Ints) -> Iterable[object]:
    if isinstance(column, Texts):
        return map(without_formula, column[places].to_array().tolist())
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
                "values": [cell_of(value) for value in group.values],
                "where": _where(query.by, group.values),
                "n": len(group.rows),
                "correct": number_mean(correct, group.rows),
                "loss": finite(number_mean(loss, group.rows)),
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
    pictures = TableColumns({"input": picture} if picture else {})
    images, _ = inputs_of_rows(pictures, shown, table.sources)
    return {
        "found": len(places),
        "x": [float(value) for value in x[shown]],
        "y": [float(value) for value in y[shown]],
        "ids": shown.tolist() if ids is None else cells_of(ids, shown),
        "groups": codes.tolist(),
        "names": [cell_of(name) for name in names],
        "colors": [color(place) for place in range(len(names))],
        "inputs": cells_of(picture, shown) if picture else [],
        "images": images,
    }


def _first_input(columns: TableColumns) -> References | None:
    return next((column for column in columns.values() if isinstance(column, References)), None)


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


def _head(name: str, column: TableColumn) -> ColumnHead:
    kind: ColumnKind
    if isinstance(column, Texts):
        kind = "category" if column.category else "text"
    elif isinstance(column, References):
        kind = "input"
    else:
        kind = "bool" if column.dtype.kind == "b" else "whole" if column.dtype.kind in "iu" else "number"
    return {"name": name, "kind": kind}


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


def _pairs(table: OpenTable) -> PairsAnswer:
    only_a, only_b, repeated, unnamed = table.unpaired
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
        "unnamed": unnamed,
        "verdict": "" if table.difference is None else table.difference.verdict,
    }
