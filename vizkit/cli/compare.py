"""``vizkit compare``, ``vizkit diff`` and ``vizkit best``: questions about several runs."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import typer

from vizkit.cli._options import DIRECTORY, Json, Logdir, Mode, SomeRuns, Where, some_runs
from vizkit.cli._output import as_table, for_people, print_json, print_lines, print_rows, say, stdout
from vizkit.errors import UnknownNameError
from vizkit.metrics.direction import direction
from vizkit.runs.query import MISSING
from vizkit.runs.tables import value_text

__all__ = ["best", "compare", "diff"]

Side = "a run's name, a pattern ('adam-*'), or a filter ('`batch size` == 32')"
A = Annotated[str, typer.Argument(metavar="A", help=f"{Side[0].upper()}{Side[1:]}.")]
B = Annotated[str, typer.Argument(metavar="B", help="The same.")]
Metric = Annotated[str, typer.Argument(metavar="METRIC", help="A scalar tag.")]


def compare(
    a: A, b: B, metric: Metric, logdir: Logdir = DIRECTORY, mode: Mode = "auto", as_json: Json = False
) -> None:
    """Tell whether B is better than A.

    It gives the difference of the runs' best values, with its 95 % interval. The exit code is 0 if B is
    better, and 1 if it is worse or the runs do not tell.

    Example: vizkit compare 'adam-*' 'sgd-*' eval/acc
    """
    found = some_runs(logdir).compare(a, b, metric, mode)
    if as_json:
        print_json({**dataclasses.asdict(found), "better": found.better})
    else:
        print_lines([str(found)])
    if not found.better:
        raise typer.Exit(1)


def diff(
    runs: SomeRuns = None, logdir: Logdir = DIRECTORY, where: Where = None, as_json: Json = False
) -> None:
    """Show what differs between runs.

    Their hyper-parameters, and how they were made (packages, git, command ...). The exit code is 1 if
    nothing differs.

    Example: vizkit diff lenet/run1 lenet/run2
    """
    some = some_runs(logdir, runs, where)
    if len(some) < 2:
        names = ", ".join(some_runs(logdir).names[:20])
        raise UnknownNameError(f"diff needs two runs or more, and {len(some)} is meant; there are: {names}")
    found = some.differences()
    if as_json:
        parts = {part: _by_run(some.names, names) for part, names in found.items()}
        print_json({"runs": some.names, **parts})
    else:
        rows = [[part, name, *values] for part, names in found.items() for name, values in names.items()]
        header = ["part", "name", *some.names]
        if for_people() and rows:
            texts = [[part, name, *map(value_text, values)] for part, name, *values in rows]
            table, hidden = as_table(header, texts, stdout().width, spare=range(len(header) - 1, 3, -1))
            stdout().print(table)
            if hidden:
                say(f"vizkit: no room for {len(hidden)} more runs; name two, or see all with --json")
        elif rows:
            print_rows(header, rows)
    if not any(found.values()):
        say(f"vizkit: nothing differs between {len(some)} runs")
        raise typer.Exit(1)


def _by_run(names: list[str], found: dict[str, list[Any]]) -> dict[str, dict[str, Any]]:
    """Name -> run -> value, without what a run lacks."""
    return {
        name: {run: value for run, value in zip(names, values, strict=True) if value is not MISSING}
        for name, values in found.items()
    }


def best(
    metric: Metric,
    logdir: Logdir = DIRECTORY,
    where: Where = None,
    mode: Mode = "auto",
    as_json: Json = False,
) -> None:
    """Name the run with the best value of a metric.

    The best value at any step counts, and the step is told.

    Example: vizkit best eval/acc --where '`batch size` == 64'
    """
    run = some_runs(logdir, where=where).best(metric, mode)
    point = run.best(metric, mode)
    if as_json:
        found = {"metric": metric, "mode": direction(metric, mode), "value": point.value, "step": point.step}
        print_json({**found, "run": run.name, "directory": run.directory, "hparams": run.hparams})
    elif for_people():
        print_lines([f"{run.name}: {metric} {point.value:.6g} at step {point.step:g}"])
        rows = [[name, value_text(value)] for name, value in run.hparams.items()]
        if rows:
            stdout().print(as_table([], rows, stdout().width)[0])
    else:
        values = [run.name, point.value, point.step, *run.hparams.values()]
        print_rows(["run", metric, "step", *run.hparams], [values])
