"""Workers of one sweep that are killed at random moments, each replaced by another.

``python -m tests.faults.killed_sweeps 200`` kills so many of 8 workers, and tells what became of the trials.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from visualdl import LogReader

import vizkit
from vizkit.sweeps import status
from vizkit.sweeps.space import Value

STEPS = 4


class Outcome(NamedTuple):
    """What became of a sweep.

    Attributes:
        kills: workers that were killed.
        lost: points without a finished trial.
        twice: finished trials beyond one a point.
        wrong: finished trials with another value than their point's.
        logs: runs that were begun, with those of killed workers.
        unreadable: those that VizKit or VisualDL's reader cannot read, or with another value than recorded.
    """

    kills: int
    lost: int
    twice: int
    wrong: int
    logs: int
    unreadable: int


def train(hparams: dict[str, Value], tracker: vizkit.Tracker) -> None:
    x = hparams["x"]
    assert isinstance(x, int)
    for step in range(STEPS):
        tracker.log({"eval/acc": x + step / 8}, step=step)
        time.sleep(random.uniform(0, 0.05))


def _worker(directory: Path, trials: int) -> int:
    """Fork a process that takes part, as one more call of the same program does; return its number."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        random.seed(os.getpid())
        space = {"x": list(range(trials))}
        vizkit.sweep(train, space, logdir=directory, metric="eval/acc", retries=10**6, quiet=True)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def run(directory: Path, kills: int, *, workers: int, trials: int, pause: float, seed: int = 0) -> Outcome:
    """Search a grid with workers that are killed.

    Args:
        directory: where the runs go.
        kills: how many are killed, if the sweep lasts as long.
        workers: how many work at a time.
        trials: points of the grid.
        pause: seconds between two kills at most.
        seed: of the moments and of the choice.
    """
    r = random.Random(seed)
    alive = [_worker(directory, trials) for _ in range(workers)]
    killed = 0
    while killed < kills and alive:
        time.sleep(r.uniform(0, pause))
        victim = r.choice(alive)
        os.kill(victim, signal.SIGKILL)
        _, how = os.waitpid(victim, 0)
        alive.remove(victim)
        if os.WIFSIGNALED(how):
            killed += 1
            alive.append(_worker(directory, trials))
    for pid in alive:
        _, how = os.waitpid(pid, 0)
        if how:
            raise RuntimeError(f"a worker ended with {how}")
    return _outcome(directory, killed, trials)


def _outcome(directory: Path, kills: int, trials: int) -> Outcome:
    finished = status(directory).finished
    count = Counter(trial.hparams["x"] for trial in finished)
    runs = sorted(path for path in directory.iterdir() if path.name.startswith("trial"))
    done = {name for trial in finished for name in trial.runs}
    return Outcome(
        kills=kills,
        lost=sum(x not in count for x in range(trials)),
        twice=sum(count.values()) - len(count),
        wrong=sum(trial.value != trial.hparams["x"] + (STEPS - 1) / 8 for trial in finished),  # type: ignore[operator]
        logs=len(runs),
        unreadable=sum(not _is_readable(run, run.name in done) for run in runs),
    )


def _is_readable(run: Path, whole: bool) -> bool:
    """True if a run's log holds what was recorded from the first step on: all of it, if it has finished."""
    logs = list(run.glob("*vdlrecords*"))
    if not logs:
        return not whole  # killed before the first record
    try:
        stock = LogReader(file_path=str(logs[0]))
        (found,) = vizkit.load(run)
        if "eval/acc" not in found.scalar_tags:
            return not whole
        values = found.columns("eval/acc").values.tolist()
        same = values == [record.value for record in stock.get_data("scalar", "eval/acc")]
        expected = [found.hparams["x"] + step / 8 for step in range(STEPS)]
        return same and values == expected[: len(values)] and (len(values) == STEPS or not whole)
    except Exception:
        traceback.print_exc()
        return False


if __name__ == "__main__":
    number = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as logdir:
        print(run(Path(logdir), number, workers=8, trials=2 * number, pause=0.1))
