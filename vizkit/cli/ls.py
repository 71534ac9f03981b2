"""``vizkit ls`` and ``vizkit show``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from vizkit.cli._options import DIRECTORY, Every, Json, Logdir, OneRun, Place, Watch, Where, a_run
from vizkit.cli._output import as_table, for_people, print_json, print_rows, say, stdout
from vizkit.runs import Run, Runs, load
from vizkit.runs.details import overview, row
from vizkit.runs.difference import flat
from vizkit.runs.lookup import with_tag
from vizkit.runs.tables import Cell, clean, duration_text, runs_table, value_text

__all__ = ["ls", "show"]

_LONG_OR_TOLD = {"packages", "variables", "sessions", "started", "ended", "status"}

Metrics = Annotated[
    list[str] | None,
    typer.Option("--metric", "-m", metavar="TAG", help="A scalar tag to show; may be given several times."),
]
Sort = Annotated[
    str | None, typer.Option("--sort", "-s", metavar="KEY", help="A name or expression, as for --where.")
]
Reverse = Annotated[bool, typer.Option("--reverse", "-r", help="The greatest first.")]


def ls(
    place: Place = None,
    logdir: Logdir = DIRECTORY,
    where: Where = None,
    sort: Sort = None,
    reverse: Reverse = False,
    metric: Metrics = None,
    watch: Watch = False,
    every: Every = 1.0,
    as_json: Json = False,
) -> None:
    """List runs with their settings and results.

    In a terminal: what differs between them, and the last and the best value of each metric. Into a pipe:
    everything, separated by tabs.

    Example: vizkit ls --where '`batch size` == 64' --sort eval/acc -r
    """
    directory = place or logdir
    every_run = load(directory)

    def chosen() -> Runs:
        runs = every_run.filter(where) if where else every_run
        return runs.sort(sort, reverse) if sort else runs

    if watch:
        _follow(every_run, chosen, directory, metric, every, as_json)
        return
    runs = chosen()
    _list(runs, directory, metric, as_json)
    if not len(runs):
        say(f"vizkit: no runs in {directory}" + (f" for which {where}" if where else ""))
        raise typer.Exit(1)


def _list(runs: Runs, directory: str, metrics: list[str] | None, as_json: bool) -> None:
    if as_json:
        print_json([row(run, metrics) for run in runs])
    elif for_people():
        stdout().print(_picture(runs, directory, metrics))
    else:
        rows = runs.rows(metrics)
        columns = list(dict.fromkeys(column for about in rows.values() for column in about))
        content = [[name, *(_plain(about.get(c)) for c in columns)] for name, about in rows.items()]
        print_rows(["run", *columns] if rows else [], content)


def _plain(value: Any) -> Any:
    """Times as ISO 8601, durations in seconds."""
    if hasattr(value, "total_seconds"):
        return value.total_seconds()
    return value.isoformat() if hasattr(value, "isoformat") else value


def _picture(runs: Runs, directory: str, metrics: list[str] | None) -> RenderableType:
    for tag in metrics or ():
        with_tag(runs, tag)  # raises where no run has it
    view = runs_table(runs, directory, metrics=metrics, most=max(len(runs), 1))
    width = stdout().width
    table, hidden = as_table(view.header, view.rows, width, spare=view.spare)
    notes = [*view.notes]
    if hidden:
        notes.append(f"no room for: {', '.join(hidden)} (choose with --metric, or see all with --json)")
    return Group(table, *(Text(clean(note, 400), "dim") for note in notes)) if view.rows else Text(view.title)


def _follow(
    runs: Runs,
    chosen: Callable[[], Runs],
    directory: str,
    metrics: list[str] | None,
    every: float,
    as_json: bool,
) -> None:
    """Lists the chosen of the runs anew whenever something changed."""
    try:
        if for_people() and not as_json:
            with Live(console=stdout(), auto_refresh=False) as live:
                while True:
                    live.update(_picture(chosen(), directory, metrics), refresh=True)
                    _wait(runs, every)
        while True:
            _list(chosen(), directory, metrics, as_json)
            _wait(runs, every)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _wait(runs: Runs, every: float) -> None:
    """Until something of the runs is another: records, or how they stand."""
    before = [run.status for run in runs]
    while True:
        time.sleep(every)
        if any(runs.refresh()) or [run.status for run in runs] != before:
            return


def show(run: OneRun = None, logdir: Logdir = DIRECTORY, as_json: Json = False) -> None:
    """Show all that is known of a run.

    Its hyper-parameters, scalars, other tags, environment, status and problems.

    Example: vizkit show lenet/run3
    """
    one = a_run(load(logdir), run)
    about = overview(one)
    if as_json:
        print_json(about)
    elif for_people():
        stdout().print(_sections(one, about))
    else:
        print_rows([], [(name, value) for name, value in flat(about).items()])


def _sections(run: Run, about: dict[str, Any]) -> RenderableType:
    width = stdout().width
    first = [["status", run.status], ["started", _moment(run)], ["duration", duration_text(run.duration)]]
    first.append(["directory", run.directory])
    if run.display_name != run.name:
        first.append(["display name", run.display_name])
    parts: list[RenderableType] = [Text(clean(run.name, None), "bold"), as_table([], first, width)[0]]

    def add(title: str, header: list[str], rows: list[list[Any]]) -> None:
        if rows:
            parts.extend([Text(), Text(title, "bold"), as_table(header, rows, width)[0]])

    add("hyper-parameters", [], [[name, value_text(value)] for name, value in about["hparams"].items()])
    metrics = [[tag, *_metric(run, tag, of)] for tag, of in about["metrics"].items()]
    add("scalars", ["", "last", "step", "best", "at step", "records"], metrics)
    add("tags", [], [[kind, ", ".join(tags)] for kind, tags in about["tags"].items() if kind != "scalar"])
    made = {k: v for k, v in about["environment"].items() if k not in _LONG_OR_TOLD}
    add("environment", [], [[k, value_text(v)] for k, v in flat(made).items() if k != "git/diff"])
    add("problems", [], [[problem] for problem in about["problems"]])
    return Group(*parts)


def _moment(run: Run) -> str:
    return "" if run.started is None else run.started.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _metric(run: Run, tag: str, of: dict[str, Any]) -> list[Any]:
    nan = f" ({of['nan']} NaN)" if of["nan"] else ""
    best = ["", ""] if of["best"] is None else [value_text(of["best"]), value_text(of["best_step"])]
    last = Cell(value_text(of["last"]), run.columns(tag))
    return [last, value_text(of["last_step"]), *best, f"{of['n']:,}{nan}"]
