"""Options that several commands share, and the runs that they select."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from vizkit._language import tr
from vizkit.cli._output import say
from vizkit.errors import LogNotFoundError, UnknownNameError
from vizkit.runs import Run, Runs, load
from vizkit.runs.foreign import foreign_logs, unlisted_note
from vizkit.runs.lookup import newest

__all__ = [
    "DIRECTORY",
    "Every",
    "Json",
    "Logdir",
    "Metric",
    "ModeOption",
    "OneRun",
    "Place",
    "SomeRuns",
    "WatchOption",
    "Where",
    "load_all",
    "none_found",
    "select_run",
    "select_runs",
]

DIRECTORY = "log"

Logdir = Annotated[
    str, typer.Option("--logdir", "-d", metavar="DIR", help=tr("The directory of runs."), show_default=True)
]
Place = Annotated[
    str | None, typer.Argument(metavar="DIR", help=tr("The same as --logdir."), show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help=tr("Print one JSON document."))]
Where = Annotated[
    str | None,
    typer.Option(
        "--where", "-w", metavar="EXPR", help=tr("Only runs for which this is true: '`batch size` == 64'.")
    ),
]
ModeOption = Annotated[
    Literal["auto", "min", "max"],
    typer.Option("--mode", help=tr("Which values are better; auto: by the words of the metric's name.")),
]
Metric = Annotated[str, typer.Argument(metavar="METRIC", help=tr("A scalar tag."))]
WatchOption = Annotated[bool, typer.Option("--watch", help=tr("Follow, until Ctrl-C."))]
Every = Annotated[
    float, typer.Option("--every", metavar="SECONDS", min=0.05, help=tr("Time between two refreshes."))
]
OneRun = Annotated[
    str | None,
    typer.Argument(
        metavar="RUN",
        help=tr("A run's name or a beginning of it, or its path; the newest."),
        show_default=False,
    ),
]
SomeRuns = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RUN", help=tr("Names, beginnings or patterns ('lenet/*'); all."), show_default=False
    ),
]


def load_all(logdir: str) -> Runs:
    """Load the runs under a directory, and say on stderr what is left out."""
    runs = load(logdir)
    if len(runs) and (note := unlisted_note(runs.unlisted)):
        say(note)
    return runs


def select_runs(logdir: str, names: Sequence[str] | None = None, where: str | None = None) -> Runs:
    """The runs under a directory that names, patterns and a filter select, in the order of the names."""
    runs = load_all(logdir)
    # An empty filter is an error: it would choose all.
    meant = runs if where is None else runs.filter(where)
    if not names:
        return meant
    wanted = set(meant.names)
    chosen: dict[str, Run] = {}
    for name in names:
        found = runs[name]
        for run in [found] if isinstance(found, Run) else found:
            if run.name in wanted:
                chosen[run.name] = run
    return Runs(chosen.values(), where=logdir)


def none_found(logdir: str, where: str | None = None) -> typer.Exit:
    """The exit of a command that found no run; it says why."""
    if where:
        say("no runs in {directory} for which {where}", directory=logdir, where=where)
    elif found := unlisted_note(load(logdir).unlisted) or foreign_logs(logdir):
        say("no runs in {directory}: {found}", directory=logdir, found=found)
    else:
        say("no runs in {directory}", directory=logdir)
    return typer.Exit(1)


def select_run(logdir: str, name: str | None) -> Run:
    """The run with a name, the run at a path, or the newest one.

    Raises:
        LogNotFoundError: no such directory.
        UnknownNameError: no such run, or none at all.
    """
    if name is None:
        if not len(runs := load_all(logdir)):
            raise none_found(logdir)
        return newest(runs)
    try:
        return _named(load_all(logdir), name)
    except (LogNotFoundError, UnknownNameError):
        if not os.path.exists(os.path.expanduser(name)):
            raise
    runs = load_all(name)
    if len(runs) != 1:
        raise UnknownNameError(
            "there are {n} runs in {name!r}: name one of them, with --logdir {name}", n=len(runs), name=name
        )
    return runs[0]


def _named(runs: Runs, name: str) -> Run:
    found = runs[name]
    if isinstance(found, Run):
        return found
    if len(found) > 1:
        raise UnknownNameError("{name!r} fits {n} runs: name one of them", name=name, n=len(found))
    return found[0]  # type: ignore[no-any-return]
