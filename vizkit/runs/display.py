"""Runs shown as tables in notebooks and terminals: one content, as plain text and as static HTML.

All text from a log is escaped; long texts and tables are cut.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from vizkit._language import tr, trn
from vizkit.reading import Scalars
from vizkit.runs import sparkline
from vizkit.runs.difference import differing
from vizkit.runs.formatting import (
    LONGEST_CELL,
    clean,
    duration_text,
    exact_text,
    setting_text,
    setting_texts,
    shorten_all,
    status_text,
    terminal_width,
    value_texts,
)
from vizkit.runs.scalar_tags import shown_metrics
from vizkit.runs.statistics import mode_in

if TYPE_CHECKING:
    from vizkit.runs.run import Run

__all__ = ["Cell", "Table", "as_html", "as_text", "run_table", "runs_table"]

# Together they keep the page below 100 kB, whatever is in the logs.
_MOST_RUNS = 16  # half from the top, half from the bottom
_MOST_HPARAMS = 8
_MOST_METRICS = 4
_MOST_ROWS = 30  # of one run's table
_COLUMNS = 20  # of a sparkline
_LONGEST_LINE = 400


class Cell(NamedTuple):
    """A text, and scalars to draw before it."""

    text: str
    scalars: Scalars | None = None


class Table(NamedTuple):
    """A table.

    Attributes:
        title: the line above it.
        header: the names of the columns.
        rows: the cells of each row.
        notes: the lines below it.
        spare: positions of columns that can be left out where there is no room for all, the first ones first.
    """

    title: str
    header: list[str]
    rows: list[list[Cell]]
    notes: list[str]
    spare: Sequence[int] = ()


def _metric_cells(runs: Sequence[Run], tag: str) -> list[Cell]:
    """The last and the best value of each run; all of them together are told apart."""
    found = [run.summary(tag) if tag in run.scalar_tags else None for run in runs]
    modes = [mode_in([run], tag) for run in runs]
    best = [
        summary.best(tag, mode) if summary and mode else None
        for summary, mode in zip(found, modes, strict=True)
    ]
    last = [None if summary is None else summary.last.value for summary in found]
    texts = value_texts([*last, *(None if each is None else each.value for each in best)])
    cells = []
    for run, mode, value, top, text, top_text in zip(
        runs, modes, last, best, texts, texts[len(runs) :], strict=False
    ):
        if value is None:
            cells.append(Cell(""))
            continue
        if top is not None and top.value != value:
            where = tr("{mode} {value} at {step}", mode=mode, value=top_text, step=exact_text(top.step))
            text += f" ({where})"
        cells.append(Cell(text, run.columns(tag)))
    return cells


def runs_table(
    runs: Sequence[Run], where: str = "", *, metrics: Sequence[str] | None = None, most: int = _MOST_RUNS
) -> Table:
    """A table of runs: status, duration, the hyper-parameters that differ, metrics (by default up to four).

    The title names the directory ``where``. Of more than ``most`` runs, the first and the last are shown.
    """
    runs = list(runs)
    place = clean(where, 80)
    if not runs:
        return Table(tr("no runs in {place}", place=place) if where else tr("no runs"), [], [], [])
    rows = [run.hparams for run in runs]
    other = differing(rows)
    same = {name: value for name, value in rows[0].items() if name not in other}
    every = shown_metrics(runs)
    hparams, tags = list(other)[:_MOST_HPARAMS], every[:_MOST_METRICS] if metrics is None else list(metrics)
    settings = [setting_texts(other[name]) for name in hparams]
    cut = len(runs) > most
    shown = [*runs[: most // 2], *runs[len(runs) - most // 2 :]] if cut else runs
    results = [iter(_metric_cells(shown, tag)) for tag in tags]
    header = [tr("run"), tr("status"), tr("duration"), *hparams, *tags]
    table = []
    for index, run in enumerate(runs):
        if cut and index == most // 2:
            table.append(
                [Cell(tr("… {n} more", n=len(runs) - most // 2 * 2))] + [Cell("")] * (len(header) - 1)
            )
        if cut and most // 2 <= index < len(runs) - most // 2:
            continue
        table.append(
            [
                Cell(run.name),
                Cell(status_text(run.status)),
                Cell(duration_text(run.duration)),
                *(Cell(texts[index]) for texts in settings),
                *map(next, results),
            ]
        )
    notes = []
    if same:
        notes.append(tr("the same in all: {values}", values=_listed(same)))
    if len(other) > len(hparams):
        notes.append(tr("differ too: {names}", names=", ".join(list(other)[_MOST_HPARAMS:])))
    if metrics is None and len(every) > len(tags):
        notes.append(tr("more metrics: {names}", names=", ".join(every[_MOST_METRICS:])))
    named = {tag for run in runs for tag in run.metrics} | set(metrics or ())
    if unknown := [tag for tag in tags if tag in named and not mode_in(runs, tag)]:
        notes.append(
            tr(
                "whether high or low is better is not known of {tags}; declare it: metrics={example}",
                tags=", ".join(unknown),
                example=f'{{"{unknown[0]}": "max"}}',
            )
        )
    troubled = [run.name for run in runs if run.logs.problems]
    if troubled:
        names = ", ".join(troubled[:5])
        notes.append(tr("problems in {n} of them, see .problems: {names}", n=len(troubled), names=names))
    if where:
        title = trn("{n} run in {place}", "{n} runs in {place}", len(runs), place=place)
    else:
        title = trn("{n} run", "{n} runs", len(runs))
    return Table(title, header, table, notes, _spare(runs, len(hparams), len(tags), metrics is not None))


def _spare(runs: Sequence[Run], hparams: int, metrics: int, asked: bool) -> list[int]:
    """The positions of the columns of `runs_table`, the least important first."""
    status, duration, first = 1, 2, 3
    settings = [*reversed(range(first, first + hparams))]
    results = [*range(first + hparams, first + hparams + metrics)]
    # Metrics that were asked for come by importance; by default, those of the evaluation come last.
    least = [*settings, *reversed(results)] if asked else [*results[:-1], *settings, *results[-1:]]
    ended_well = all(run.status == "finished" for run in runs)
    return [duration, status, *least] if ended_well else [duration, *least, status]


def run_table(run: Run) -> Table:
    """A table of the metrics of one run, with notes on all else it recorded."""
    tags = shown_metrics([run])
    tags = [*tags, *(tag for tag in run.scalar_tags if tag not in tags)]
    rows = [[Cell(tag), *_metric_cells([run], tag)] for tag in tags[:_MOST_ROWS]]
    if len(tags) > _MOST_ROWS:
        rows.append([Cell(tr("… {n} more", n=len(tags) - _MOST_ROWS)), Cell("")])
    notes = []
    if run.hparams:
        notes.append(tr("hparams: {values}", values=_listed(run.hparams)))
    other = {kind: tags for kind, tags in run.tags.items() if kind not in ("scalar", "scalars")}
    notes += [f"{kind}: {', '.join(tags)}" for kind, tags in other.items()]
    notes += [
        tr("problem: {message} ({path})", message=problem.message, path=problem.path)
        for problem in run.problems[:5]
    ]
    about = ", ".join(filter(None, (status_text(run.status), duration_text(run.duration))))
    name = run.name if run.display_name == run.name else f"{run.name} ({run.display_name})"
    title = tr("run {name}: {about}", name=clean(name, 120), about=about)
    return Table(title, [tr("scalar"), tr("last")] if rows else [], rows, notes)


def _listed(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {setting_text(value)}" for name, value in values.items())


def as_text(shown: Table) -> str:
    """A table as lines of text, with scalars in block characters."""
    table = [[clean(name) for name in shown.header]] if shown.header else []
    for row, short in zip(shown.rows, _short_texts(shown.rows), strict=True):
        curves = ["" if c.scalars is None else sparkline.blocks(c.scalars.values) + " " for c in row]
        table.append([curve + text for curve, text in zip(curves, short, strict=True)])
    widths = [max(map(terminal_width, column)) for column in zip(*table, strict=True)]
    lines = [shown.title]
    for texts in table:
        padded = (
            text + " " * (width - terminal_width(text)) for text, width in zip(texts, widths, strict=True)
        )
        lines.append("  ".join(padded).rstrip())
    return "\n".join([*lines, *(clean(note, _LONGEST_LINE) for note in shown.notes)])


def _short_texts(rows: Sequence[Sequence[Cell]]) -> list[tuple[str, ...]]:
    """The texts of cells, cut so that those of a column that differ still do."""
    columns = []
    for column in zip(*rows, strict=True):
        texts = shorten_all([cell.text for cell in column if cell.scalars is None], LONGEST_CELL)
        rest = iter(texts)
        columns.append([clean(next(rest) if c.scalars is None else c.text, None) for c in column])
    return list(zip(*columns, strict=True))


def as_html(shown: Table) -> str:
    """A table as HTML without scripts or styles of its own, with scalars as SVG."""

    def escape(text: str, longest: int | None = LONGEST_CELL) -> str:
        return html.escape(clean(text, longest))

    head = "".join(f"<th>{escape(name)}</th>" for name in shown.header)
    lines = []
    for row, texts in zip(shown.rows, _short_texts(shown.rows), strict=True):
        cells = []
        for cell, short in zip(row, texts, strict=True):
            text = html.escape(short)
            if cell.scalars is not None:
                x, y = cell.scalars.steps, cell.scalars.values
                text = f"{sparkline.svg(y, x, columns=_COLUMNS, label=sparkline.blocks(y))} {text}"
            cells.append(f"<td>{text}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>" if head else ""
    notes = "".join(f"<p>{escape(note, _LONGEST_LINE)}</p>" for note in shown.notes)
    return f"<div><p><b>{html.escape(shown.title)}</b></p>{table}{notes}</div>"
