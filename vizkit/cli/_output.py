"""Output of commands: data on stdout, messages on stderr; tables for people, and for ``cut`` and ``awk``."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vizkit.runs.display import Cell
from vizkit.runs.export import to_json
from vizkit.runs.formatting import clean
from vizkit.runs.query import MISSING
from vizkit.runs.sparkline import blocks

__all__ = [
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
_GAP = 2
_SPARKLINE = 12  # characters


def stdout() -> Console:
    """The console for data; without colours if ``NO_COLOR`` is set."""
    plain = bool(os.environ.get("NO_COLOR"))
    return Console(file=sys.stdout, highlight=False, color_system=None if plain else "auto")


def for_people() -> bool:
    """True if stdout is a terminal: tables are then drawn, and cut to its width."""
    return stdout().is_terminal


def say(text: str) -> None:
    """Print a message on stderr."""
    print(without_escapes(text), file=sys.stderr)


def without_escapes(text: str) -> str:
    """A text of lines and tabs, with everything else escaped that a terminal would obey."""
    return text if text.isprintable() else re.sub(r"[^\t\n]+", lambda part: clean(part[0], None), text)


def print_json(data: object) -> None:
    """Print one document on one line; NaN is ``"NaN"``, as in `Run.to_json`."""
    sys.stdout.write(to_json(data, None) or "")
    sys.stdout.flush()


def print_rows(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print values as they are, separated by tabs; missing ones are empty."""
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
    return clean(repr(value) if isinstance(value, float) else str(value), None)


def as_table(
    header: Sequence[str], rows: Sequence[Sequence[str | Cell]], width: int, *, spare: Sequence[int] = ()
) -> tuple[Table, list[str]]:
    """Make a table for people that fits the terminal.

    Args:
        header: names of the columns; empty: no header.
        rows: texts, or texts with a sparkline before them where there is room.
        width: characters of the terminal.
        spare: columns that can be left out, the least important first.

    Returns:
        The table, and the names of the columns that had no room.
    """
    names = list(header) or [""] * len(rows[0])
    for form in (_full, _without_sparkline, _short):  # from the widest to the narrowest
        texts = [[form(name) for name in names]] + [[form(cell) for cell in row] for row in rows]
        widths = [max(text.cell_len for text in column) for column in zip(*texts, strict=True)]
        if sum(widths) + _GAP * (len(widths) - 1) <= width:
            break
    shown = list(range(len(widths)))
    for column in spare:
        if sum(widths[i] for i in shown) + _GAP * (len(shown) - 1) <= width:
            break
        shown.remove(column)
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, show_header=bool(header))
    for i in shown:
        table.add_column(texts[0][i], no_wrap=bool(header), overflow="ellipsis", header_style="bold")
    for row in texts[1:]:
        table.add_row(*(row[i] for i in shown))
    return table, [name for i, name in enumerate(names) if i not in shown]


def _full(cell: str | Cell) -> Text:
    if isinstance(cell, str) or cell.scalars is None:
        return _without_sparkline(cell)
    return Text.assemble(
        (f"{blocks(cell.scalars.values, _SPARKLINE):{_SPARKLINE}}", "cyan"), " ", _without_sparkline(cell)
    )


def _without_sparkline(cell: str | Cell) -> Text:
    text = clean(cell, None) if isinstance(cell, str) else clean(cell.text, 44)
    return Text(text, _STATUS_STYLES.get(text, ""))


def _short(cell: str | Cell) -> Text:
    """Without the part in brackets behind a value."""
    text = _without_sparkline(cell)
    return text if isinstance(cell, str) or cell.scalars is None else Text(text.plain.partition(" (")[0])
