"""The results of the runs, read back from their logs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.table import Table

from vizkit._language import tr
from vizkit.runs import load

__all__ = ["Result", "ranked", "table"]


@dataclass(frozen=True)
class Result:
    """The settings of one run, its best evaluation, and its duration in seconds."""

    name: str
    hparams: dict[str, object]
    best_acc: float
    best_step: int | float
    last_loss: float
    seconds: float


def ranked(runs: Iterable[Path]) -> list[Result]:
    """Read the runs, the one with the best evaluation accuracy first."""
    return sorted(map(_read, runs), key=lambda result: -result.best_acc)


def _read(directory: Path) -> Result:
    run = load(directory)[0]
    best, duration = run.best("eval/acc"), run.duration
    seconds = 0.0 if duration is None else duration.total_seconds()
    return Result(directory.name, run.hparams, best.value, best.step, run.last("eval/loss").value, seconds)


def table(results: list[Result]) -> Table:
    """Lay out the runs as a table for the terminal, in the order given."""
    title = tr("Runs by their best evaluation accuracy")
    out = Table("", tr("run"), title=title, title_justify="left", box=box.SIMPLE_HEAD, collapse_padding=True)
    names = list(dict.fromkeys(name for result in results for name in result.hparams))
    for name in (*names, tr("best eval/acc"), tr("step"), tr("last eval/loss"), tr("time")):
        out.add_column(name, justify="right")
    for rank, result in enumerate(results, start=1):
        hparams = [str(result.hparams.get(name, "")) for name in names]
        numbers = [f"{result.best_acc:.4f}", f"{result.best_step:g}", f"{result.last_loss:.4f}"]
        style = "bold green" if rank == 1 else ""
        out.add_row(str(rank), result.name, *hparams, *numbers, f"{result.seconds:.0f} s", style=style)
    return out
