"""The operations of the API: each with its path, its query, its answer and the function that makes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vizkit.server.workspace.api.answer_types import (
    ChangesAnswer,
    ClassCurve,
    ComparisonAnswer,
    CurvesHead,
    DifferencesAnswer,
    GroupsAnswer,
    HistogramsAnswer,
    ImportanceAnswer,
    LayersAnswer,
    MatchingAnswer,
    RecordsAnswer,
    RemarksAnswer,
    RunDetails,
    RunsAnswer,
    SearchAnswer,
    SummariesAnswer,
    TextsAnswer,
    ValuesAnswer,
    ViewsAnswer,
)
from vizkit.server.workspace.api.contents_answer import (
    ContentQuery,
    HistogramsQuery,
    SearchQuery,
    content,
    histograms,
    search_texts,
)
from vizkit.server.workspace.api.curves_answer import CurvesQuery, curves_answer
from vizkit.server.workspace.api.differences_answer import (
    DifferencesQuery,
    TextsQuery,
    differences_answer,
    texts_answer,
)
from vizkit.server.workspace.api.directory_files import FileQuery, run_file
from vizkit.server.workspace.api.edits import (
    RemarksEdit,
    ViewEdit,
    ViewsQuery,
    edit_remarks,
    edit_view,
    views_answer,
)
from vizkit.server.workspace.api.groups_answer import GroupsQuery, groups_answer
from vizkit.server.workspace.api.inputs_answer import InputQuery, input_content
from vizkit.server.workspace.api.layers_answer import (
    InputLayerQuery,
    InputLayersQuery,
    LayerQuery,
    LayersQuery,
    input_layer,
    input_layers,
    layer,
    layers,
)
from vizkit.server.workspace.api.packing import ARRAYS
from vizkit.server.workspace.api.records_answer import RecordsQuery, ValuesQuery, records, values
from vizkit.server.workspace.api.run_details import RunQuery, run_details
from vizkit.server.workspace.api.runs_answer import (
    ChangesQuery,
    MatchingQuery,
    RunsQuery,
    changes,
    matching_answer,
    runs_answer,
)
from vizkit.server.workspace.api.sample_answer import SampleQuery, sample
from vizkit.server.workspace.api.summaries_answer import SummariesQuery, summaries_answer
from vizkit.server.workspace.api.table_answer_types import (
    RowGroupsAnswer,
    RowPointsAnswer,
    RowsAnswer,
    SampleAnswer,
    TablesAnswer,
)
from vizkit.server.workspace.api.tables_answer import (
    CsvQuery,
    RowGroupsQuery,
    RowPointsQuery,
    RowsQuery,
    TablesQuery,
    row_groups,
    row_points,
    rows,
    rows_csv,
    tables,
)
from vizkit.server.workspace.api.verdicts import (
    ComparisonQuery,
    ImportanceQuery,
    comparison_answer,
    importance_answer,
)

__all__ = ["EDITS", "OPERATIONS", "Edit", "Operation"]


@dataclass(frozen=True)
class Operation:
    """One path of the API.

    Attributes:
        path: below ``api/``.
        summary: a line for people.
        query: the dataclass of its parameters.
        answer: the type of its answer, or of the head of a binary one; bytes for a file.
        function: makes the answer; a coroutine may wait, and is told if the client is gone.
        media_type: of the answer.
        lasting: True if the answer is the same until records change.
    """

    path: str
    summary: str
    query: type[Any]
    answer: type
    function: Callable[..., object]
    media_type: str = "application/json"
    lasting: bool = False


@dataclass(frozen=True)
class Edit:
    """One path of the API that takes a change, where the server was started to edit.

    Attributes:
        path: below ``api/``.
        summary: a line for people.
        body: the dataclass of its JSON body.
        answer: the type of its answer.
        function: makes the change, and the answer.
    """

    path: str
    summary: str
    body: type[Any]
    answer: type
    function: Callable[..., object]


OPERATIONS = (
    Operation("runs", "Runs", RunsQuery, RunsAnswer, runs_answer),
    Operation("matching", "Names of runs by a filter", MatchingQuery, MatchingAnswer, matching_answer),
    Operation("summaries", "Scalar tags in a few numbers", SummariesQuery, SummariesAnswer, summaries_answer),
    Operation("run", "One run", RunQuery, RunDetails, run_details),
    Operation("file", "A file of a run", FileQuery, bytes, run_file, "application/octet-stream"),
    Operation("curves", "Windows of curves", CurvesQuery, CurvesHead, curves_answer, ARRAYS, lasting=True),
    Operation("values", "Exact values at an x", ValuesQuery, ValuesAnswer, values),
    Operation(
        "importance", "Importance of hyper-parameters", ImportanceQuery, ImportanceAnswer, importance_answer
    ),
    Operation(
        "comparison", "Whether some runs are better", ComparisonQuery, ComparisonAnswer, comparison_answer
    ),
    Operation(
        "differences", "Differences between runs", DifferencesQuery, DifferencesAnswer, differences_answer
    ),
    Operation("groups", "Groups in numbers", GroupsQuery, GroupsAnswer, groups_answer),
    Operation("texts", "Two texts line by line", TextsQuery, TextsAnswer, texts_answer),
    Operation("records", "Places of images, histograms and others", RecordsQuery, RecordsAnswer, records),
    Operation("content", "The content of a record", ContentQuery, ClassCurve, content, "*/*"),
    Operation("layers", "The layers of an image", LayersQuery, LayersAnswer, layers),
    Operation("layer", "A layer of an image", LayerQuery, bytes, layer, "image/png"),
    Operation("histograms", "Histograms over steps", HistogramsQuery, HistogramsAnswer, histograms),
    Operation("search", "Texts that hold some words", SearchQuery, SearchAnswer, search_texts),
    Operation("tables", "Tables of runs", TablesQuery, TablesAnswer, tables),
    Operation("rows", "Rows of a table", RowsQuery, RowsAnswer, rows),
    Operation("rows.csv", "Rows of a table as CSV", CsvQuery, bytes, rows_csv, "text/csv"),
    Operation("row-groups", "Rows of a table in groups", RowGroupsQuery, RowGroupsAnswer, row_groups),
    Operation("row-points", "Rows of a table on a plane", RowPointsQuery, RowPointsAnswer, row_points),
    Operation("sample", "A sample over steps and runs", SampleQuery, SampleAnswer, sample),
    Operation("input", "An image or text of a table", InputQuery, bytes, input_content, "image/png"),
    Operation(
        "input-layers", "The layers of an image of a table", InputLayersQuery, LayersAnswer, input_layers
    ),
    Operation(
        "input-layer", "A layer of an image of a table", InputLayerQuery, bytes, input_layer, "image/png"
    ),
    Operation("views", "Saved views", ViewsQuery, ViewsAnswer, views_answer),
    Operation("changes", "Changes since a cursor", ChangesQuery, ChangesAnswer, changes),
)

EDITS = (
    Edit("remarks", "Label, note or archive a run", RemarksEdit, RemarksAnswer, edit_remarks),
    Edit("views", "Save, rename or delete a view", ViewEdit, ViewsAnswer, edit_view),
)
