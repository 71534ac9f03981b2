"""Timing, tables, and the line that says on what machine it was."""

from __future__ import annotations

import gc
import importlib.metadata
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = [
    "Goal",
    "Table",
    "fresh",
    "goals_table",
    "interleaved",
    "keep_terminal",
    "machine",
    "markdown",
    "median",
    "ms",
    "ratio",
    "tell",
    "three",
    "timed",
    "us",
]


_terminal = 2


@dataclass(frozen=True)
class Goal:
    """One row of what is promised, and whether it was kept."""

    work: str
    goal: str
    measured: str
    met: bool


@dataclass
class Table:
    """One topic's figures; ``goals`` come from them, ``notes`` tell how they were taken."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)


def keep_terminal() -> None:
    """Keeps stderr as it is now for `tell`."""
    global _terminal
    _terminal = os.dup(2)


def tell(text: str) -> None:
    """Tells who has started the benchmark how far a long topic is, whose own output goes to a file."""
    os.write(_terminal, f"{text}\n".encode())


def fresh(root: str, name: str) -> str:
    """A directory of its own under ``root``, for one run of one library."""
    safe = "".join(c if c.isalnum() else "-" for c in name)
    return tempfile.mkdtemp(prefix=safe + "-", dir=root)


def timed(work: Callable[[], object]) -> float:
    """Seconds that ``work`` takes on this thread's clock on the wall."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved(
    cases: Mapping[str, Callable[[], float]], repeats: int, *, warmup: int = 1
) -> dict[str, list[float]]:
    """Runs all cases in turn, A B A B ..., so that a slow minute of the machine meets them all.

    Args:
        cases: name -> what does the work and returns what it measured.
        repeats: how often each is run.
        warmup: rounds before that, which are not counted.
    """
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(warmup + repeats):
        for name, case in cases.items():
            gc.collect()
            value = case()
            if turn >= warmup:
                taken[name].append(value)
    return taken


median = statistics.median


def ratio(times: Sequence[float], base: Sequence[float]) -> float:
    """How many times ``base`` the times are: the median over the repetitions, each beside its own."""
    return median([a / b for a, b in zip(times, base, strict=True)])


def us(seconds: float) -> str:
    """A time in microseconds, with three digits."""
    return _three_digits(seconds * 1e6)


def ms(seconds: float) -> str:
    """A time in milliseconds, with three digits."""
    return _three_digits(seconds * 1e3)


def _three_digits(value: float) -> str:
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def three(
    times: Sequence[float], base: Sequence[float], unit: Callable[[float], str] = us
) -> tuple[str, str, str]:
    """What most tables show: the median, the least, and the ratio to ``base``."""
    return unit(median(times)), unit(min(times)), f"{ratio(times, base):.2f}"


def markdown(table: Table) -> str:
    """The table as GitHub draws it: names left, numbers right."""
    rows = [list(table.columns), *([str(cell) for cell in row] for row in table.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.columns))]
    lines = [f"### {table.title}", ""] if table.title else []
    rows.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    for first, *others in rows:
        right = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append(f"| {' | '.join([first.ljust(widths[0]), *right])} |")
    lines += ["", *(note + "\n" for note in table.notes)]
    return "\n".join(lines)


def goals_table(goals: Sequence[Goal]) -> Table:
    """All goals beside what was measured."""
    rows = [(goal.work, goal.goal, goal.measured, "yes" if goal.met else "**no**") for goal in goals]
    return Table("Goals", ("work", "goal", "measured", "met"), rows)


def machine(packages: Sequence[str], command: str) -> str:
    """CPU, versions of packages, load, date and command, as a markdown list."""
    versions = [f"{package} {_version(package)}" for package in packages]
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    lines = [
        f"date: {time.strftime('%Y-%m-%d %H:%M %Z')}",
        f"command: `{command}`",
        f"machine: {_cpu()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"logs on {_file_system(tempfile.gettempdir())}",
        f"load average at the start: {load}",
        f"Python {platform.python_version()}, {', '.join(versions)}",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "(not there)"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _file_system(path: str) -> str:
    """The type of the file system that holds ``path``."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return "?"
    real = os.path.realpath(path)
    holding = [(len(at), kind) for at, kind in mounts if (real + "/").startswith(at.rstrip("/") + "/")]
    return max(holding, default=(0, "?"))[1]
