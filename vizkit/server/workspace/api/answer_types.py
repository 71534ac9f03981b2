"""The types of the API's answers."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

__all__ = [
    "Array",
    "ChangesAnswer",
    "ClassCurve",
    "ComparedLine",
    "ComparisonAnswer",
    "ComparisonNumbers",
    "Conflict",
    "CurveHead",
    "CurvesHead",
    "DifferencesAnswer",
    "DifferentValue",
    "Failure",
    "FileRecord",
    "FoundText",
    "GroupHead",
    "GroupNumbers",
    "GroupsAnswer",
    "HistogramRecord",
    "HistogramsAnswer",
    "HparamImportance",
    "ImportanceAnswer",
    "LayerBox",
    "LayerClass",
    "LayersAnswer",
    "MatchingAnswer",
    "MetricSummary",
    "NearestValue",
    "RecordsAnswer",
    "RecordsOfRun",
    "RemarksAnswer",
    "RunDetails",
    "RunRecord",
    "RunsAnswer",
    "SavedView",
    "ScalarSummary",
    "SearchAnswer",
    "SessionRecord",
    "SummariesAnswer",
    "TextsAnswer",
    "ValuesAnswer",
    "ViewsAnswer",
]

Number = float | str
"""A number; those that JSON lacks are ``"nan"``, ``"inf"`` and ``"-inf"``."""


class Failure(TypedDict):
    """The reason why a request is refused."""

    message: str
    parameter: Annotated[str | None, "the parameter that is wrong"]


class Conflict(TypedDict):
    """The reason why a change is not made: another editor was first."""

    message: str
    current: Annotated[str | None, "the present text; null if it is gone"]


class MetricSummary(TypedDict):
    """A scalar tag of a run in a few numbers."""

    n: Annotated[int, "records"]
    nan: Annotated[int, "NaN among them"]
    last: Number
    last_step: float
    least: Annotated[Number | None, "null if all are NaN"]
    least_step: float | None
    greatest: Number | None
    greatest_step: float | None
    better: Annotated[Literal["", "min", "max"], "the better direction, as its name tells"]


class RunRecord(TypedDict):
    """A run."""

    name: Annotated[str, "its path below the log directory; names it in queries"]
    shown: Annotated[str, "the name to show"]
    position: Annotated[int, "its place in the palette of runs"]
    color: str
    status: Literal["running", "finished", "failed", "interrupted", "killed", "unknown"]
    started: Annotated[int | None, "milliseconds since 1970"]
    seconds: Annotated[float | None, "duration"]
    hparams: dict[str, str | float | bool | None]
    metrics: Annotated[dict[str, MetricSummary], "the tags that runs are compared by"]
    tags: Annotated[dict[str, list[str]], "kind of record -> tags"]
    labels: list[str]
    note: str
    archived: bool
    problems: Annotated[list[str], "what could not be read: the first"]
    problem_count: Annotated[int, "all of them"]


class RunsAnswer(TypedDict):
    """Runs, in natural order."""

    cursor: Annotated[str, "for `changes`"]
    unread: Annotated[int, "runs that are not here because they are still being read: ask again"]
    total: Annotated[int, "runs, also those that the filter leaves out"]
    refused: Annotated[dict[str, str], "run, or directory, that is not served -> the reason; `.` is all"]
    runs: list[RunRecord]


class MatchingAnswer(TypedDict):
    """Runs that a filter selects."""

    runs: Annotated[list[str], "their names, in natural order"]
    unread: Annotated[int, "runs that are still being read"]


class SummariesAnswer(TypedDict):
    """Scalar tags of runs."""

    runs: Annotated[dict[str, dict[str, MetricSummary]], "run -> tag -> its numbers, where it has the tag"]


class ScalarSummary(MetricSummary):
    """A scalar tag of a run in a few numbers, and its mean."""

    mean: Annotated[Number | None, "without NaN; null where a look at all records would take long"]


class SessionRecord(TypedDict):
    """One process's stretch of a run."""

    status: Literal["running", "finished", "failed", "interrupted", "killed", "unknown"]
    started: Annotated[int | None, "milliseconds since 1970"]
    ended: int | None
    error: Annotated[str, "type and message of the error that ended it"]


class FileRecord(TypedDict):
    """A file in a run's directory."""

    path: Annotated[str, "below the run's directory"]
    size: Annotated[int, "bytes"]
    changed: Annotated[int, "milliseconds since 1970"]


class RunDetails(TypedDict):
    """All that is known of one run beside what `runs` says."""

    name: str
    directory: str
    ended: Annotated[int | None, "milliseconds since 1970; null while it runs"]
    last_second: Annotated[float | None, "seconds from its start to its last scalar"]
    sessions: Annotated[list[SessionRecord], "oldest first"]
    environment: Annotated[
        dict[str, str | float | bool | list[str] | None], "how it was made, by names such as `git/commit`"
    ]
    diff: Annotated[str, "what its code differed in from the commit"]
    scalars: dict[str, ScalarSummary]
    superseded: Annotated[dict[str, int], "tag -> records that a resumed session replaced"]
    problems: list[str]
    files: list[FileRecord]
    more_files: Annotated[bool, "there are more than these"]


class _Bytes(TypedDict):
    type: Annotated[Literal["float64", "float32", "uint32", "ramp"], "little-endian"]
    offset: int
    count: int


class Array(_Bytes, total=False):
    """The place of an array in the bytes behind the head.

    A ``ramp`` has no bytes: its numbers are ``start + step * place``, with ``place`` from 0.
    """

    start: float
    step: float


class CurveHead(TypedDict):
    """The window of a run's curve.

    ``points`` has the arrays ``x`` and ``y``; ``columns`` has ``x`` and ``x_last`` of the first and the last
    point, ``first``, ``least``, ``greatest``, ``last``, ``n`` and, if some values are not finite, ``nan``,
    ``above`` and ``below``, for each pixel column with points. ``around`` is x and y of the point before the
    window and of that behind it, or NaN.
    """

    run: str
    kind: Literal["points", "columns"]
    n: Annotated[int, "points in the window"]
    arrays: dict[str, Array]
    smooth: Annotated[dict[str, Array] | None, "the same arrays of the smoothed curve"]


class GroupHead(TypedDict):
    """The window of the mean of a group of runs.

    ``arrays`` has ``x``, ``y`` or the extremes of each pixel column, as of a run, the band's ``low`` and
    ``high``, and ``reach``: the number of runs that are in the mean.
    """

    label: str
    runs: list[str]
    kind: Literal["points", "columns"]
    arrays: dict[str, Array]


class CurvesHead(TypedDict):
    """The head of curves; arrays follow it."""

    tag: str
    x: str
    start: Annotated[float | None, "of the window; null without points"]
    end: float | None
    least: Annotated[float | None, "the least x of all curves"]
    greatest: float | None
    width: int
    unread: int
    cursor: str
    curves: list[CurveHead]
    groups: list[GroupHead]
    band: Annotated[str, "the way in which the band was computed"]
    without: Annotated[dict[str, str], "run -> the reason why it has no curve"]


class NearestValue(TypedDict):
    """The point of a curve that is nearest to an x."""

    run: str
    x: float
    step: float
    walltime: Annotated[int | None, "milliseconds since 1970"]
    value: Number


class ValuesAnswer(TypedDict):
    """The points of curves nearest to an x, highest first."""

    tag: str
    values: list[NearestValue]


class RecordsOfRun(TypedDict):
    """The records of a tag of a run. ``steps``, ``walltimes``, ``places`` and ``names`` go together."""

    run: str
    kind: str
    total: Annotated[int, "records between the given steps, of which not all may be here"]
    steps: list[float]
    walltimes: Annotated[list[int | None], "milliseconds since 1970"]
    places: Annotated[list[int], "for `content`"]
    names: Annotated[list[str], "for `content`"]
    layers: Annotated[bool, "the last image has layers, see `layers`"]


class RecordsAnswer(TypedDict):
    """The records of a tag: images, histograms, curves, texts, sounds."""

    tag: str
    runs: list[RecordsOfRun]


class LayerBox(TypedDict):
    """A box over an image."""

    place: Annotated[list[float], "left, top, right and bottom in pixels"]
    color: str
    text: Annotated[str, "its class, or another text"]
    score: Annotated[float | None, "null if it has none"]


class LayerClass(TypedDict):
    """A class of masks."""

    number: int
    name: str
    color: str


class LayersAnswer(TypedDict):
    """The layers of an image."""

    size: Annotated[list[int], "height and width of the bare image in pixels; 0 without layers"]
    masks: Annotated[list[str], "names for `layer`"]
    boxes: Annotated[dict[str, list[LayerBox]], "name of a layer -> its boxes"]
    classes: Annotated[list[LayerClass], "of the masks"]
    threshold: Annotated[float, "the score from which on boxes are shown at first"]


class HistogramRecord(TypedDict):
    """A histogram: how many values lie between each two neighbouring edges."""

    step: float
    walltime: int | None
    edges: Annotated[list[float], "one more than counts, or none"]
    counts: list[float]
    nan: int
    above: Annotated[int, "positive infinities"]
    below: Annotated[int, "negative infinities"]


class HistogramsAnswer(TypedDict):
    """Histograms of a tag of a run."""

    run: str
    tag: str
    total: Annotated[int, "histograms, of which not all may be here"]
    records: list[HistogramRecord]


class ClassCurve(TypedDict):
    """A PR curve (x: recall, y: precision) or a ROC curve (the rates of false and of true positives)."""

    x: list[float]
    y: list[float]
    thresholds: list[float]
    tp: list[float]
    fp: list[float]
    tn: list[float]
    fn: list[float]
    area: Annotated[Number, "average precision or area under the curve, of all scores; nan if not recorded"]


class FoundText(TypedDict):
    """A text that holds the words."""

    run: str
    tag: str
    step: float
    excerpt: str


class SearchAnswer(TypedDict):
    """Texts that hold the words."""

    found: list[FoundText]
    complete: Annotated[bool, "false: there may be more"]


class ChangesAnswer(TypedDict):
    """Changes since a cursor."""

    cursor: str
    layout: Annotated[bool, "runs or tags have come or gone: ask for `runs`"]
    changed: Annotated[list[str], "names of runs with new records or another status"]
    unread: int


class GroupNumbers(TypedDict):
    """A group of runs, and statistics of the best value of each."""

    values: Annotated[list[str | float | bool | None], "of the hyper-parameters; null where runs have none"]
    filter: Annotated[str, "an expression that selects its runs; empty if there is none"]
    runs: list[str]
    n: Annotated[int, "runs with the metric"]
    mean: Annotated[Number | None, "null without a value"]
    low: Annotated[Number | None, "of the mean's 95 % interval (Student's t); null for one run"]
    high: Number | None
    std: Number | None
    least: Number | None
    greatest: Number | None


class GroupsAnswer(TypedDict):
    """Groups of runs, in the order of their values."""

    tag: str
    mode: Annotated[Literal["", "min", "max"], "the better direction"]
    reason: Annotated[str, "why there are none"]
    groups: list[GroupNumbers]
    more: Annotated[int, "groups that are left out"]


class HparamImportance(TypedDict):
    """The importance of a hyper-parameter, as of `vizkit.Runs.importance`."""

    name: str
    importance: Annotated[Number, "share of the metric's variance, adjusted for chance, 0 to 1"]
    p: Annotated[Number, "probability that shuffled runs explain as much"]
    values: Annotated[int, "different values"]
    together_with: Annotated[list[str], "hyper-parameters that changed together with it"]


class ImportanceAnswer(TypedDict):
    """The importance of hyper-parameters, the greatest first."""

    tag: str
    mode: Annotated[Literal["", "min", "max"], "the better direction"]
    n: Annotated[int, "runs with a finite value"]
    reason: Annotated[str, "why there is none, for people"]
    hparams: list[HparamImportance]


class ComparisonNumbers(TypedDict):
    """The difference between two sets of runs, as of `vizkit.Runs.compare`."""

    mode: Literal["min", "max"]
    mean_a: float
    mean_b: float
    difference: Annotated[float, "mean of B minus mean of A"]
    low: Annotated[Number, "of its 95 % interval; NaN if a side has fewer than two runs"]
    high: Number
    n_a: int
    n_b: int
    left_out: Annotated[int, "runs without a finite value"]
    better: Annotated[bool | None, "null if the interval holds 0, or there is none"]


class ComparisonAnswer(TypedDict):
    """The verdict on two sets of runs: is B better than A?"""

    tag: str
    reason: Annotated[str, "why it cannot be told, for people"]
    sentence: Annotated[str, "the numbers and the verdict, for people"]
    numbers: ComparisonNumbers | None


class DifferentValue(TypedDict):
    """A hyper-parameter, or an entry of the environment, that is not the same in all runs."""

    name: str
    values: Annotated[list[str | None], "of each run; null where it is absent"]


class DifferencesAnswer(TypedDict):
    """Differences between runs."""

    runs: list[str]
    hparams: list[DifferentValue]
    environment: list[DifferentValue]
    more: Annotated[int, "differences that are left out"]


class ComparedLine(TypedDict):
    """A row of two texts side by side."""

    kind: Annotated[
        Literal["same", "changed", "removed", "added", "skipped"], "skipped: lines that are the same in both"
    ]
    line_a: Annotated[int | None, "number of the line; null where there is none"]
    text_a: str | None
    line_b: int | None
    text_b: str | None
    skipped: Annotated[int, "number of lines"]


class TextsAnswer(TypedDict):
    """Two texts side by side."""

    source: str
    sources: Annotated[list[str], "texts that one of the runs has"]
    same: bool
    cut: Annotated[int, "lines of the longer text that were not compared"]
    lines: list[ComparedLine]


class RemarksAnswer(TypedDict):
    """The remarks on a run."""

    labels: list[str]
    note: str
    archived: bool


class SavedView(TypedDict):
    """A view that somebody saved."""

    name: str
    query: Annotated[str, "of its address"]


class ViewsAnswer(TypedDict):
    """The views that people saved, in natural order."""

    views: list[SavedView]
    edit: Annotated[bool, "they can be changed"]
    problems: Annotated[list[str], "why they could not be read"]
