"""``vizkit diff --samples``: two runs, sample by sample."""

from __future__ import annotations

import math
from collections.abc import Sequence

import typer

from vizkit.cli._output import as_table, for_people, print_json, print_lines, print_rows, say, stdout
from vizkit.errors import UnknownNameError
from vizkit.runs import Runs, SampleDifference
from vizkit.runs.sample_tables import difference_table

__all__ = ["diff_samples"]

_KINDS = ("mended", "broken", "both_wrong")


def diff_samples(selected: Runs, every: Runs, tag: str | None, by: str | None, *, as_json: bool) -> None:
    """Print the difference of two runs; the exit code is 1 if no sample changed.

    Args:
        selected: A and B.
        every: all runs, for samples that are wrong in all of them.
        tag: the evaluation.
        by: a column whose groups are printed.
        as_json: as one document.
    """
    if len(selected) != 2:
        raise UnknownNameError(
            "samples are compared between two runs, and {n} are meant: {names}",
            n=len(selected),
            names=", ".join(selected.names[:20]),
        )
    found = every.diff_samples(selected[0], selected[1], tag)
    columns = found.grouped if by is None else [by]
    if as_json:
        print_json(found.to_dict(columns))
    elif for_people():
        _draw(found, columns)
    else:
        if by is None:
            _print_samples(found)
        else:
            header = [by, "n", "a", "b", "mended", "broken", "p"]
            print_rows(header, [[None if each != each else each for each in row] for row in found.groups(by)])
        say(found.verdict)
    if not found.count("mended") and not found.count("broken"):
        raise typer.Exit(1)


def _draw(found: SampleDifference, columns: Sequence[str]) -> None:
    shown = difference_table(found, columns)
    print_lines([shown.title])
    rows = [[cell.text for cell in row] for row in shown.rows]
    stdout().print(as_table(shown.header, rows, stdout().width)[0])
    print_lines(shown.notes)


def _print_samples(found: SampleDifference) -> None:
    """A line for each sample that changed, or is wrong in both."""
    frames = {kind: getattr(found, kind).drop(columns="input", errors="ignore") for kind in _KINDS}
    rows = [
        [kind, *(None if _missing(value) else value for value in row)]
        for kind, frame in frames.items()
        for row in frame.astype(object).itertuples(index=False)
    ]
    print_rows(["change", *frames["mended"].columns], rows)


def _missing(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)
