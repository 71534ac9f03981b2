"""The table of runs: what is chosen, in which order, in which columns, and the cells of one page of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from vizkit.errors import DataError, VizKitError
from vizkit.metrics.direction import direction
from vizkit.runs import Run, Runs, sparkline
from vizkit.runs.difference import differing
from vizkit.runs.query import MISSING
from vizkit.runs.query_names import FIELDS
from vizkit.runs.summary import Summary
from vizkit.runs.tables import duration_text, shown_metrics, value_text
from vizkit.server.workspace.address import Address
from vizkit.server.workspace.svg_chart import classes

__all__ = [
    "Column",
    "MetricCell",
    "Row",
    "Table",
    "better",
    "choose",
    "hparam_key",
    "leader",
    "metric_cell",
    "quoted",
    "table",
]

_MOST_HPARAMS = 8
_MOST_METRICS = 4
_MOST_CHOICES = 300


class Column(NamedTuple):
    """A column to sort by.

    Attributes:
        name: what it shows.
        key: the expression that sorts by it.
        first: the order that a first click gives: ``desc`` where more is better.
        best: for a metric, the expression of its best values; empty where it is not known what is best.
    """

    name: str
    key: str
    first: Literal["", "desc"] = ""
    best: str = ""


class MetricCell(NamedTuple):
    """A metric of a run: a drawing, and its numbers as texts.

    Attributes:
        spark: an ``<svg>``, safe as it is.
        last, best: short.
        best_step: where the best is.
        title: the exact values.
        leads: whether no run of the table has a better one.
    """

    spark: str
    last: str
    best: str
    best_step: str
    title: str
    leads: bool = False


class Row(NamedTuple):
    """A run of the table."""

    name: str
    shown: str
    classes: str
    status: str
    started: str
    duration: str
    hparams: list[str]
    metrics: list[MetricCell | None]
    problems: int


class Table(NamedTuple):
    """What the page of runs shows.

    Attributes:
        total, found: how many runs there are, and how many fit the filter.
        errors: field of the form -> what is wrong with it.
        fields, hparams, metrics: the columns.
        rows: of this page.
        page, pages: which, of how many.
        same: hyper-parameters that all found runs share.
        hparam_choices, metric_choices: all there are.
        varying: hyper-parameters that differ.
    """

    total: int
    found: int
    errors: dict[str, str]
    fields: list[Column]
    hparams: list[Column]
    metrics: list[Column]
    rows: list[Row]
    page: int
    pages: int
    same: list[tuple[str, str]]
    hparam_choices: list[str]
    metric_choices: list[str]
    varying: list[str]


def hparam_key(name: str) -> str:
    """The key that runs are sorted or grouped by for a hyper-parameter, whatever its name."""
    return f"hparams.{quoted(name)}" if name in FIELDS else name


def quoted(name: str) -> str:
    """A name as it stands in an expression."""
    return "`" + name.replace("`", "``") + "`"


def better(tag: str) -> Literal["", "min", "max"]:
    """Which values of a metric are better; empty where its name does not tell."""
    try:
        return direction(tag, "auto")
    except DataError:
        return ""


def choose(runs: Runs, address: Address) -> tuple[Runs, dict[str, str]]:
    """The runs that fit the filter, sorted, and what is wrong with the address: field -> message.

    A filter or a key that is wrong is left out.
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


def table(runs: Runs, address: Address) -> Table:
    """The table that an address asks for."""
    found, errors = choose(runs, address)
    made = [run.hparams for run in found]
    varying = differing(made)
    hparams = list(dict.fromkeys(name for row in made for name in row))
    tags = found.scalar_tags
    chosen_hparams, chosen_metrics = list(varying)[:_MOST_HPARAMS], shown_metrics(found)[:_MOST_METRICS]
    if address.columns:
        chosen_hparams = [name for name in address.hparam if name in hparams]
        chosen_metrics = [tag for tag in address.metric if tag in tags]
    pages = max(-(-len(found) // address.rows), 1)
    page = min(address.page, pages)
    shown = found[(page - 1) * address.rows : page * address.rows]
    metrics = [_metric_column(tag) for tag in chosen_metrics]
    leaders = [leader(found, tag) for tag in chosen_metrics]
    return Table(
        total=len(runs),
        found=len(found),
        errors=errors,
        fields=[
            Column("Run", "name"),
            Column("Status", "status"),
            Column("Started (UTC)", "started", "desc"),
            Column("Duration", "duration", "desc"),
        ],
        hparams=[Column(name, hparam_key(name)) for name in chosen_hparams],
        metrics=metrics,
        rows=[_row(run, chosen_hparams, chosen_metrics, leaders) for run in shown],
        page=page,
        pages=pages,
        same=_shared(made, varying) if len(found) > 1 else [],
        hparam_choices=hparams[:_MOST_CHOICES],
        metric_choices=tags[:_MOST_CHOICES],
        varying=list(varying),
    )


def _shared(rows: Sequence[dict[str, Any]], varying: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, value_text(value)) for name, value in rows[0].items() if name not in varying]


def _metric_column(tag: str) -> Column:
    mode = better(tag)
    key = quoted(tag)
    best = f"{key}.best" if mode else ""
    return Column(tag, f"{key}.last", "desc" if mode == "max" else "", best)


def leader(runs: Sequence[Run], tag: str) -> float | None:
    """The best value of a metric in any run; None where it is not known what is best, or of one run."""
    mode = better(tag)
    values = [
        point.value
        for run in runs
        if mode and tag in run.scalar_tags and (point := run.summary(tag).best(tag, mode)) is not None
    ]
    if len(values) < 2:
        return None
    return min(values) if mode == "min" else max(values)


def _row(run: Run, hparams: Sequence[str], metrics: Sequence[str], leaders: Sequence[float | None]) -> Row:
    made = run.hparams
    return Row(
        name=run.name,
        shown="" if run.display_name == run.name else run.display_name,
        classes=classes(run.position),
        status=run.status,
        started="" if run.started is None else run.started.strftime("%Y-%m-%d %H:%M"),
        duration=duration_text(run.duration),
        hparams=[value_text(made.get(name, MISSING)) for name in hparams],
        metrics=[metric_cell(run, tag, top) for tag, top in zip(metrics, leaders, strict=True)],
        problems=len(run.problems),
    )


def metric_cell(run: Run, tag: str, top: float | None = None) -> MetricCell | None:
    """A metric of a run, None if it has none; ``top`` is the best value of any run."""
    if tag not in run.scalar_tags:
        return None
    summary: Summary = run.summary(tag)
    columns = run.columns(tag)
    mode = better(tag)
    best = summary.best(tag, mode) if mode else None
    title = f"last {summary.last.value!r} at step {value_text(summary.last.step)}"
    if best is not None:
        title += f"; best ({mode}) {best.value!r} at step {value_text(best.step)}"
    if summary.nan:
        title += f"; NaN: {summary.nan} of {summary.n}"
    spark = sparkline.svg(columns.values, columns.steps, label=sparkline.blocks(columns.values))
    return MetricCell(
        spark,
        value_text(summary.last.value),
        "" if best is None else value_text(best.value),
        "" if best is None else value_text(best.step),
        title,
        best is not None and best.value == top,
    )
