"""The results of the runs, read back from their logs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.table import Table

from vizkit.format.decode import decode_record
from vizkit.format.frames import read_frames
from vizkit.writing import run_directory

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


def _read(run: Path) -> Result:
    path, _ = run_directory.log_path(str(run))
    hparams: dict[str, object] = {}
    best = (float("-inf"), 0.0)
    loss = float("nan")
    times = []
    for record in map(decode_record, read_frames(Path(path).read_bytes())):
        times.append(record.walltime)
        if record.kind == "hparams":
            hparams = record.data.hparams
        elif record.tag == "eval/acc" and record.data > best[0]:
            best = (record.data, record.step)
        elif record.tag == "eval/loss":
            loss = record.data
    return Result(run.name, hparams, *best, loss, (max(times) - min(times)) / 1000)


def table(results: list[Result]) -> Table:
    """Lay out the runs as a table for the terminal, in the order given."""
    title = "Runs by their best evaluation accuracy"
    out = Table("", "run", title=title, title_justify="left", box=box.SIMPLE_HEAD, collapse_padding=True)
    names = list(dict.fromkeys(name for result in results for name in result.hparams))
    for name in (*names, "best eval/acc", "step", "last eval/loss", "time"):
        out.add_column(name, justify="right")
    for rank, result in enumerate(results, start=1):
        hparams = [str(result.hparams.get(name, "")) for name in names]
        numbers = [f"{result.best_acc:.4f}", f"{result.best_step:g}", f"{result.last_loss:.4f}"]
        style = "bold green" if rank == 1 else ""
        out.add_row(str(rank), result.name, *hparams, *numbers, f"{result.seconds:.0f} s", style=style)
    return out
