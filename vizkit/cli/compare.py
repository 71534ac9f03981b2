"""``vizkit compare``."""

from __future__ import annotations

from typing import Annotated

import typer

from vizkit._language import tr
from vizkit.cli._options import DIRECTORY, Json, Logdir, Metric, ModeOption, select_runs
from vizkit.cli._output import print_json, print_lines

__all__ = ["compare"]

A = Annotated[
    str,
    typer.Argument(
        metavar="A", help=tr("A run's name, a pattern ('adam-*'), or a filter ('`batch size` == 32').")
    ),
]
B = Annotated[str, typer.Argument(metavar="B", help=tr("The same."))]


def compare(
    a: A, b: B, metric: Metric, logdir: Logdir = DIRECTORY, mode: ModeOption = "auto", as_json: Json = False
) -> None:
    """Tell whether B is better than A.

    It gives the difference of the runs' best values, with its 95 % interval. The exit code is 0 if B is
    better, and 1 if it is worse or the runs do not tell.

    Example: vizkit compare 'adam-*' 'sgd-*' eval/acc
    """
    comparison = select_runs(logdir).compare(a, b, metric, mode)
    if as_json:
        print_json(comparison.to_dict())
    else:
        print_lines([str(comparison)])
    if not comparison.better:
        raise typer.Exit(1)
