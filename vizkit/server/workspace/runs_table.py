"""The page of runs: a table of the selected runs, sorted, in pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal, NamedTuple

from vizkit._language import mark, tr
from vizkit.errors import VizKitError
from vizkit.runs import Run, Runs, sparkline
from vizkit.runs.difference import differing
from vizkit.runs.formatting import duration_text, value_text
from vizkit.runs.query import MISSING
from vizkit.runs.query_names import FIELDS
from vizkit.runs.scalar_tags import shown_metrics
from vizkit.runs.statistics import Summary, best_of_each, mode_in
from vizkit.server.workspace.address import Address
from vizkit.server.workspace.svg_chart import line_classes

__all__ = [
    "MetricCell",
    "RunRow",
    "RunsPage",
    "SortColumn",
    "filter_and_sort",
    "hparam_key",
    "leading_value",
    "metric_cell",
    "quoted",
    "runs_page",
]

_MAX_HPARAMS = 8
_MAX_METRICS = 4
_MAX_CHOICES = 300


class SortColumn(NamedTuple):
    """A column to sort by.

    Attributes:
        name: the hyper-parameter, metric or field in it.
        key: the expression that sorts by it.
        first: the order after the first click: ``desc`` where higher is better.
        best: for a metric, the expression of its best values; empty where its direction is unknown.
    """

    name: str
    key: str
    first: Literal["", "desc"] = ""
    best: str = ""


class MetricCell(NamedTuple):
    """A metric of a run: a sparkline, and its numbers as texts.

    Attributes:
        spark: an ``<svg>``, safe to insert.
        last, best: values of few digits.
        best_step: step of the best value.
        title: the exact values.
        leads: True if no run of the table has a better value.
    """

    spark: str
    last: str
    best: str
    best_step: str
    title: str
    leads: bool = False


class RunRow(NamedTuple):
    """A row of the table."""

    name: str
    shown: str
    classes: str
    status: str
    started: str
    duration: str
    hparams: list[str]
    metrics: list[MetricCell | None]
    problems: int


class RunsPage(NamedTuple):
    """Content of the page of runs.

    Attributes:
        total, found: numbers of all runs, and of those that the filter selects.
        errors: field of the form -> error message.
        fields, hparams, metrics: the columns.
        rows: the rows of this page.
        page, pages: number of this page, and of all.
        same: hyper-parameters that all found runs share.
        hparam_choices, metric_choices: columns to choose from.
        varying: hyper-parameters that differ.
    """

    total: int
    found: int
    errors: dict[str, str]
    fields: list[SortColumn]
    hparams: list[SortColumn]
    metrics: list[SortColumn]
    rows: list[RunRow]
    page: int
    pages: int
    same: list[tuple[str, str]]
    hparam_choices: list[str]
    metric_choices: list[str]
    varying: list[str]


def hparam_key(name: str) -> str:
    """The expression to sort or group runs by a hyper-parameter, whatever its name."""
    return f"hparams.{quoted(name)}" if name in FIELDS else name


def quoted(name: str) -> str:
    """A name as it is written in an expression."""
    return "`" + name.replace("`", "``") + "`"


def filter_and_sort(runs: Runs, address: Address) -> tuple[Runs, dict[str, str]]:
    """The runs that the filter selects, sorted, and the errors of the address: field -> message.

    A wrong filter or key is ignored.
    """
    errors = {}
    if address.filter:
        try:
            runs = runs.filter(address.filter)
        except VizKitError as error:
            errors["filter"] = str(error)
    if address.sort:
        try:
            runs = runs.sort(address.sort, reverse=address.order == "desc")
        except VizKitError as error:
            errors["sort"] = str(error)
    elif address.order:
        runs = runs[::-1]
    return runs, errors


def runs_page(runs: Runs, address: Address) -> RunsPage:
    """Content of the page of runs at an address."""
    found, errors = filter_and_sort(runs, address)
    made = [run.hparams for run in found]
    varying = differing(made)
    hparams = list(dict.fromkeys(name for row in made for name in row))
    tags = found.scalar_tags
    chosen_hparams, chosen_metrics = list(varying)[:_MAX_HPARAMS], shown_metrics(found)[:_MAX_METRICS]
    if address.columns:
        chosen_hparams = [name for name in address.hparam if name in hparams]
        chosen_metrics = [tag for tag in address.metric if tag in tags]
    pages = max(-(-len(found) // address.rows), 1)
    page = min(address.page, pages)
    shown = found[(page - 1) * address.rows : page * address.rows]
    metrics = [_metric_column(found, tag) for tag in chosen_metrics]
    leaders = [leading_value(found, tag) for tag in chosen_metrics]
    return RunsPage(
        total=len(runs),
        found=len(found),
        errors=errors,
        fields=[
            SortColumn(mark("Run"), "name"),
            SortColumn(mark("Status"), "status"),
            SortColumn(mark("Started (UTC)"), "started", "desc"),
            SortColumn(mark("Duration"), "duration", "desc"),
        ],
        hparams=[SortColumn(name, hparam_key(name)) for name in chosen_hparams],
        metrics=metrics,
        rows=[_row(run, chosen_hparams, chosen_metrics, leaders) for run in shown],
        page=page,
        pages=pages,
        same=_shared(made, varying) if len(found) > 1 else [],
        hparam_choices=hparams[:_MAX_CHOICES],
        metric_choices=tags[:_MAX_CHOICES],
        varying=list(varying),
    )


def _shared(rows: Sequence[dict[str, object]], varying: Collection[str]) -> list[tuple[str, str]]:
    return [(name, value_text(value)) for name, value in rows[0].items() if name not in varying]


def _metric_column(runs: Iterable[Run], tag: str) -> SortColumn:
    mode = mode_in(runs, tag)
    key = quoted(tag)
    best = f"{key}.best" if mode else ""
    return SortColumn(tag, f"{key}.last", "desc" if mode == "max" else "", best)


def leading_value(runs: Sequence[Run], tag: str) -> float | None:
    """The best value of a metric in several runs; None for one run, or if its direction is unknown."""
    mode = mode_in(runs, tag)
    values = [value for value in best_of_each(runs, tag, mode) if value == value] if mode else []
    if len(values) < 2:
        return None
    return min(values) if mode == "min" else max(values)


def _row(run: Run, hparams: Sequence[str], metrics: Sequence[str], leaders: Sequence[float | None]) -> RunRow:
    made = run.hparams
    return RunRow(
        name=run.name,
        shown="" if run.display_name == run.name else run.display_name,
        classes=line_classes(run.position),
        status=run.status,
        started="" if run.started is None else run.started.strftime("%Y-%m-%d %H:%M"),
        duration=duration_text(run.duration),
        hparams=[value_text(made.get(name, MISSING)) for name in hparams],
        metrics=[metric_cell(run, tag, top) for tag, top in zip(metrics, leaders, strict=True)],
        problems=len(run.problems),
    )


def metric_cell(run: Run, tag: str, top: float | None = None) -> MetricCell | None:
    """A metric of a run, None if it has none; ``top`` is the best value of all runs."""
    if tag not in run.scalar_tags:
        return None
    summary: Summary = run.summary(tag)
    columns = run.columns(tag)
    mode = mode_in([run], tag)
    best = summary.best(tag, mode) if mode else None
    title = tr("last {value!r} at step {step}", value=summary.last.value, step=value_text(summary.last.step))
    if best is not None:
        title += tr(
            "; best ({mode}) {value!r} at step {step}",
            mode=mode,
            value=best.value,
            step=value_text(best.step),
        )
    if summary.nan:
        title += tr("; NaN: {nan} of {n}", nan=summary.nan, n=summary.n)
    spark = sparkline.svg(columns.values, columns.steps, label=sparkline.blocks(columns.values))
    return MetricCell(
        spark,
        value_text(summary.last.value),
        "" if best is None else value_text(best.value),
        "" if best is None else value_text(best.step),
        title,
        best is not None and best.value == top,
    )
