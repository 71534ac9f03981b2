"""``vizkit best``."""

from __future__ import annotations

from vizkit._language import tr
from vizkit.cli._options import (
    DIRECTORY,
    Json,
    Logdir,
    Metric,
    ModeOption,
    Place,
    Where,
    none_found,
    select_runs,
)
from vizkit.cli._output import as_table, for_people, print_json, print_lines, print_rows, stdout
from vizkit.runs.formatting import exact_text
from vizkit.runs.statistics import checked_mode

__all__ = ["best"]


def best(
    metric: Metric,
    place: Place = None,
    logdir: Logdir = DIRECTORY,
    where: Where = None,
    mode: ModeOption = "auto",
    as_json: Json = False,
) -> None:
    """Name the run with the best value of a metric.

    The best value of all steps counts; its step is printed too.

    Example: vizkit best eval/acc --where '`batch size` == 64'
    """
    runs = select_runs(directory := place or logdir, where=where)
    if not len(runs):
        raise none_found(directory, where)
    run = runs.best(metric, mode)
    point = run.best(metric, mode)
    if as_json:
        found = {
            "metric": metric,
            "mode": checked_mode(runs, metric, mode),
            "value": point.value,
            "step": point.step,
        }
        print_json({**found, "run": run.name, "directory": run.directory, "hparams": run.hparams})
    elif for_people():
        best = tr("{value:.6g} at step {step}", value=point.value, step=exact_text(point.step))
        print_lines([f"{run.name}: {metric} {best}"])
        rows = [(name, exact_text(value)) for name, value in run.hparams.items()]
        if rows:
            stdout().print(as_table([], rows, stdout().width)[0])
    else:
        values = [run.name, point.value, point.step, *run.hparams.values()]
        print_rows(["run", metric, "step", *run.hparams], [values])
