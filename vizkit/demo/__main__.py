"""``python -m vizkit.demo``: train, record, rank."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import warnings
from pathlib import Path

import vizkit
from vizkit._language import tr
from vizkit.demo import training


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
    parser.add_argument("--trials", type=int, default=9, help=tr("how many are trained, 1 to 9 (9)"))
    parser.add_argument("--workers", type=int, default=1, help=tr("How many train at a time."))
    options = parser.parse_args()

    os.environ.setdefault("GLOG_minloglevel", "2")  # Paddle's own chatter
    warnings.filterwarnings("ignore", module="paddle")
    if not 1 <= options.trials <= 9 or min(options.epochs, options.workers) < 1:
        parser.error(tr("there are 1 to 9 trials, and at least 1 epoch and 1 worker"))
    training.require_digits()  # here, not in each trial
    print(
        tr(
            "Training LeNet {times} times on {digits} MNIST digits, {epochs} epochs each",
            times=options.trials,
            digits=training.TRAIN_SIZE,
            epochs=options.epochs,
        )
    )
    result = vizkit.sweep(
        training.train,
        {**training.GRID, "epochs": [options.epochs]},
        logdir=options.logdir,
        metric="eval/acc",
        sampler="grid",
        points=[{"batch size": size} for size in training.GRID["batch size"]],  # the longest first
        constraint=training.in_square,
        trials=options.trials,
        workers=options.workers,
    )
    print(result)
    program = "vizkit" if shutil.which("vizkit") else "python -m vizkit"
    print(tr("Look at them with:  {command}", command=f"{program} serve {shlex.quote(str(options.logdir))}"))


if __name__ == "__main__":
    main()
