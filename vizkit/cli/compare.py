"""``vizkit compare``."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from vizkit._language import tr
from vizkit.cli._options import DIRECTORY, Json, Logdir, Metric, ModeOption, none_found, select_runs
from vizkit.cli._output import print_json, print_lines
from vizkit.runs.comparison import RunValue
from vizkit.runs.query_names import meant

__all__ = ["compare"]

A = Annotated[
    str,
    typer.Argument(
        metavar="A", help=tr("A run's name, a pattern ('adam-*'), or a filter ('`batch size` == 32').")
    ),
]
B = Annotated[str, typer.Argument(metavar="B", help=tr("The same."))]


ValueOption = Annotated[
    str,
    typer.Option(
        "--value",
        metavar="best|last|STEP",
        help=tr("The value of a run: its best, its last, or the last up to a step."),
    ),
]
Anytime = Annotated[
    bool,
    typer.Option("--anytime", help=tr("An interval that is right however often one looks, of pairs alone.")),
]


def compare(
    a: A,
    b: B,
    metric: Metric,
    logdir: Logdir = DIRECTORY,
    mode: ModeOption = "auto",
    value: ValueOption = "best",
    anytime: Anytime = False,
    as_json: Json = False,
) -> None:
    """Tell whether B is better than A.

    It gives the difference of the runs' values, with its 95 % interval. The exit code is 0 if B is better,
    and 1 if it is worse or the runs do not tell.

    Example: vizkit compare 'adam-*' 'sgd-*' eval/acc
    """
    chosen = _run_value(value)
    if not len(runs := select_runs(logdir)):
        raise none_found(logdir)
    for side in (a, b):
        if not meant(side, runs):
            raise none_found(logdir, side)
    comparison = runs.compare(a, b, metric, mode, value=chosen, anytime=anytime)
    if as_json:
        print_json(comparison.to_dict())
    else:
        print_lines([str(comparison)])
    if not comparison.better:
        raise typer.Exit(1)


def _run_value(text: str) -> RunValue:
    """``best``, ``last`` or a step."""
    if text in ("best", "last"):
        return cast("RunValue", text)
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(
            tr("{text!r} is no step: give best, last or a whole number", text=text), param_hint="--value"
        ) from None
