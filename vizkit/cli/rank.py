"""``vizkit rank``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

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
from vizkit.cli._output import print_json, print_lines
from vizkit.curves.target_times import TimeAxis, TimeTo
from vizkit.runs import Ranking

__all__ = ["rank_settings"]

RankBy = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="NAME", help=tr("A hyper-parameter to rank; all, but for the seed.")),
]
Last = Annotated[bool, typer.Option("--last", help=tr("The last value of each run counts, not the best."))]
RankTarget = Annotated[
    float | None,
    typer.Option(
        "--target", metavar="VALUE", help=tr("Rank by the time until the metric reaches this value.")
    ),
]
RankAxis = Annotated[
    TimeAxis,
    typer.Option(
        "--x", help=tr("That time: since the start, or since the metric's first value; steps; epochs.")
    ),
]


def rank_settings(
    metric: Metric,
    place: Place = None,
    logdir: Logdir = DIRECTORY,
    where: Where = None,
    by: RankBy = None,
    last: Last = False,
    target: RankTarget = None,
    x: RankAxis = "time",
    mode: ModeOption = "auto",
    as_json: Json = False,
) -> None:
    """Rank settings, and tell which may be the best.

    A setting is the runs with the same hyper-parameters, but for the seed. Its ranks hold for all settings
    together with 95 %. With --target it is the time until the metric reaches a value that counts. The exit
    code is 0 if one setting is the best, and 1 if the runs do not tell.

    Example: vizkit rank eval/acc --by 'batch size'
    """
    runs = select_runs(directory := place or logdir, where=where)
    if not len(runs):
        raise none_found(directory, where)
    found: Ranking | TimeTo
    if target is None:
        found = runs.rank(metric, mode, by=by or None, value="last" if last else "best")
        first: Sequence[object] = found.best
    else:
        found = runs.time_to(metric, target, by=by or None, x=x, mode=mode)
        first = found.fastest
    if as_json:
        print_json(found.to_dict())
    else:
        print_lines(str(found).split("\n"))
    if len(first) > 1:
        raise typer.Exit(1)
