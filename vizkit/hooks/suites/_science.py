"""The ``Solver`` of PaddleScience."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vizkit._protocols import ScalarLike
from vizkit.hooks.suites._recorder import Recorder

if TYPE_CHECKING:
    from ppsci.solver import Solver

    from vizkit.tracking.tracker import Tracker

__all__ = ["paddlescience"]


def paddlescience(tracker: Tracker, solver: Solver) -> ScienceWriter:
    """Return a writer for PaddleScience: ``solver.vdl_writer = paddlescience(tracker, solver)``.

    It records what PaddleScience logs, every ``log_freq`` steps: ``train/loss`` and its terms and
    ``train/learning rate``; and of each evaluation ``eval/<validator>/<metric>``. PaddleScience numbers
    evaluations by epoch; they are recorded at the step of the last batch before them.

    Args:
        tracker: the tracker that records; it stays open.
        solver: a ``ppsci.solver.Solver``.
    """
    return ScienceWriter(Recorder(tracker), tracker, solver)


class ScienceWriter:
    """The writer that a ``Solver`` calls."""

    def __init__(self, recorder: Recorder, tracker: Tracker, solver: Solver) -> None:
        self._recorder = recorder
        self._tracker = tracker
        self._solver = solver

    def add_scalar(self, tag: str, value: ScalarLike, step: int, walltime: int | None = None) -> None:
        """Record a number, at the step of its training."""
        with self._recorder.guard("scalars"):
            name = "train/learning rate" if tag == "train/lr" else tag
            self._tracker.log({name: value}, step if tag.startswith("train/") else self._solver.global_step)

    def close(self) -> None:
        """Wait until all is in the log."""
        self._recorder.flush()
