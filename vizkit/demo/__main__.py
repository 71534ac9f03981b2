"""``python -m vizkit.demo``: train, record, rank."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
import warnings
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from vizkit._language import tr, trn
from vizkit.demo import results, training


class _Parser(argparse.ArgumentParser):
    """A parser whose own words are in the user's language."""

    def format_usage(self) -> str:
        return super().format_usage().replace("usage: ", tr("usage: {rest}", rest=""), 1)

    def format_help(self) -> str:
        text = super().format_help().replace("usage: ", tr("usage: {rest}", rest=""), 1)
        return text.replace("\noptions:\n", f"\n{tr('options:')}\n", 1)


def main() -> None:
    """Train the grid of runs and print their results."""
    parser = _Parser(
        prog="python -m vizkit.demo",
        description=tr("Train LeNet nine times on real digits, record the runs and rank them."),
        add_help=False,
    )
    parser.add_argument("-h", "--help", action="help", help=tr("Show this message and exit."))
    parser.add_argument(
        "--logdir", type=Path, default=Path("log/lenet"), help=tr("where the runs go (log/lenet)")
    )
    parser.add_argument("--epochs", type=int, default=5, help=tr("epochs a run (5)"))
    parser.add_argument(
        "--runs",
        type=int,
        nargs="+",
        metavar="N",
        help=tr("numbers of the runs to train, 1 to 9 (all of them)"),
    )
    options = parser.parse_args()

    os.environ.setdefault("GLOG_minloglevel", "2")  # Paddle's own chatter
    warnings.filterwarnings("ignore", module="paddle")
    console = Console()
    grid = training.grid()
    numbers = options.runs or range(1, len(grid) + 1)
    if not all(1 <= number <= len(grid) for number in numbers) or options.epochs < 1:
        parser.error(tr("there are runs 1 to {most}, and at least 1 epoch", most=len(grid)))
    data = training.digits()
    runs = {options.logdir / f"run{number}": grid[number - 1] for number in numbers}
    steps = {run: options.epochs * -(-len(data[0]) // settings.batch_size) for run, settings in runs.items()}

    console.print(
        tr(
            "Training LeNet {times} times on {digits} MNIST digits, {epochs} epochs each",
            times=len(runs),
            digits=len(data[0]),
            epochs=options.epochs,
        )
    )
    started = time.monotonic()
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
    columns += [TimeElapsedColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(tr("all runs"), total=sum(steps.values()))
        for run, settings in runs.items():
            progress.update(bar, description=run.name)
            training.train(run, settings, data, epochs=options.epochs, on_step=lambda: progress.advance(bar))
            (result,) = results.ranked([run])
            console.print(
                tr(
                    "{name}: {settings}: accuracy {acc:.4f} in {seconds:.0f} s",
                    name=run.name,
                    settings=settings,
                    acc=result.best_acc,
                    seconds=result.seconds,
                )
            )

    console.print(results.table(results.ranked(runs)))
    console.print(
        trn(
            "{n} run in {seconds:.0f} s, recorded in {logdir}",
            "{n} runs in {seconds:.0f} s, recorded in {logdir}",
            len(runs),
            seconds=time.monotonic() - started,
            logdir=options.logdir,
        )
    )
    root = options.logdir.parent if options.logdir.parent != Path() else options.logdir
    beside = os.path.relpath(Path(sys.executable).with_name("visualdl"))
    visualdl = "visualdl" if shutil.which("visualdl") else beside
    command = f"{visualdl} --logdir {root}"
    console.print(tr("Look at them with:  {command}", command=command), highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
