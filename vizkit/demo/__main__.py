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

import vizkit.demo
from vizkit.demo import results, training


def main() -> None:
    """Train the grid of runs and print their results."""
    parser = argparse.ArgumentParser(prog="python -m vizkit.demo", description=vizkit.demo.__doc__)
    parser.add_argument(
        "--logdir", type=Path, default=Path("log/lenet"), help="where the runs go (%(default)s)"
    )
    parser.add_argument("--epochs", type=int, default=5, help="epochs a run (%(default)s)")
    parser.add_argument(
        "--runs", type=int, nargs="+", metavar="N", help="numbers of the runs to train, 1 to 9 (all of them)"
    )
    options = parser.parse_args()

    os.environ.setdefault("GLOG_minloglevel", "2")  # Paddle's own chatter
    warnings.filterwarnings("ignore", module="paddle")
    console = Console()
    grid = training.grid()
    numbers = options.runs or range(1, len(grid) + 1)
    if not all(1 <= number <= len(grid) for number in numbers) or options.epochs < 1:
        parser.error(f"there are runs 1 to {len(grid)}, and at least 1 epoch")
    data = training.digits()
    runs = {options.logdir / f"run{number}": grid[number - 1] for number in numbers}
    steps = {run: options.epochs * -(-len(data[0]) // settings.batch_size) for run, settings in runs.items()}

    console.print(
        f"Training LeNet {len(runs)} times on {len(data[0])} MNIST digits, {options.epochs} epochs each"
    )
    started = time.monotonic()
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
    columns += [TimeElapsedColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("all runs", total=sum(steps.values()))
        for run, settings in runs.items():
            progress.update(bar, description=run.name)
            training.train(run, settings, data, epochs=options.epochs, on_step=lambda: progress.advance(bar))
            (result,) = results.ranked([run])
            console.print(f"{run.name}: {settings}: accuracy {result.best_acc:.4f} in {result.seconds:.0f} s")

    console.print(results.table(results.ranked(runs)))
    console.print(f"{len(runs)} runs in {time.monotonic() - started:.0f} s, recorded in {options.logdir}")
    root = options.logdir.parent if options.logdir.parent != Path() else options.logdir
    beside = os.path.relpath(Path(sys.executable).with_name("visualdl"))
    visualdl = "visualdl" if shutil.which("visualdl") else beside
    console.print(f"Look at them with:  {visualdl} --logdir {root}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
