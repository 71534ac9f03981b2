"""Output of commands: data on stdout, messages on stderr; tables for people, and for ``cut`` and ``awk``."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from vizkit._language import english, tr
from vizkit.cli._streams import encodable
from vizkit.runs.display import Cell
from vizkit.runs.export import to_json
from vizkit.runs.formatting import clean, shorten_all
from vizkit.runs.query import MISSING
from vizkit.runs.sparkline import blocks

__all__ = [
    "GAP",
    "as_table",
    "for_people",
    "print_json",
    "print_lines",
    "print_rows",
    "say",
    "stdout",
    "without_escapes",
]

_STATUS_STYLES = {
    "running": "cyan",
    "finished": "green",
    "failed": "red",
    "killed": "red",
    "interrupted": "yellow",
}
GAP = 2
"""Characters between two columns."""
_LONGEST_TEXT = 44  # characters of a cell that is no name and no number
_DETAILS = ((8, False), (8, True), (12, True))  # a sparkline's characters, the best value: as there is room


def stdout() -> Console:
    """The console for data; without colours if ``NO_COLOR`` is set."""
    plain = bool(os.environ.get("NO_COLOR"))
    return Console(file=sys.stdout, highlight=False, color_system=None if plain else "auto")


def for_people() -> bool:
    """True if stdout is a terminal: tables are then drawn, and cut to its width."""
    return stdout().is_terminal


def say(message: str, /, **values: object) -> None:
    """Translate a message, and print it on stderr."""
    print("vizkit:", without_escapes(tr(message, **values)), file=sys.stderr)


def without_escapes(text: str) -> str:
    """A text of lines and tabs, with everything else escaped that a terminal would obey."""
    return text if text.isprintable() else re.sub(r"[^\t\n]+", lambda part: clean(part[0], None), text)


def print_json(data: object) -> None:
    """Print one document on one line; NaN is ``"NaN"``, as in `Run.to_json`."""
    sys.stdout.write(to_json(data, None) or "")
    sys.stdout.flush()


def print_rows(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print values as they are, in English, separated by tabs; missing ones are empty."""
    lines = ["\t".join(clean(name, None) for name in header)] if header else []
    lines += ["\t".join(_plain(value) for value in row) for row in rows]
    print_lines(lines)


def print_lines(lines: Sequence[str]) -> None:
    """Print lines of text."""
    if lines:
        sys.stdout.write(without_escapes("\n".join(lines)) + "\n")
        sys.stdout.flush()


def _plain(value: object) -> str:
    if value is None or value is MISSING:
        return ""
    text = (
        english(value) if isinstance(value, str) else repr(value) if isinstance(value, float) else str(value)
    )
    return clean(text, None)


def as_table(
    header: Sequence[str], rows: Sequence[Sequence[str | Cell]], width: int, *, spare: Sequence[int] = ()
) -> tuple[RenderableType, list[str]]:
    """Make a table for people that fits the terminal.

    Where it has no room for a row, its cells stand below each other. Nothing is cut.

    Args:
        header: names of the columns; empty: no header.
        rows: texts, or texts with a sparkline before them where there is room.
        width: characters of the terminal.
        spare: columns that can be left out, the least important first.

    Returns:
        The table, and the names of the columns that had no room.
    """
    if header and rows:
        rows = _shortened(rows)
    names = list(header) or [""] * len(rows[0])
    columns = [list(column) for column in zip(names, *rows, strict=True)]
    details = dict.fromkeys(range(len(names)), (0, False))
    widths = [_width(column, 0, False) for column in columns]
    shown = list(range(len(names)))

    def left() -> int:
        return width - sum(widths[i] for i in shown) - GAP * (len(shown) - 1)

    for column in spare:
        if left() >= 0:
            break
        shown.remove(column)
    ranked = dict.fromkeys((*range(len(names)), *spare)[::-1])  # the most important first
    curves = {i: points for i in ranked if i in shown and (points := _points(columns[i]))}
    for line, with_best in _DETAILS:
        for i, points in curves.items():
            wider = _width(columns[i], min(line, points), with_best)
            if left() + widths[i] >= wider:
                details[i], widths[i] = (min(line, points), with_best), wider
    hidden = [name for i, name in enumerate(names) if i not in shown]
    if header and left() < 0:
        every = range(len(names))
        return Group(*(_upright(names, [_text(row[i]) for i in every]) for row in rows)), []
    table = _empty(bool(header))
    for i in shown:
        table.add_column(_text(names[i]), no_wrap=bool(header), overflow="fold", header_style="bold")
    for row in rows:
        table.add_row(*(_text(row[i], *details[i]) for i in shown))
    return table, hidden


def _empty(header: bool) -> Table:
    return Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, show_header=header)


def _upright(names: Sequence[str], cells: Sequence[Text]) -> RenderableType:
    """A row: its first cell, and below it the names and contents of the others that are not empty."""
    table = _empty(False)
    for _ in range(2):
        table.add_column(overflow="fold")
    for name, cell in zip(names[1:], cells[1:], strict=True):
        if cell.plain:
            table.add_row(Text.assemble("  ", _text(name)), cell)
    first = cells[0].copy()
    first.stylize("bold")
    first.overflow = "fold"
    return Group(first, table) if table.row_count else first


def _shortened(rows: Sequence[Sequence[str | Cell]]) -> list[list[str | Cell]]:
    """Rows whose long texts are cut so that those of a column that differ still do; names stay whole."""
    columns: list[Sequence[str | Cell]] = []
    for place, column in enumerate(zip(*rows, strict=True)):
        if place and all(isinstance(cell, Cell) and cell.scalars is None for cell in column):
            texts = shorten_all([cell.text for cell in column if isinstance(cell, Cell)], _LONGEST_TEXT)
            columns.append([Cell(text) for text in texts])
        else:
            columns.append(column)
    return [list(row) for row in zip(*columns, strict=True)]


def _points(column: Sequence[str | Cell]) -> int:
    """The length of the longest curve in a column."""
    return max((len(c.scalars.values) for c in column if isinstance(c, Cell) and c.scalars), default=0)


def _words(cell: str | Cell, with_best: bool) -> str:
    if isinstance(cell, str):
        return encodable(clean(cell, None))
    whole = with_best or cell.scalars is None
    return encodable(clean(cell.text if whole else cell.text.partition(" (")[0], None))


def _width(column: Sequence[str | Cell], line: int, with_best: bool) -> int:
    return max(
        cell_len(_words(cell, with_best))
        + (line + 1 if line and isinstance(cell, Cell) and cell.scalars else 0)
        for cell in column
    )


def _text(cell: str | Cell, line: int = 0, with_best: bool = False) -> Text:
    """A cell; a value with a sparkline of ``line`` characters, and the part in brackets behind it."""
    words = _words(cell, with_best)
    if not line or isinstance(cell, str) or cell.scalars is None:
        return Text(words, _STATUS_STYLES.get(english(cell if isinstance(cell, str) else cell.text), ""))
    return Text.assemble((f"{blocks(cell.scalars.values, line):{line}} ", "cyan"), words)
