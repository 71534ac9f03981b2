"""``vizkit view``."""

from __future__ import annotations

from typing import Annotated

import typer

from vizkit._language import tr
from vizkit.cli._options import DIRECTORY, Json, Logdir
from vizkit.cli._output import print_json, print_lines, print_rows
from vizkit.runs import Views

__all__ = ["view"]


def view(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help=tr("A view's name; all."), show_default=False)
    ] = None,
    address: Annotated[
        str | None,
        typer.Argument(
            metavar="ADDRESS",
            help=tr("The workspace's address, or its query, to save; '' deletes the view."),
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    logdir: Logdir = DIRECTORY,
) -> None:
    """Save a view of the workspace, or print those that are saved: name and query of the address.

    Example: vizkit view losses 'tags=loss&smooth=ema'
    """
    views = Views(logdir)
    if name is None:
        if as_json:
            print_json(dict(views))
        else:
            print_rows([], sorted(views.items()))
    elif address is None:
        print_lines([views[name]])
    elif address:
        views[name] = address
    else:
        del views[name]
