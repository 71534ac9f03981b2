"""``vizkit plot``."""

from __future__ import annotations

import os
import shutil
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Literal

import typer
from rich.text import Text

from vizkit._language import tr
from vizkit.cli._options import DIRECTORY, Json, Logdir, SomeRuns, Where, none_found, select_runs
from vizkit.cli._output import for_people, print_json, print_lines, say, stdout
from vizkit.curves.curves import curves_data
from vizkit.errors import MissingDependencyError
from vizkit.media.palette import color
from vizkit.plots.terminal import Drawing, draw, series_of

__all__ = ["plot"]

Tag = Annotated[str, typer.Argument(metavar="TAG", help=tr("A scalar tag, or a pattern ('*/loss')."))]
PictureFile = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help=tr("Draw into a file: .png, .svg, .pdf, or .html, an interactive chart."),
    ),
]
Dark = Annotated[bool, typer.Option("--dark", help=tr("Draw a picture on dark paper."))]
XAxis = Annotated[
    str,
    typer.Option(
        "--x",
        metavar="AXIS",
        help=tr(
            "The x axis: step, epoch, time (since the start), relative (time since the first record), "
            "walltime (time of day), or another scalar tag."
        ),
    ),
]
By = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="NAME", help=tr("A line for the mean of each value of a hyper-parameter.")),
]
PartialOption = Annotated[
    Literal["dotted", "stop"],
    typer.Option("--partial", help=tr("A mean where some of its runs have ended: dotted, or not drawn.")),
]
Smooth = Annotated[
    str,
    typer.Option(
        "--smooth",
        metavar="HOW",
        help=tr(
            "A weight from 0 (off) to below 1, of an exponential mean; time:0.9, the same by x; "
            "gaussian:20 or mean:50, over so many points."
        ),
    ),
]
Log = Annotated[bool, typer.Option("--log", help=tr("A logarithmic y axis."))]
Robust = Annotated[
    bool, typer.Option("--no-outliers", help=tr("Choose the y axis by the bulk of the values."))
]
Width = Annotated[
    int | None, typer.Option("--width", min=30, help=tr("Characters; the terminal's."), show_default=False)
]
Height = Annotated[
    int | None, typer.Option("--height", min=6, help=tr("Lines; as fit the terminal."), show_default=False)
]


def plot(
    tag: Tag,
    runs: SomeRuns = None,
    logdir: Logdir = DIRECTORY,
    where: Where = None,
    x: XAxis = "step",
    by: By = None,
    partial: PartialOption = "dotted",
    smooth: Smooth = "0",
    log: Log = False,
    no_outliers: Robust = False,
    output: PictureFile = None,
    dark: Dark = False,
    width: Width = None,
    height: Height = None,
    as_json: Json = False,
) -> None:
    """Draw a scalar tag of runs.

    In the terminal, or into a file. Without colours each run is a letter.

    Example: vizkit plot eval/acc --by 'batch size' --x time -o acc.png
    """
    if output is not None and not os.path.splitext(output)[1]:
        raise typer.BadParameter(
            tr("{path!r} does not say which picture it is: name a .png, .svg, .pdf or .html", path=output)
        )
    some = select_runs(logdir, runs, where)
    if not len(some):
        raise none_found(logdir, where)
    if output:
        page = output.lower().endswith((".html", ".htm"))
        draws = some.chart if page else some.plot
        with _paper(dark and not page):
            drawn = draws(
                tag, x=x, by=by or None, smooth=smooth, partial=partial, log=log, outliers=not no_outliers
            )
        drawn.save(output)
        say("{path} written", path=output)
        return
    data = curves_data(
        some,
        tag,
        x=x,
        by=by or None,
        smooth=smooth,
        band=None,
        partial=partial,
        outliers=not no_outliers,
        log_y=log,
    )
    if as_json:
        print_json({"tag": data.tag, "x": x, "unit": data.unit, "series": series_of(data)})
        return
    columns, lines = shutil.get_terminal_size()  # 80 by 24 without one
    room = height or max(min(lines - len(data.series) - 2, 24), 10)
    positions = [series.position for series in data.series]
    coloured = for_people() and not stdout().no_color and stdout().color_system in ("256", "truecolor")
    coloured = coloured and len(set(positions)) == len(positions)  # not if a run has several tags
    drawing = draw(data, width or columns, room, log=log, plain=not coloured)
    if coloured:
        for line in _coloured(drawing, positions):
            stdout().print(line, soft_wrap=True)
    else:
        print_lines(str(drawing).split("\n"))


def _paper(dark: bool) -> AbstractContextManager[None]:
    if not dark:
        return nullcontext()
    try:
        from matplotlib import style
    except ImportError:
        raise MissingDependencyError.for_extra("plots", tr("plots need matplotlib")) from None
    return style.context("dark_background")


def _coloured(drawing: Drawing, positions: list[int]) -> list[Text]:
    styles = [color(position) for position in positions]
    return [
        Text.assemble(*((span.text, styles[span.series] if span.series >= 0 else "") for span in row))
        for row in drawing.rows
    ]
