"""``vizkit archive``."""

from __future__ import annotations

from typing import Annotated

import typer

from vizkit._language import tr, trn
from vizkit.cli._options import DIRECTORY, Logdir, Where, none_found, select_runs
from vizkit.cli._output import say

__all__ = ["archive"]


def archive(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN", help=tr("Names, beginnings or patterns ('lenet/*')."), show_default=False
        ),
    ] = None,
    where: Where = None,
    undo: Annotated[bool, typer.Option("--undo", help=tr("Take the runs back."))] = False,
    logdir: Logdir = DIRECTORY,
) -> None:
    """Put runs away: vizkit ls and the workspace leave them out. Nothing is deleted.

    Example: vizkit archive --where 'status == "failed"'
    """
    if not runs and where is None:
        raise typer.BadParameter(tr("name runs, or choose some with --where"), param_hint="RUN")
    if not len(chosen := select_runs(logdir, runs, where)):
        raise none_found(logdir, where)
    changed = [run for run in chosen if run.archived == undo]
    for run in changed:
        run.annotate(archived=not undo)
    n = len(changed)
    say(
        trn("{n} run taken back", "{n} runs taken back", n)
        if undo
        else trn("{n} run archived", "{n} runs archived", n)
    )
