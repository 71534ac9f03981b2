"""``vizkit diff``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import typer

from vizkit.cli._options import DIRECTORY, Json, Logdir, SomeRuns, Where, select_runs
from vizkit.cli._output import as_table, for_people, print_json, print_rows, say, stdout
from vizkit.errors import UnknownNameError
from vizkit.runs.formatting import value_text
from vizkit.runs.query import MISSING

__all__ = ["diff"]


def diff(
    runs: SomeRuns = None, logdir: Logdir = DIRECTORY, where: Where = None, as_json: Json = False
) -> None:
    """Show what differs between runs.

    Their hyper-parameters, and how they were made (packages, git, command ...). The exit code is 1 if
    nothing differs.

    Example: vizkit diff lenet/run1 lenet/run2
    """
    selected = select_runs(logdir, runs, where)
    if len(selected) < 2:
        names = ", ".join(select_runs(logdir).names[:20])
        raise UnknownNameError(
            f"diff needs two runs or more, and {len(selected)} is meant; there are: {names}"
        )
    differences = selected.differences()
    if as_json:
        parts = {part: _by_run(selected.names, values) for part, values in differences.items()}
        print_json({"runs": selected.names, **parts})
    else:
        header = ["part", "name", *selected.names]
        rows = [
            (part, name, *values) for part, names in differences.items() for name, values in names.items()
        ]
        if for_people() and rows:
            texts = [(part, name, *map(value_text, values)) for part, name, *values in rows]
            table, hidden = as_table(header, texts, stdout().width, spare=range(len(header) - 1, 3, -1))
            stdout().print(table)
            if hidden:
                say(f"vizkit: no room for {len(hidden)} more runs; name two, or see all with --json")
        elif rows:
            print_rows(header, rows)
    if not any(differences.values()):
        say(f"vizkit: nothing differs between {len(selected)} runs")
        raise typer.Exit(1)


def _by_run(
    names: Sequence[str], differences: Mapping[str, Sequence[object]]
) -> dict[str, dict[str, object]]:
    """Values by name and run, without missing ones."""
    return {
        name: {run: value for run, value in zip(names, values, strict=True) if value is not MISSING}
        for name, values in differences.items()
    }
