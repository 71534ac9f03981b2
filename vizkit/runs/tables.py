"""Runs as tables for people: one content, as plain text and as static HTML.

Nothing of a log reaches the page or the terminal but escaped, and long texts and tables are cut.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from vizkit.errors import DataError
from vizkit.format.tags import SECONDS
from vizkit.metrics.direction import direction
from vizkit.reading import Scalars
from vizkit.runs import sparkline
from vizkit.runs.difference import differing
from vizkit.runs.lookup import in_order
from vizkit.runs.query import MISSING

if TYPE_CHECKING:
    from vizkit.runs.run import Run

__all__ = [
    "Cell",
    "View",
    "as_html",
    "as_text",
    "clean",
    "duration_text",
    "run_view",
    "runs_table",
    "shown_metrics",
    "value_text",
]

# Together they keep the page below 100 kB, whatever is in the logs.
_MOST_RUNS = 16  # half from the top, half from the bottom
_MOST_HPARAMS = 8
_MOST_METRICS = 4
_MOST_ROWS = 30  # of one run's table
_LONGEST_CELL = 32  # characters
_LONGEST_METRIC = 44
_COLUMNS = 20  # of a sparkline
_LONGEST_LINE = 400


class Cell(NamedTuple):
    """A text, and a series to be drawn before it."""

    text: str
    series: Scalars | None = None


class View(NamedTuple):
    """A table.

    Attributes:
        title: what it is of.
        header: the columns' names.
        rows: their cells.
        notes: lines below it.
        spare: columns that can be left out where there is no room for all, the first ones first.
    """

    title: str
    header: list[str]
    rows: list[list[Cell]]
    notes: list[str]
    spare: Sequence[int] = ()


def value_text(value: Any) -> str:
    """A hyper-parameter or metric, short: four digits of a float."""
    if value is MISSING or value is None:
        return "" if value is MISSING else "None"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def duration_text(duration: timedelta | None) -> str:
    """``3.2 s``, ``12 min 05 s``, ``3 h 20 min``, ``2 d 4 h``."""
    if duration is None:
        return ""
    seconds = duration.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60):02} s"
    if seconds < 172_800:
        return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02} min"
    return f"{int(seconds // 86_400)} d {int(seconds % 86_400 // 3600)} h"


def clean(text: str, longest: int | None = _LONGEST_CELL) -> str:
    """In one line, without what moves a terminal's cursor or turns the direction of writing.

    Args:
        text: any.
        longest: characters that are left of it at most; None: all.
    """
    shown = text if longest is None else text[: longest + 1]
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in shown)
    return text if longest is None or len(text) <= longest else text[: longest - 1] + "…"


def _metric_cell(run: Run, tag: str) -> Cell:
    if tag not in run.scalar_tags:
        return Cell("")
    summary = run.summary(tag)
    text = value_text(summary.last.value)
    try:
        best = summary.best(tag)
        if best is not None and best.value != summary.last.value:
            text += f" ({direction(tag, 'auto')} {value_text(best.value)} at {value_text(best.step)})"
    except DataError:  # the name does not tell which way is better
        pass
    return Cell(text, run.columns(tag))


def shown_metrics(runs: Sequence[Run]) -> list[str]:
    """The metrics that runs name, or else all scalar tags, those that exist, in order.

    What is sampled beside the training is left out, unless it is named, or nothing else is there.
    """
    named = dict.fromkeys(tag for run in runs for tag in run.metrics)
    there = in_order(tag for run in runs for tag in run.scalar_tags)
    trained = [tag for tag in there if not tag.startswith(SECONDS)]
    known = set(there)
    return [tag for tag in named if tag in known] or trained or there


def runs_table(
    runs: Sequence[Run], where: str = "", *, metrics: Sequence[str] | None = None, most: int = _MOST_RUNS
) -> View:
    """Runs as a table of what differs: status, hyper-parameters, metrics.

    Args:
        runs: the runs.
        where: where they are.
        metrics: scalar tags; by default those that the runs name, or else all, up to four.
        most: rows at most; of more runs, the first and the last ones are shown.
    """
    runs = list(runs)
    place = f" in {clean(where, 80)}" if where else ""
    if not runs:
        return View(f"no runs{place}", [], [], [])
    rows = [run.hparams for run in runs]
    other = differing(rows)
    same = {name: value for name, value in rows[0].items() if name not in other}
    every = shown_metrics(runs)
    hparams, tags = list(other)[:_MOST_HPARAMS], every[:_MOST_METRICS] if metrics is None else list(metrics)
    cut = len(runs) > most
    header = ["run", "status", "duration", *hparams, *tags]
    table = []
    for index, run in enumerate(runs):
        if cut and index == most // 2:
            table.append([Cell(f"… {len(runs) - most // 2 * 2} more")] + [Cell("")] * (len(header) - 1))
        if cut and most // 2 <= index < len(runs) - most // 2:
            continue
        table.append(
            [
                Cell(run.name),
                Cell(run.status),
                Cell(duration_text(run.duration)),
                *(Cell(value_text(other[name][index])) for name in hparams),
                *(_metric_cell(run, tag) for tag in tags),
            ]
        )
    notes = []
    if same:
        notes.append("the same in all: " + ", ".join(f"{k} = {value_text(v)}" for k, v in same.items()))
    if len(other) > len(hparams):
        notes.append("differ too: " + ", ".join(list(other)[_MOST_HPARAMS:]))
    if metrics is None and len(every) > len(tags):
        notes.append("more metrics: " + ", ".join(every[_MOST_METRICS:]))
    troubled = [run.name for run in runs if run.logs.problems]
    if troubled:
        notes.append(f"problems in {len(troubled)} of them, see .problems: " + ", ".join(troubled[:5]))
    title = f"{len(runs)} run{'s' if len(runs) > 1 else ''}{place}"
    return View(title, header, table, notes, _spare(runs, len(hparams), len(tags), metrics is not None))


def _spare(runs: Sequence[Run], hparams: int, metrics: int, asked: bool) -> list[int]:
    """The columns of `runs_table` in the order in which they can be missed."""
    status, duration, first = 1, 2, 3
    settings = [*reversed(range(first, first + hparams))]
    results = [*range(first + hparams, first + hparams + metrics)]
    # Those asked for come by importance; of all, the evaluation's stand last.
    least = [*settings, *reversed(results)] if asked else [*results[:-1], *settings, *results[-1:]]
    ended_well = all(run.status == "finished" for run in runs)
    return [duration, status, *least] if ended_well else [duration, *least, status]


def run_view(run: Run) -> View:
    """One run: its metrics as rows, and what else is known of it."""
    tags = shown_metrics([run])
    tags = [*tags, *(tag for tag in run.scalar_tags if tag not in tags)]
    rows = [[Cell(tag), _metric_cell(run, tag)] for tag in tags[:_MOST_ROWS]]
    if len(tags) > _MOST_ROWS:
        rows.append([Cell(f"… {len(tags) - _MOST_ROWS} more"), Cell("")])
    notes = []
    if run.hparams:
        notes.append("hparams: " + ", ".join(f"{k} = {value_text(v)}" for k, v in run.hparams.items()))
    other = {kind: tags for kind, tags in run.tags.items() if kind not in ("scalar", "scalars")}
    notes += [f"{kind}: {', '.join(tags)}" for kind, tags in other.items()]
    notes += [f"problem: {problem.message} ({problem.path})" for problem in run.problems[:5]]
    about = ", ".join(filter(None, (run.status, duration_text(run.duration))))
    name = run.name if run.display_name == run.name else f"{run.name} ({run.display_name})"
    return View(f"run {clean(name, 120)}: {about}", ["scalar", "last"] if rows else [], rows, notes)


def as_text(view: View) -> str:
    """A view as lines of text; series in block characters."""
    table = [[clean(name) for name in view.header]] if view.header else []
    for row in view.rows:
        table.append([])
        for cell in row:
            line = sparkline.blocks(cell.series.values) + " " if cell.series is not None else ""
            table[-1].append(line + clean(cell.text, _longest(cell)))
    widths = [max(map(_width, column)) for column in zip(*table, strict=True)]
    lines = [view.title]
    for texts in table:
        padded = (text + " " * (width - _width(text)) for text, width in zip(texts, widths, strict=True))
        lines.append("  ".join(padded).rstrip())
    return "\n".join([*lines, *(clean(note, _LONGEST_LINE) for note in view.notes)])


def _longest(cell: Cell) -> int:
    return _LONGEST_CELL if cell.series is None else _LONGEST_METRIC


def _width(text: str) -> int:
    """Columns of a terminal that it takes."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def as_html(view: View) -> str:
    """A view as HTML without scripts or styles of its own; series as SVG."""

    def escape(text: str, longest: int = _LONGEST_CELL) -> str:
        return html.escape(clean(text, longest))

    head = "".join(f"<th>{escape(name)}</th>" for name in view.header)
    lines = []
    for row in view.rows:
        cells = []
        for cell in row:
            text = escape(cell.text, _longest(cell))
            if cell.series is not None:
                x, y = cell.series.steps, cell.series.values
                text = f"{sparkline.svg(y, x, columns=_COLUMNS, label=sparkline.blocks(y))} {text}"
            cells.append(f"<td>{text}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>" if head else ""
    notes = "".join(f"<p>{escape(note, _LONGEST_LINE)}</p>" for note in view.notes)
    return f"<div><p><b>{html.escape(view.title)}</b></p>{table}{notes}</div>"
