"""``vizkit sweep``."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import typer

from vizkit import sweeps
from vizkit._language import tr
from vizkit.cli._options import DIRECTORY, Json, Logdir, ModeOption
from vizkit.cli._output import print_json, print_lines
from vizkit.errors import DataError
from vizkit.sweeps.result import SweepResult
from vizkit.sweeps.space import Dimension, Value

__all__ = ["sweep_script"]

_RANGE = ".."


def sweep_script(
    command: Annotated[
        list[str],
        typer.Argument(
            metavar="COMMAND",
            help=tr("The script and its arguments, with {name} for a value; or status, or join."),
        ),
    ],
    grid: Annotated[
        list[str] | None, typer.Option(metavar="NAME=A,B,...", help=tr("A hyper-parameter and its values."))
    ] = None,
    log: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=LOW..HIGH", help=tr("A range whose logarithm is searched evenly.")),
    ] = None,
    uniform: Annotated[
        list[str] | None, typer.Option(metavar="NAME=LOW..HIGH", help=tr("A range of numbers."))
    ] = None,
    integers: Annotated[
        list[str] | None, typer.Option(metavar="NAME=LOW..HIGH", help=tr("A range of whole numbers."))
    ] = None,
    metric: Annotated[str, typer.Option(help=tr("The scalar tag that counts."))] = "",
    mode: ModeOption = "auto",
    trials: Annotated[
        int | None, typer.Option(min=1, help=tr("How many points are trained in all; of a grid all."))
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0, help=tr("No trial is begun after this time."))
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help=tr("How often each point is trained."))] = 1,
    objective: Annotated[
        Literal["best", "last"], typer.Option(help=tr("The value of a run that counts."))
    ] = "best",
    workers: Annotated[int, typer.Option(min=1, help=tr("How many train at a time."))] = 1,
    sampler: Annotated[
        Literal["grid", "random", "quasi-random", "tpe", "gp", "cma-es"] | None,
        typer.Option(help=tr("The search; by default a grid, or TPE."), show_default=False),
    ] = None,
    pruner: Annotated[
        Literal["median", "halving", "hyperband", "wilcoxon"] | None,
        typer.Option(help=tr("The rule that ends bad trials early."), show_default=False),
    ] = None,
    engine: Annotated[
        Literal["processes", "ray"],
        typer.Option(help=tr("Where the workers are: on this machine, or on a Ray cluster.")),
    ] = "processes",
    resources: Annotated[
        str | None,
        typer.Option(metavar="NAME=N,...", help=tr("What a worker on Ray occupies, such as CPU=2,GPU=1.")),
    ] = None,
    logdir: Logdir = DIRECTORY,
    as_json: Json = False,
) -> None:
    """Search for the hyper-parameters of a script, which finds them by vizkit.hparams(), or in its arguments.

    The same command goes on where it stopped. status DIR tells what was found so far; join DIR has this
    machine take part.

    Example: vizkit sweep --grid lr=0.1,1 --metric eval/acc -- train.py {lr}
    """
    occupied = None if resources is None else _resources(resources)
    if command[0] in ("status", "join") and len(command) < 3:
        logdir = command[1] if len(command) == 2 else logdir
        if command[0] == "status":
            _show(sweeps.status(logdir), as_json)
        else:
            _show(sweeps.join(logdir, workers=workers, engine=engine, resources=occupied), as_json)
        return
    if not metric:
        raise DataError("which metric counts? name its tag: --metric eval/acc")
    space: dict[str, Dimension | Sequence[Value]] = {}
    for given in grid or ():
        name, _, values = _parted(given)
        space[name] = [_value(value) for value in values.split(",")]
    ranges: tuple[tuple[Sequence[str] | None, Callable[..., Dimension]], ...] = (
        (log, sweeps.log),
        (uniform, sweeps.uniform),
        (integers, sweeps.integers),
    )
    for some, made in ranges:
        for given in some or ():
            name, low, high = _parted(given, _RANGE)
            space[name] = made(_value(low), _value(high))
    program = command
    if command[0].endswith(".py"):
        if not os.path.isfile(command[0]):
            raise DataError("there is no script {path!r}", path=command[0])
        program = [sys.executable, *command]
    found = sweeps.sweep(
        program,
        space,
        logdir=logdir,
        metric=metric,
        mode=mode,
        trials=trials,
        seconds=seconds,
        seeds=seeds,
        workers=workers,
        objective=objective,
        sampler=sampler,
        pruner=pruner,
        engine=engine,
        resources=occupied,
    )
    _show(found, as_json)


def _show(found: SweepResult, as_json: bool) -> None:
    if as_json:
        print_json(found.to_dict())
        return
    print_lines(str(found).splitlines())
    if not found.finished:
        raise typer.Exit(1)


def _parted(given: str, between: str = "") -> tuple[str, str, str]:
    """The name before ``=``, and what stands behind it, on both sides of ``between`` if there is one."""
    name, equals, values = given.partition("=")
    low, found, high = values.partition(between) if between else ("", "", values)
    if not name or not equals or not high or (between and not (low and found)):
        example = "lr=1e-5..1e-1" if between else "lr=1e-2,1e-3"
        raise DataError(
            "{given!r} is no hyper-parameter: write it as {example}", given=given, example=example
        )
    return (name, low, high)


def _resources(given: str) -> dict[str, float]:
    """The amounts of ``CPU=2,GPU=0.5``."""
    found: dict[str, float] = {}
    for part in given.split(","):
        name, _, amount = part.partition("=")
        try:
            found[name.strip()] = float(amount)
        except ValueError:
            found[name.strip()] = -1
        if not name.strip() or not 0 <= found[name.strip()] < math.inf:
            raise DataError("--resources {given!r}: write it as CPU=2,GPU=1", given=given)
    return found


def _value(text: str) -> Value:
    """A number, ``true``, ``false`` or ``null``; else the text itself."""
    try:
        value = json.loads(text)
    except ValueError:
        try:
            value = float(text)  # 1., .5
        except ValueError:
            return text
    return value if isinstance(value, (bool, int, float)) or value is None else text
