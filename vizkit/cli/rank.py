"""``vizkit rank``."""

from __future__ import annotations

from typing import Annotated

import typer

from vizkit._language import tr
from vizkit.cli._options import DIRECTORY, Json, Logdir, Metric, ModeOption, Where, none_found, select_runs
from vizkit.cli._output import print_json, print_lines

__all__ = ["rank_settings"]

RankBy = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="NAME", help=tr("A hyper-parameter to rank; all, but for the seed.")),
]
Last = Annotated[bool, typer.Option("--last", help=tr("The last value of each run counts, not the best."))]


def rank_settings(
    metric: Metric,
    logdir: Logdir = DIRECTORY,
    where: Where = None,
    by: RankBy = None,
    last: Last = False,
    mode: ModeOption = "auto",
    as_json: Json = False,
) -> None:
    """Rank settings, and tell which may be the best.

    A setting is the runs with the same hyper-parameters, but for the seed. Its ranks hold for all settings
    together with 95 %. The exit code is 0 if one setting is the best, and 1 if the runs do not tell.

    Example: vizkit rank eval/acc --by 'batch size'
    """
    runs = select_runs(logdir, where=where)
    if not len(runs):
        raise none_found(logdir, where)
    ranking = runs.rank(metric, mode, by=by or None, value="last" if last else "best")
    if as_json:
        print_json(ranking.to_dict())
    else:
        print_lines(str(ranking).split("\n"))
    if len(ranking.best) > 1:
        raise typer.Exit(1)
