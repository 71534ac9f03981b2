"""Tables of runs as they are asked for: read once, joined, filtered and sorted once, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from vizkit.errors import DataError, QueryError, UnknownNameError
from vizkit.format.tables import TableColumns, Texts
from vizkit.metrics.arrays import Ints
from vizkit.reading import RunTables, TableFile
from vizkit.runs import Run
from vizkit.runs.prediction_table import PredictionTable
from vizkit.runs.sample_comparison import diff_predictions
from vizkit.runs.sample_difference import SampleDifference
from vizkit.runs.sample_pairs import pair_rows
from vizkit.runs.table_frames import with_correct
from vizkit.runs.table_query import rows_where
from vizkit.runs.table_rows import beside, ordered_rows
from vizkit.server.sized_cache import SizedCache

__all__ = ["OpenTable", "TableStore", "nearest_file"]

_TABLES = 256 << 20  # bytes of tables, and of those that are joined
_ROWS = 128 << 20  # bytes of places of rows


@dataclass(frozen=True, eq=False)
class OpenTable:
    """A table that is asked for, or the samples of two.

    Attributes:
        key: differs for other tables.
        columns: the table.
        file: its file.
        sources: the tables of the runs whose images and texts it refers to, by the run's name.
        other: the file of the second run's table, or None.
        unpaired: rows that are only in the first table, only in the second, of ids that come twice,
            and without an id.
        difference: what the second run changed, or None.
    """

    key: tuple[str, ...]
    columns: TableColumns
    file: TableFile
    sources: dict[str, RunTables]
    other: TableFile | None = None
    unpaired: tuple[int, int, int, int] = (0, 0, 0, 0)
    difference: SampleDifference | None = None


class TableStore:
    """The tables that were read last, and orders of their rows."""

    def __init__(self) -> None:
        self._tables: SizedCache[TableColumns] = SizedCache(_TABLES, keep_newest=True)
        self._joined: SizedCache[OpenTable] = SizedCache(_TABLES, keep_newest=True)
        self._rows: SizedCache[Ints] = SizedCache(_ROWS, keep_newest=True)

    def read(self, tables: RunTables, file: TableFile) -> TableColumns:
        """Read a table, with the column ``correct`` where it can be told.

        Raises:
            UnknownNameError: its file is gone or damaged.
        """
        found = self._tables.get(file.path, None)
        if found is None:
            try:
                found = with_correct(tables.read(file))
            except DataError as error:
                raise UnknownNameError("the table cannot be read: {error}", error=error) from error
            self._tables.put(file.path, None, found, _size(found))
        return found

    def open(self, run: Run, file: TableFile, other: tuple[Run, TableFile] | None = None) -> OpenTable:
        """Open a table, or the samples of two; files do not change. Errors as of `read`."""
        tables = run.logs.tables
        if other is None:
            return OpenTable((file.path,), self.read(tables, file), file, {run.name: tables})
        key = file.path, other[1].path
        found = self._joined.get(key, None)
        if found is None:
            found = self._join(key, (run, file), other)
            self._joined.put(key, None, found, _size(found.columns))
        return found

    def _join(
        self, key: tuple[str, ...], one: tuple[Run, TableFile], other: tuple[Run, TableFile]
    ) -> OpenTable:
        a, b = (
            PredictionTable(run.name, file.tag, file.step, self.read(run.logs.tables, file), run.logs.tables)
            for run, file in (one, other)
        )
        pairs = pair_rows(a.column("id"), b.column("id"))
        difference = gain = None
        with suppress(QueryError, DataError):  # samples that are neither right nor wrong, nor measured
            difference = diff_predictions(a, b)
            if not difference.judged:
                before, after = a.numbers(a.metric)[pairs.a], b.numbers(a.metric)[pairs.b]
                gain = after - before.astype(np.float64) if difference.mode == "max" else before - after
        columns = beside(a.columns, b.columns, pairs, gain)
        sources = {run.name: run.logs.tables for run, _ in (one, other)}
        unpaired = pairs.only_a, pairs.only_b, pairs.repeated, pairs.unnamed
        return OpenTable(key, columns, one[1], sources, other[1], unpaired, difference)

    def rows(self, table: OpenTable, where: str, order: str = "", *, descending: bool = False) -> Ints:
        """The places of the rows that an expression selects, in the order of a column.

        Raises:
            QueryError: the expression is none.
            UnknownNameError: there is no such column.
        """
        key = *table.key, where, order, str(descending)
        found = self._rows.get(key, None)
        if found is None:
            columns = table.columns
            found = np.flatnonzero(rows_where(columns, where)) if where.strip() else np.arange(columns.rows)
            if order:
                if order not in columns:
                    raise UnknownNameError("there is no column {name}", name=repr(order[:200]))
                found = ordered_rows(columns[order], found, descending=descending)
            self._rows.put(key, None, found, found.nbytes)
        return found


def nearest_file(run: Run, table: str, step: float | None) -> tuple[TableFile, list[int | float]]:
    """The table of a name that is nearest to a step, by default the last, and all its steps.

    Raises:
        UnknownNameError: there is none.
    """
    files: Sequence[TableFile] = []
    if table in run.logs.tables.names():
        files = [file for file in run.logs.tables.files(table) if file.path]
    if not files:
        raise UnknownNameError("{run} has no table {table}", run=run.name[:200], table=repr(table[:200]))
    steps = [file.step for file in files]
    at = len(files) - 1
    if step is not None:
        apart = np.abs(np.array(steps, np.float64) - step)
        at = int(np.flatnonzero(apart == apart.min())[-1])
    return files[at], steps


def _size(table: TableColumns) -> int:
    texts = sum(
        sum(map(len, column.values)) + 60 * len(column.values)
        for column in table.values()
        if isinstance(column, Texts)
    )
    return table.nbytes + texts
