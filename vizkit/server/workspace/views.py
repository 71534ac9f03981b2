"""What the other views show: one run, the difference of runs, groups, problems."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from vizkit.curves.curves import curves_data
from vizkit.errors import UnknownNameError, VizKitError
from vizkit.runs import Run, Runs
from vizkit.runs.difference import differing, flat
from vizkit.runs.groups import Groups
from vizkit.runs.query import MISSING
from vizkit.runs.tables import duration_text, shown_metrics, value_text
from vizkit.server.workspace.address import Address
from vizkit.server.workspace.runs_table import (
    MetricCell,
    better,
    choose,
    hparam_key,
    leader,
    metric_cell,
    quoted,
)
from vizkit.server.workspace.svg_chart import Chart, chart, classes

__all__ = [
    "Difference",
    "Drawn",
    "Grouped",
    "Problems",
    "RunView",
    "difference",
    "grouped",
    "problems",
    "run_view",
]

_MOST_COMPARED = 20
_MOST_LINES = 20
_MOST_ROWS = 500
_MOST_TAGS = 200
_LONGEST_TEXT = 20_000  # characters

Importances = list[tuple[str, str, str, str, str]]


class Drawn(NamedTuple):
    """A chart with what can be chosen for it.

    Attributes:
        tag: what is drawn; empty if there is nothing.
        tags: what may be drawn.
        chart: the drawing, None if there is none.
        error: why not.
        cut: how many lines were left out.
    """

    tag: str
    tags: list[str]
    chart: Chart | None
    error: str = ""
    cut: int = 0


class RunView(NamedTuple):
    """One run."""

    name: str
    shown: str
    classes: str
    status: str
    started: str
    duration: str
    directory: str
    drawn: Drawn
    scalars: list[tuple[str, MetricCell, list[str]]]
    more_scalars: int
    hparams: list[tuple[str, str]]
    environment: list[tuple[str, str]]
    other: list[tuple[str, list[str]]]
    texts: list[tuple[str, str, str]]
    problems: list[str]


class Difference(NamedTuple):
    """What differs between runs: the values of each, `MISSING` as an empty text."""

    runs: list[tuple[str, str]]
    hparams: list[tuple[str, list[str]]]
    environment: list[tuple[str, list[str]]]
    metrics: list[tuple[str, list[MetricCell | None]]]
    same: list[tuple[str, str]]
    cut: int
    drawn: Drawn
    errors: dict[str, str]


class Group(NamedTuple):
    """A group of runs; ``filter`` chooses it, empty where no expression does."""

    label: str
    classes: str
    filter: str
    runs: int
    numbers: list[str]


class Grouped(NamedTuple):
    """Runs by a hyper-parameter."""

    found: int
    errors: dict[str, str]
    choices: list[tuple[str, str]]
    groups: list[Group]
    mode: str
    importance: Importances
    drawn: Drawn


class Problems(NamedTuple):
    """Problems by run: name, messages."""

    runs: list[tuple[str, str, list[str]]]
    total: int
    refused: list[tuple[str, str]]


def _tags(runs: Sequence[Run]) -> list[str]:
    """The scalar tags of some runs, those first that they are compared by."""
    return list(dict.fromkeys([*shown_metrics(runs), *(tag for run in runs for tag in run.scalar_tags)]))


def _draw(runs: Sequence[Run], address: Address, title: str, x_label: str, *, by: str | None = None) -> Drawn:
    tags = _tags(runs)
    if not tags:
        return Drawn("", [], None)
    tag = address.tag or tags[0]
    kept, cut = list(runs), 0
    try:
        if by is not None:
            groups = Runs([run for run in runs if tag in run.scalar_tags]).group_by(by)
            some = list(groups.values())[:_MOST_LINES]
            kept, cut = [run for group in some for run in group], len(groups) - len(some)
        data = curves_data(kept, tag, x=address.x, by=by, band="ci", log_y=address.scale == "log")
    except VizKitError as error:
        return Drawn(tag, tags[:_MOST_ROWS], None, str(error))
    label = f"{x_label} ({data.unit})" if data.unit else x_label
    drawn = chart(data, log_y=address.scale == "log", label=f"{title}: {tag}", x_label=label)
    return Drawn(tag, tags[:_MOST_ROWS], drawn, cut=cut)


def run_view(runs: Runs, address: Address, x_label: str) -> RunView:
    """The run that an address names.

    Raises:
        UnknownNameError: there is none such.
    """
    if not address.run:
        raise UnknownNameError("the address names no run")
    run = named(runs, address.run[0])
    tags = _tags([run])
    rows = []
    for tag in tags[:_MOST_TAGS]:
        cell = metric_cell(run, tag)
        if cell is not None:
            s = run.summary(tag)
            low, high = (None if p is None else p.value for p in (s.min, s.max))
            numbers = [value_text(value) for value in (low, high, s.mean, s.n, s.nan)]
            rows.append((tag, cell, ["" if text == "None" else text for text in numbers]))
    return RunView(
        name=run.name,
        shown="" if run.display_name == run.name else run.display_name,
        classes=classes(run.position),
        status=run.status,
        started="" if run.started is None else run.started.strftime("%Y-%m-%d %H:%M:%S UTC"),
        duration=duration_text(run.duration),
        directory=run.directory,
        drawn=_draw([run], address, run.name, x_label),
        scalars=rows,
        more_scalars=len(tags) - len(rows),
        hparams=[(name, _exact(value)) for name, value in run.hparams.items()][:_MOST_ROWS],
        environment=[(name, _exact(value)) for name, value in flat(run.environment).items()][:_MOST_ROWS],
        other=[(k, some[:_MOST_TAGS]) for k, some in run.tags.items() if k not in ("scalar", "scalars")],
        texts=_texts(run),
        problems=[problem.message for problem in run.problems][:_MOST_ROWS],
    )


def _texts(run: Run) -> list[tuple[str, str, str]]:
    """Tag, step and content of the last text of each tag, up to some characters together."""
    found, left = [], _LONGEST_TEXT
    for tag in run.tags.get("text", []):
        media = run.texts(tag)
        if len(media) and left > 0:
            text = media[-1]
            found.append((tag, value_text(media.steps[-1].item()), text[:left]))
            left -= len(text)
    return found


def named(runs: Runs, name: str) -> Run:
    """The run of a name, be it part of a path.

    Raises:
        UnknownNameError: there is none such, or several.
    """
    for run in runs:
        if run.name == name:
            return run
    found = runs[name]
    if not isinstance(found, Run):
        raise UnknownNameError(f"{name!r} is a pattern, not a run")
    return found


def difference(runs: Runs, address: Address, x_label: str) -> Difference:
    """What differs between the runs that an address names, or else between those that its filter chooses.

    Raises:
        UnknownNameError: a run that is not there.
    """
    errors: dict[str, str] = {}
    if address.run:
        chosen = Runs(list(dict.fromkeys(named(runs, name) for name in address.run)))
    else:
        chosen, errors = choose(runs, address)
    some = chosen[:_MOST_COMPARED]
    found = some.differences()
    tags = _tags(some)[:_MOST_TAGS]
    first = some[0].hparams if len(some) else {}
    return Difference(
        runs=[(run.name, classes(run.position)) for run in some],
        hparams=_listed(found["hparams"]),
        environment=_listed(found["environment"]),
        metrics=[(tag, _cells(some, tag)) for tag in tags],
        same=[(name, _exact(value)) for name, value in first.items() if name not in found["hparams"]],
        cut=len(chosen) - len(some),
        drawn=_draw(some, address, ", ".join(some.names[:3]), x_label),
        errors=errors,
    )


def _cells(runs: Runs, tag: str) -> list[MetricCell | None]:
    best = leader(runs, tag)
    return [metric_cell(run, tag, best) for run in runs]


def _listed(found: dict[str, list[Any]]) -> list[tuple[str, list[str]]]:
    return [(name, [_exact(value) for value in values]) for name, values in found.items()][:_MOST_ROWS]


def _exact(value: Any) -> str:
    return "" if value is MISSING else value if isinstance(value, str) else repr(value)


def grouped(
    runs: Runs, address: Address, x_label: str, importance: Callable[[tuple[Run, ...], str], Importances]
) -> Grouped:
    """Runs by the value of a hyper-parameter, with the mean of a metric over each group.

    Args:
        runs: all runs.
        address: what is asked for.
        x_label: what the horizontal axis is.
        importance: `importances`, which takes long, or what keeps its results.
    """
    some, errors = choose(runs, address)
    varying = differing([run.hparams for run in some])
    choices = [(name, hparam_key(name)) for name in varying]
    groups = None
    if address.group:
        try:
            groups = some.group_by(address.group)
        except VizKitError as error:
            errors["group"] = str(error)
    if groups:
        drawn = _draw(some, address, address.group, x_label, by=address.group)
    else:
        tags = _tags(some)
        drawn = Drawn(address.tag or (tags or [""])[0], tags[:_MOST_ROWS], None)
    mode = better(drawn.tag)
    return Grouped(
        found=len(some),
        errors=errors,
        choices=choices,
        groups=_groups(some, groups, address.group, drawn, mode) if groups else [],
        mode=mode,
        importance=importance(tuple(some), drawn.tag) if mode else [],
        drawn=drawn,
    )


def _groups(runs: Runs, groups: Groups, key: str, drawn: Drawn, mode: str) -> list[Group]:
    """The rows of the table; colours as in the chart, which leaves out groups without the tag."""
    expression = f"hparams.{quoted(key)}" if any(key in run.hparams for run in runs) else f"({key})"
    rows = groups.rows(drawn.tag, mode) if mode else [{} for _ in groups]
    out, position = [], 0
    for (label, some), row in list(zip(groups.items(), rows, strict=True))[:_MOST_ROWS]:
        there = any(drawn.tag in run.scalar_tags for run in some)
        name = classes(position) if there and position < _MOST_LINES else ""
        position += there
        numbers = [_number(row.get(part)) for part in ("n", "mean", "low", "high", "std", "min", "max")]
        text = "none" if label is None else value_text(label)
        out.append(Group(text, name, _filter(expression, label), len(some), numbers))
    return out


def _number(value: Any) -> str:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else value_text(value)


def _filter(key: str, label: Any) -> str:
    """The expression that is true for the runs of a group; empty if there is none."""
    if label is None:
        return f"{key} is None"
    plain = isinstance(label, (bool, int, str)) or (isinstance(label, float) and math.isfinite(label))
    return f"{key} == {label!r}" if plain else ""


def importances(runs: tuple[Run, ...], tag: str) -> Importances:
    """Which hyper-parameter mattered for a metric: name, share, p, values, what changed with it."""
    try:
        frame = Runs(runs).importance(tag)
    except VizKitError:  # too few runs
        return []
    return [
        (
            str(name),
            _number(float(row["importance"])),
            _number(float(row["p"])),
            str(row["values"]),
            str(row["together_with"]),
        )
        for name, row in frame.iterrows()
    ][:_MOST_ROWS]


def problems(runs: Runs, refused: Sequence[tuple[str, str]]) -> Problems:
    """What of the runs could not be read, or is not served.

    Args:
        runs: all runs.
        refused: name and message of what is not served.
    """
    found: list[tuple[str, str, list[str]]] = []
    total = 0
    for run in runs:
        messages = [problem.message for problem in run.problems]
        total += len(messages)
        if messages and len(found) < _MOST_ROWS:
            found.append((run.name, classes(run.position), messages[:20]))
    return Problems(found, total + len(refused), list(refused)[:_MOST_ROWS])
