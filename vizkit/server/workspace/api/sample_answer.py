"""A sample in the tables of runs, over steps."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from vizkit.errors import DataError
from vizkit.format.tables import TableColumns, Texts
from vizkit.metrics.downsampling import evenly
from vizkit.reading import TableFile
from vizkit.runs import Run
from vizkit.server.workspace.api.inputs_answer import inputs_of_rows
from vizkit.server.workspace.api.state import WorkspaceState, named
from vizkit.server.workspace.api.table_answer_types import SampleAnswer
from vizkit.server.workspace.api.table_cells import cells_of

__all__ = ["SampleQuery", "sample"]

_MOST_STEPS = 24  # of a run
_SECONDS = 4.0  # that one answer takes, about


@dataclass(frozen=True)
class SampleQuery:
    """A sample in the tables of runs, at all steps or as many as are quickly read."""

    table: Annotated[str, "name of a table"]
    run: Annotated[list[str], "names of runs, up to 20"]
    id: Annotated[str, "of the column id; without such a column the place of the row"]


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
            cells = {name: cells_of(column, rows)[0] for name, column in table.items()}
            images, texts = inputs_of_rows(table, rows, {run.name: run.logs.tables})
            found["rows"].append({"run": run.name, "step": every[at].step, "cells": cells})
            found["images"].update(images)
            found["texts"].update(texts)
    return found


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
