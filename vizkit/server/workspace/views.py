"""Content of the pages of one run, of a comparison, of groups and of problems."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from vizkit.curves.curves import curves_data
from vizkit.curves.plot_arguments import group_positions, labelled_groups
from vizkit.errors import UnknownNameError, VizKitError
from vizkit.runs import Run, Runs
from vizkit.runs.difference import differing, flat
from vizkit.runs.formatting import duration_text, value_text
from vizkit.runs.groups import Groups
from vizkit.runs.query import MISSING
from vizkit.runs.scalar_tags import shown_metrics
from vizkit.runs.statistics import mode_in
from vizkit.server.workspace.address import Address
from vizkit.server.workspace.runs_table import (
    MetricCell,
    filter_and_sort,
    hparam_key,
    leading_value,
    metric_cell,
    quoted,
)
from vizkit.server.workspace.svg_chart import StillChart, draw_chart, line_classes

__all__ = [
    "ComparePage",
    "GroupRow",
    "GroupsPage",
    "ProblemsPage",
    "RunPage",
    "TagChart",
    "compare_page",
    "groups_page",
    "hparam_importance",
    "problems_page",
    "run_page",
]

_MAX_COMPARED = 20
_MAX_LINES = 20
_MAX_ROWS = 500
_MAX_TAGS = 200
_MAX_TEXTS = 10  # of a tag
_MAX_TEXT = 20_000  # characters

ImportanceRows = list[tuple[str, str, str, str, str]]
"""Hyper-parameter, importance, p, values, hyper-parameters that changed with it."""


class TagChart(NamedTuple):
    """A chart of one tag, and the tags to choose from.

    Attributes:
        tag: the tag; empty if there is none.
        tags: the tags to choose from.
        chart: the chart, None if there is none.
        error: the reason.
        cut: number of lines that were left out.
    """

    tag: str
    tags: list[str]
    chart: StillChart | None
    error: str = ""
    cut: int = 0


class RunPage(NamedTuple):
    """Content of the page of a run."""

    name: str
    shown: str
    classes: str
    status: str
    started: str
    duration: str
    directory: str
    drawn: TagChart
    scalars: list[tuple[str, MetricCell, list[str]]]
    more_scalars: int
    hparams: list[tuple[str, str]]
    environment: list[tuple[str, str]]
    other: list[tuple[str, list[str]]]
    texts: list[tuple[str, str, str]]
    problems: list[str]


class ComparePage(NamedTuple):
    """Content of the page that compares runs: the values that differ, `MISSING` as an empty text."""

    runs: list[tuple[str, str]]
    hparams: list[tuple[str, list[str]]]
    environment: list[tuple[str, list[str]]]
    metrics: list[tuple[str, list[MetricCell | None]]]
    same: list[tuple[str, str]]
    cut: int
    drawn: TagChart
    errors: dict[str, str]


class GroupRow(NamedTuple):
    """A group of runs; ``filter`` is an expression that selects it, empty where there is none."""

    label: str
    classes: str
    filter: str
    runs: int
    numbers: list[str]


class GroupsPage(NamedTuple):
    """Content of the page of groups."""

    found: int
    errors: dict[str, str]
    choices: list[tuple[str, str]]
    groups: list[GroupRow]
    mode: str
    importance: ImportanceRows
    drawn: TagChart


class ProblemsPage(NamedTuple):
    """Content of the page of problems: name, classes and messages of each run."""

    runs: list[tuple[str, str, list[str]]]
    total: int
    refused: list[tuple[str, str]]


def _tags(runs: Sequence[Run]) -> list[str]:
    """The scalar tags of some runs, their metrics first."""
    return list(dict.fromkeys([*shown_metrics(runs), *(tag for run in runs for tag in run.scalar_tags)]))


def _draw(runs: Runs, address: Address, title: str, x_label: str, *, by: str | None = None) -> TagChart:
    tags = _tags(runs)
    if not tags:
        return TagChart("", [], None)
    tag = address.tag or tags[0]
    kept, cut = runs, 0
    try:
        if by is not None:
            groups = runs.filter(lambda run: tag in run.scalar_tags).group_by(by)
            some = {run for group in list(groups.values())[:_MAX_LINES] for run in group}
            kept, cut = runs.filter(some.__contains__), max(len(groups) - _MAX_LINES, 0)
        data = curves_data(kept, tag, x=address.x, by=by, band="ci", log_y=address.scale == "log")
    except VizKitError as error:
        return TagChart(tag, tags[:_MAX_ROWS], None, str(error))
    label = f"{x_label} ({data.unit})" if data.unit else x_label
    drawn = draw_chart(data, log_y=address.scale == "log", label=f"{title}: {tag}", x_label=label)
    return TagChart(tag, tags[:_MAX_ROWS], drawn, cut=cut)


def run_page(runs: Runs, address: Address, x_label: str) -> RunPage:
    """Content of the page of the run that an address names.

    Raises:
        UnknownNameError: there is no such run.
    """
    if not address.run:
        raise UnknownNameError("the address names no run")
    run = _run_named(runs, address.run[0])
    tags = _tags([run])
    rows = []
    for tag in tags[:_MAX_TAGS]:
        cell = metric_cell(run, tag)
        if cell is not None:
            s = run.summary(tag)
            low, high = (None if p is None else p.value for p in (s.min, s.max))
            numbers = [value_text(value) for value in (low, high, s.mean, s.n, s.nan)]
            rows.append((tag, cell, ["" if text == "None" else text for text in numbers]))
    return RunPage(
        name=run.name,
        shown="" if run.display_name == run.name else run.display_name,
        classes=line_classes(run.position),
        status=run.status,
        started="" if run.started is None else run.started.strftime("%Y-%m-%d %H:%M:%S UTC"),
        duration=duration_text(run.duration),
        directory=run.directory,
        drawn=_draw(runs.filter(lambda one: one is run), address, run.name, x_label),
        scalars=rows,
        more_scalars=len(tags) - len(rows),
        hparams=[(name, _exact(value)) for name, value in run.hparams.items()][:_MAX_ROWS],
        environment=[(name, _exact(value)) for name, value in flat(run.environment).items()][:_MAX_ROWS],
        other=[(k, some[:_MAX_TAGS]) for k, some in run.tags.items() if k not in ("scalar", "scalars")],
        texts=_texts(run),
        problems=[problem.message for problem in run.problems][:_MAX_ROWS],
    )


def _texts(run: Run) -> list[tuple[str, str, str]]:
    """Tag, step and content of the last texts of each tag, up to a total number of characters."""
    found, left = [], _MAX_TEXT
    for tag in run.tags.get("text", []):
        media = run.texts(tag)
        for index in range(max(len(media) - _MAX_TEXTS, 0), len(media)):
            if left > 0:
                text = media[index]
                found.append((tag, value_text(media.steps[index].item()), text[:left]))
                left -= len(text)
    return found


def _run_named(runs: Runs, name: str) -> Run:
    """The run with a name, or with a path that begins with it.

    Raises:
        UnknownNameError: there is no such run, or there are several.
    """
    for run in runs:
        if run.name == name:
            return run
    found = runs[name]
    if not isinstance(found, Run):
        raise UnknownNameError("{name!r} is a pattern, not a run", name=name)
    return found


def compare_page(runs: Runs, address: Address, x_label: str) -> ComparePage:
    """Content of the page that compares the runs that an address names, or else those of its filter.

    Raises:
        UnknownNameError: there is no such run.
    """
    errors: dict[str, str] = {}
    if address.run:
        chosen = Runs(list(dict.fromkeys(_run_named(runs, name) for name in address.run)))
    else:
        chosen, errors = filter_and_sort(runs, address)
    some = chosen[:_MAX_COMPARED]
    found = some.differences()
    tags = _tags(some)[:_MAX_TAGS]
    first = some[0].hparams if len(some) else {}
    return ComparePage(
        runs=[(run.name, line_classes(run.position)) for run in some],
        hparams=_listed(found["hparams"]),
        environment=_listed(found["environment"]),
        metrics=[(tag, _cells(some, tag)) for tag in tags],
        same=[(name, _exact(value)) for name, value in first.items() if name not in found["hparams"]],
        cut=len(chosen) - len(some),
        drawn=_draw(some, address, ", ".join(some.names[:3]), x_label),
        errors=errors,
    )


def _cells(runs: Runs, tag: str) -> list[MetricCell | None]:
    best = leading_value(runs, tag)
    return [metric_cell(run, tag, best) for run in runs]


def _listed(found: Mapping[str, Sequence[object]]) -> list[tuple[str, list[str]]]:
    return [(name, [_exact(value) for value in values]) for name, values in found.items()][:_MAX_ROWS]


def _exact(value: object) -> str:
    return "" if value is MISSING else value if isinstance(value, str) else repr(value)


def groups_page(
    runs: Runs, address: Address, x_label: str, importance: Callable[[tuple[Run, ...], str], ImportanceRows]
) -> GroupsPage:
    """Content of the page of groups: runs by a hyper-parameter, with the mean of a metric over each group.

    ``importance`` is `hparam_importance`, which takes long, or a function that caches its results.
    """
    some, errors = filter_and_sort(runs, address)
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
        drawn = TagChart(address.tag or (tags or [""])[0], tags[:_MAX_ROWS], None)
    mode = mode_in(some, drawn.tag)
    return GroupsPage(
        found=len(some),
        errors=errors,
        choices=choices,
        groups=_groups(some, groups, address.group, drawn, mode) if groups else [],
        mode=mode,
        importance=importance(tuple(some), drawn.tag) if mode else [],
        drawn=drawn,
    )


def _groups(runs: Runs, groups: Groups, key: str, drawn: TagChart, mode: str) -> list[GroupRow]:
    """The rows of the table; colours as in the chart, which has no line for groups without the tag."""
    expression = f"hparams.{quoted(key)}" if any(key in run.hparams for run in runs) else f"({key})"
    rows = groups.rows(drawn.tag, mode) if mode else [{} for _ in groups]
    places, every = group_positions(runs, key), labelled_groups(list(runs), key)
    out, drawn_lines = [], 0
    for (label, some), row, group in list(zip(groups.items(), rows, every, strict=True))[:_MAX_ROWS]:
        there = any(drawn.tag in run.scalar_tags for run in some)
        name = line_classes(places[group]) if there and drawn_lines < _MAX_LINES else ""
        drawn_lines += there
        numbers = [_number(row.get(part)) for part in ("n", "mean", "low", "high", "std", "min", "max")]
        text = "none" if label is None else value_text(label)
        out.append(GroupRow(text, name, _filter(expression, label), len(some), numbers))
    return out


def _number(value: object) -> str:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else value_text(value)


def _filter(key: str, label: object) -> str:
    """An expression that selects the runs of a group; empty if there is none."""
    if label is None:
        return f"{key} is None"
    plain = isinstance(label, (bool, int, str)) or (isinstance(label, float) and math.isfinite(label))
    return f"{key} == {label!r}" if plain else ""


def hparam_importance(runs: tuple[Run, ...], tag: str) -> ImportanceRows:
    """The importance of each hyper-parameter for a metric; empty for too few runs."""
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
    ][:_MAX_ROWS]


def problems_page(runs: Runs, refused: Sequence[tuple[str, str]]) -> ProblemsPage:
    """Content of the page of problems; ``refused`` has name and message of each run that is not served."""
    found: list[tuple[str, str, list[str]]] = []
    total = 0
    for run in runs:
        messages = [problem.message for problem in run.problems]
        total += len(messages)
        if messages and len(found) < _MAX_ROWS:
            found.append((run.name, line_classes(run.position), messages[:20]))
    return ProblemsPage(found, total + len(refused), list(refused)[:_MAX_ROWS])
