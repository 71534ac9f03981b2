"""Work done several ways by processes that take turns, so that a slow moment of the machine meets them all.

Only the one whose turn it is runs. The others are stopped as a whole (SIGSTOP): their threads do
nothing in another's turn, and what they had begun goes on in their own next one.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Baton", "Processes", "Turn", "paired", "totals"]

RESAMPLES = 1000
INTERVAL = (0.025, 0.975)


@dataclass(frozen=True)
class Turn:
    """What one process did in one turn.

    Attributes:
        name: what that was.
        wall: seconds.
        alone: those but what its main thread waited for a core that others had (Linux counts that).
        cpu: seconds of CPU time, of all threads together.
        thread: those of its main thread.
    """

    name: str
    wall: float
    alone: float
    cpu: float
    thread: float


class Baton:
    """In one of the processes: ends its turns."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._began = (0.0, 0.0, 0.0, 0.0)

    def begin(self) -> None:
        """What comes before is not timed. Waits for the first turn."""
        self._wait(None)

    def next(self, name: str) -> None:
        """Ends a turn, names what was done in it, and waits for the next one."""
        wall, waited, cpu, thread = np.subtract(_clocks(), self._began).tolist()
        self._wait(Turn(name, wall, wall - waited, cpu, thread))

    def _wait(self, message: Turn | None) -> None:
        self._pipe.send(message)
        self._pipe.recv()
        self._began = _clocks()


def _clocks() -> tuple[float, float, float, float]:
    """Seconds: the wall's, what this thread waited for a core, CPU time, and that of this thread."""
    try:
        with open("/proc/thread-self/schedstat") as file:
            waited = int(file.read().split()[1]) / 1e9
    except OSError:
        waited = 0.0
    return time.perf_counter(), waited, time.process_time(), time.thread_time()


class Processes:
    """So many processes, which take turns.

    ::

        with Processes(2) as processes:
            turns, results = processes.run([work, other_work])
    """

    def __init__(self, count: int) -> None:
        context = get_context("spawn")
        self._pipes: list[Connection] = []
        self._processes: list[Any] = []
        for _ in range(count):
            pipe, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs,), daemon=True)
            process.start()
            theirs.close()  # so that we are told when the process has died
            self._pipes.append(pipe)
            self._processes.append(process)
        self._order = np.random.default_rng(0)

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
            process.join()

    def run(self, works: Sequence[Callable[[Baton], Any]]) -> tuple[list[list[Turn]], list[Any]]:
        """Has each process do one piece of work, in as many turns, in another order every time.

        Args:
            works: one for each process, picklable; called with its baton.

        Returns:
            Of each process its turns, and what the work returned.

        Raises:
            RuntimeError: a work failed, or they did not take the same turns.
        """
        for index, work in enumerate(works):
            self._turn(index, work)
        turns: list[list[Turn]] = [[] for _ in works]
        while True:
            said = {int(index): self._turn(int(index), "go") for index in self._order.permutation(len(works))}
            if not all(isinstance(turn, Turn) for turn in said.values()):
                break
            for index, turn in said.items():
                turns[index].append(turn)
            if len({turn.name for turn in said.values()}) > 1:
                raise RuntimeError(f"not the same turns: {said}")
        if any(isinstance(result, Turn) for result in said.values()):
            raise RuntimeError(f"one had more turns than another: {said}")
        return turns, [said[index].result for index in range(len(works))]

    def _turn(self, index: int, message: Callable[[Baton], object] | str) -> Turn | _Done:
        """Has one process run until it waits again."""
        process = self._processes[index]
        self._pipes[index].send(message)
        os.kill(process.pid, signal.SIGCONT)
        try:
            said: Turn | _Done | _Failed = self._pipes[index].recv()
        except EOFError as error:
            raise RuntimeError(f"a process ended with {process.exitcode}") from error
        os.kill(process.pid, signal.SIGSTOP)
        if isinstance(said, _Failed):
            raise RuntimeError(said.reason)
        return said


@dataclass(frozen=True)
class _Done:
    result: Any


@dataclass(frozen=True)
class _Failed:
    reason: str


def _work(pipe: Connection) -> None:
    """In a process: one work after the other, until it is killed."""
    # A group of its own: when a shell leaves a group behind that holds stopped processes, the system ends
    # that group; so it ends this one when the process that started it has died.
    os.setpgrp()
    # Bytecode is kept, as where packages are installed: else what is imported amid the turns is compiled.
    sys.dont_write_bytecode = False
    while True:
        try:
            said: _Done | _Failed = _Done(pipe.recv()(Baton(pipe)))
        except EOFError:  # nobody is there any more
            return
        except Exception:
            said = _Failed(traceback.format_exc())
        pipe.send(said)


# -- what the turns tell --------------------------------------------------------------------------


def totals(ours: ArrayLike, base: ArrayLike) -> tuple[float, float, float]:
    """How many times ``base`` ours took in all, and the ends of a 95 % interval.

    Args:
        ours: seconds, (runs, turns).
        base: the same of what they are compared to. The interval is a bootstrap's over the runs, since
            each has its own place in memory, and over the turns within them.
    """
    ours, base = np.asarray(ours), np.asarray(base)
    drawn = _drawn(*ours.shape)
    ratios = ours[drawn].sum(axis=(1, 2)) / base[drawn].sum(axis=(1, 2))
    return float(ours.sum() / base.sum()), *np.quantile(ratios, INTERVAL).tolist()


def paired(ours: ArrayLike, base: ArrayLike) -> tuple[float, float, float]:
    """The median of the turns' own ratios, and the ends of a 95 % interval; arguments as of `totals`."""
    ratios = np.divide(ours, base)
    drawn = np.median(ratios[_drawn(*ratios.shape)].reshape(RESAMPLES, -1), axis=1)
    return float(np.median(ratios)), *np.quantile(drawn, INTERVAL).tolist()


def _drawn(runs: int, turns: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of (resamples, runs, turns): runs drawn anew, and turns of each."""
    rng = np.random.default_rng(0)
    which = rng.integers(0, runs, (RESAMPLES, runs, 1))
    return which, rng.integers(0, turns, (RESAMPLES, runs, turns))
