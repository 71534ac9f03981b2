"""``vizkit note``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from vizkit._language import tr
from vizkit.cli._options import DIRECTORY, Logdir, select_run
from vizkit.cli._output import print_lines

__all__ = ["note"]


def note(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help=tr("A run's name or a beginning of it, or its path."))
    ],
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="TEXT",
            help=tr("The note, as Markdown; '' deletes it, - reads it from the input."),
            show_default=False,
        ),
    ] = None,
    logdir: Logdir = DIRECTORY,
) -> None:
    """Write a note on a run, or print the one that it has.

    Example: vizkit note lenet/run3 'diverged: rate too **high**'
    """
    one = select_run(logdir, run)
    if text is not None:
        one.annotate(note=sys.stdin.read() if text == "-" else text)
    elif one.note:
        print_lines(one.note.splitlines())
