"""``vizkit tail``."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Annotated

import typer
from rich.cells import cell_len

from vizkit._language import tr
from vizkit.cli._options import DIRECTORY, Every, Json, Logdir, OneRun, WatchOption, select_run
from vizkit.cli._output import for_people, print_json, print_lines, print_rows, say
from vizkit.runs import Run
from vizkit.runs.formatting import clean, exact_text, status_text, value_texts
from vizkit.runs.recent import Line, Recent
from vizkit.runs.run import ENDED

__all__ = ["tail"]

Tags = Annotated[
    list[str] | None,
    typer.Option("--metric", "-m", metavar="TAG", help=tr("A scalar tag; may be given several times.")),
]
Count = Annotated[int, typer.Option("--lines", "-n", metavar="N", min=0, help=tr("Number of records."))]


def tail(
    run: OneRun = None,
    logdir: Logdir = DIRECTORY,
    metric: Tags = None,
    lines: Count = 10,
    watch: WatchOption = False,
    every: Every = 1.0,
    as_json: Json = False,
) -> None:
    """Print a run's last scalars.

    The newest comes last. With --watch, new records follow until the run has ended; --json then prints one
    document for each record.

    Example: vizkit tail --watch --metric train/loss
    """
    one = select_run(logdir, run)
    recent = Recent(one, metric or ())
    shown: dict[str, float] = {}
    found = recent.take(lines)
    if as_json and not watch:
        print_json([line._asdict() for line in found])
    else:
        _print(found, shown, as_json, header=True)
    if not watch:
        if not found and lines:
            say("{run} has no scalars", run=one.name)
            raise typer.Exit(1)
        return
    say("following {run}; Ctrl-C ends", run=one.name)
    try:
        _follow(one, recent, shown, every, as_json)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    say("{run} has ended: {status}", run=one.name, status=status_text(one.status))


def _follow(run: Run, recent: Recent, shown: dict[str, float], every: float, as_json: bool) -> None:
    while True:
        ended = run.status in ENDED  # before the refresh: all that was recorded until then is in the log
        run.refresh()
        _print(recent.take(), shown, as_json)
        if ended:
            return
        time.sleep(every)


def _print(lines: list[Line], shown: dict[str, float], as_json: bool, header: bool = False) -> None:
    """Print records; ``shown`` has the last value of each tag that was printed before."""
    if as_json:
        for line in lines:
            print_json(line._asdict())
    elif for_people():
        print_lines([_text(line, value) for line, value in zip(lines, _values(lines, shown), strict=True)])
    else:
        rows = [
            ("" if (time := _time(line)) is None else time.isoformat(), line.step, line.tag, line.value)
            for line in lines
        ]
        print_rows(["time", "step", "tag", "value"] if header else [], rows)


def _time(line: Line) -> datetime | None:
    if line.walltime is None:
        return None
    try:
        return datetime.fromtimestamp(line.walltime / 1000).astimezone()
    except (OverflowError, OSError, ValueError):  # the last hours of the year 9999
        return None


def _values(lines: list[Line], shown: dict[str, float]) -> list[str]:
    """The values as texts that differ where those of a tag do."""
    by_tag: dict[str, list[float]] = {}
    for line in lines:
        by_tag.setdefault(line.tag, []).append(line.value)
    texts = {
        tag: iter(value_texts([shown.get(tag, values[0]), *values], 6)[1:]) for tag, values in by_tag.items()
    }
    shown.update((tag, values[-1]) for tag, values in by_tag.items())
    return [next(texts[line.tag]) for line in lines]


def _text(line: Line, value: str) -> str:
    moment = _time(line)
    shown = " " * 8 if moment is None else f"{moment:%H:%M:%S}"
    step = tr("step {step}", step=exact_text(line.step))
    room = " " * max(0, 13 - cell_len(step))
    return f"{shown}  {step}{room}  {clean(line.tag, None)}  {value}"
