"""``vizkit ls``."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from vizkit._language import tr, trn
from vizkit.cli._options import (
    DIRECTORY,
    Every,
    Json,
    Logdir,
    Place,
    WatchOption,
    Where,
    load_all,
    none_found,
)
from vizkit.cli._output import as_table, for_people, print_json, print_rows, say, stdout
from vizkit.runs import Runs
from vizkit.runs.details import row
from vizkit.runs.display import runs_table
from vizkit.runs.formatting import clean, shortened
from vizkit.runs.scalar_tags import with_tag

__all__ = ["ls"]

Metrics = Annotated[
    list[str] | None,
    typer.Option(
        "--metric", "-m", metavar="TAG", help=tr("A scalar tag to show; may be given several times.")
    ),
]
Sort = Annotated[
    str | None, typer.Option("--sort", "-s", metavar="KEY", help=tr("A name or expression, as for --where."))
]
Reverse = Annotated[bool, typer.Option("--reverse", "-r", help=tr("The greatest first."))]


def ls(
    place: Place = None,
    logdir: Logdir = DIRECTORY,
    where: Where = None,
    sort: Sort = None,
    reverse: Reverse = False,
    metric: Metrics = None,
    watch: WatchOption = False,
    every: Every = 1.0,
    as_json: Json = False,
    archived: Annotated[bool, typer.Option("--archived", "-a", help=tr("Archived runs too."))] = False,
) -> None:
    """List runs with their settings and results.

    In a terminal: what differs between them, and the last and the best value of each metric. Into a pipe:
    everything, separated by tabs.

    Example: vizkit ls --where '`batch size` == 64' --sort eval/acc -r
    """
    directory = place or logdir
    all_runs = load_all(directory)

    def select() -> Runs:
        runs = all_runs if where is None else all_runs.filter(where)
        if not archived:
            runs = Runs((run for run in runs if not run.archived), where=directory)
        return runs.sort(sort, reverse) if sort else runs

    if watch:
        _follow(all_runs, select, directory, metric, every, as_json)
        return
    runs = select()
    if len(runs) or as_json:
        _print(runs, directory, metric, as_json)
    put_away = 0 if archived else sum(run.archived for run in all_runs)
    if put_away:
        say(
            trn(
                "{n} archived run left out (--archived shows all)",
                "{n} archived runs left out (--archived shows all)",
                put_away,
            )
        )
    if not len(runs):
        raise none_found(directory, where)


def _print(runs: Runs, directory: str, metrics: list[str] | None, as_json: bool) -> None:
    if as_json:
        print_json([row(run, metrics) for run in runs])
    elif for_people():
        stdout().print(_drawn_table(runs, directory, metrics))
    else:
        rows = runs.rows(metrics)
        columns = list(dict.fromkeys(column for about in rows.values() for column in about))
        content = [[name, *(_plain(about.get(c)) for c in columns)] for name, about in rows.items()]
        print_rows(["run", *columns] if rows else [], content)


def _plain(value: object) -> object:
    """Times as ISO 8601, durations in seconds."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.isoformat() if isinstance(value, datetime) else value


def _drawn_table(runs: Runs, directory: str, metrics: list[str] | None) -> RenderableType:
    for tag in metrics or ():
        with_tag(runs, tag)  # raises where no run has it
    view = runs_table(runs, directory, metrics=metrics, most=max(len(runs), 1))
    width = stdout().width
    table, hidden = as_table(view.header, view.rows, width, spare=view.spare)
    notes = [*view.notes]
    if hidden:
        names = ", ".join(shortened(name, 30) for name in hidden)
        notes.append(tr("no room for: {names} (choose with --metric, or see all with --json)", names=names))
    return Group(table, *(Text(clean(note, 400), "dim") for note in notes)) if view.rows else Text(view.title)


def _follow(
    runs: Runs,
    select: Callable[[], Runs],
    directory: str,
    metrics: list[str] | None,
    every: float,
    as_json: bool,
) -> None:
    """Print the selected runs whenever something has changed."""
    try:
        if for_people() and not as_json:
            with Live(console=stdout(), auto_refresh=False) as live:
                while True:
                    live.update(_drawn_table(select(), directory, metrics), refresh=True)
                    _wait(runs, every)
        while True:
            _print(select(), directory, metrics, as_json)
            _wait(runs, every)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _wait(runs: Runs, every: float) -> None:
    """Wait until there are new records, or the status of a run changes."""
    before = [run.status for run in runs]
    while True:
        time.sleep(every)
        if any(runs.refresh()) or [run.status for run in runs] != before:
            return
