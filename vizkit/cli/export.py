"""``vizkit export``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from vizkit._language import tr, trn
from vizkit.cli._options import DIRECTORY, Json, Logdir, SomeRuns, Where, none_found, select_runs
from vizkit.cli._output import for_people, say, without_escapes
from vizkit.runs.export import frame_to_csv, frame_to_parquet, to_json
from vizkit.runs.table_frames import exported_frame

__all__ = ["export"]

Format = Literal["csv", "json", "parquet"]

FormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format", "-f", help=tr("By default what the file's name ends in, or csv."), show_default=False
    ),
]
OutputFile = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help=tr("Where to; stdout."), show_default=False),
]

TableName = Annotated[
    str | None,
    typer.Option(
        "--table",
        metavar="NAME",
        help=tr("Instead of the scalars a table, such as eval/predictions."),
        show_default=False,
    ),
]
Step = Annotated[
    float | None,
    typer.Option("--step", help=tr("The table's step; by default the last."), show_default=False),
]

EscapeFormulas = Annotated[
    bool,
    typer.Option("--escape-formulas", help=tr("In CSV, put ' before names that spreadsheets would run.")),
]

ByteOrderMark = Annotated[
    bool,
    typer.Option("--bom", help=tr("Begin a CSV with a byte order mark, by which Excel knows UTF-8.")),
]


def export(
    runs: SomeRuns = None,
    logdir: Logdir = DIRECTORY,
    where: Where = None,
    format: FormatOption = None,  # noqa: A002 the option's name
    output: OutputFile = None,
    table: TableName = None,
    step: Step = None,
    escape_formulas: EscapeFormulas = False,
    bom: ByteOrderMark = False,
    as_json: Json = False,
) -> None:
    """Write the scalars or a table of runs as CSV, JSON or Parquet.

    JSON of scalars includes hyper-parameters and status. Records that a resumed run superseded are left out.

    Example: vizkit export 'lenet/*' -o scalars.parquet
    """
    kind = "json" if as_json else format or _format_of(output)
    if kind == "parquet" and not output:
        raise typer.BadParameter(tr("Parquet is written to a file: name it with --output"))
    if step is not None and table is None:
        raise typer.BadParameter(tr("--step belongs to --table"))
    some = select_runs(logdir, runs, where)
    if not len(some):
        raise none_found(logdir, where)
    frame = None if table is None else exported_frame(some, table, step)
    if kind == "parquet":
        frame_to_parquet(some.scalars() if frame is None else frame, str(output))
    else:
        if kind == "json":
            text = some.to_json(output) if frame is None else to_json(frame.to_dict("records"), output)
        else:
            every = some.scalars() if frame is None else frame
            text = frame_to_csv(every, output, escape_formulas=escape_formulas, bom=bom)
        sys.stdout.write(without_escapes(text or "") if for_people() else text or "")
    if output:
        say(trn("{n} run written to {path}", "{n} runs written to {path}", len(some), path=output))


def _format_of(output: str | None) -> Format:
    ending = Path(output or "").suffix.lower()
    endings: dict[str, Format] = {"": "csv", ".csv": "csv", ".json": "json", ".parquet": "parquet"}
    kind = endings.get(ending)
    if kind is None:
        raise typer.BadParameter(
            tr("{path} does not end in .csv, .json or .parquet: name its --format", path=output)
        )
    return kind
