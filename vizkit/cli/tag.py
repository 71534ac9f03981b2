"""``vizkit tag``."""

from __future__ import annotations

from typing import Annotated

import typer

from vizkit._language import tr
from vizkit.cli._options import DIRECTORY, Logdir, select_run
from vizkit.cli._output import print_lines

__all__ = ["tag"]


def tag(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help=tr("A run's name or a beginning of it, or its path."))
    ],
    labels: Annotated[
        list[str] | None, typer.Argument(metavar="LABEL", help=tr("Labels to add."), show_default=False)
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(
            "--remove", metavar="LABEL", help=tr("A label to take off; may be given several times.")
        ),
    ] = None,
    logdir: Logdir = DIRECTORY,
) -> None:
    """Label a run, and print its labels.

    Filters know them: vizkit ls --where '"good" in labels'

    Example: vizkit tag lenet/run3 good baseline
    """
    one = select_run(logdir, run)
    if labels or remove:
        one.annotate(add=labels or (), remove=remove or ())
    print_lines(one.labels)
