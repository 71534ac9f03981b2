"""The ``Engine`` of PaddleClas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vizkit._protocols import ScalarLike
from vizkit.hooks.suites._recorder import Recorder

if TYPE_CHECKING:
    from ppcls.engine.engine import Engine

    from vizkit.tracking.tracker import Tracker

__all__ = ["paddleclas"]


def paddleclas(tracker: Tracker, engine: Engine) -> ClasWriter:
    """Return a writer for PaddleClas: ``engine.vdl_writer = paddleclas(tracker, engine)``.

    It records ``train/loss``, ``train/<metric>``, ``train/learning rate`` and ``eval/acc``, and the
    config as hyper-parameters. PaddleClas numbers evaluations by epoch; they are recorded at the step
    of the last batch before them. A resumed training goes on with the steps of the resumed run.

    Args:
        tracker: the tracker that records; it stays open.
        engine: a ``ppcls.engine.engine.Engine`` of mode ``train``. Its own writer is closed.
    """
    recorder = Recorder(tracker)
    with recorder.guard("hyper-parameters"):
        recorder.settings(engine.config, ["eval_acc"])
    if engine.vdl_writer is not None:
        engine.vdl_writer.close()
    return ClasWriter(recorder, engine, tracker.step)


class ClasWriter:
    """The writer that an ``Engine`` of PaddleClas calls."""

    def __init__(self, recorder: Recorder, engine: Engine, first: int) -> None:
        self._recorder = recorder
        self._engine = engine
        self._first = first

    def add_scalar(self, tag: str, value: ScalarLike, step: int, walltime: int | None = None) -> None:
        """Record a number, by PaddleClas's name and at the step of its training."""
        with self._recorder.guard("scalars"):
            name = tag.removeprefix("train_")
            if name.startswith("lr("):
                several = len(self._engine.lr_sch) > 1
                name = "learning rate" + (f"/{name[3:-1]}" if several else "")
            # The engine counts batches from 0 again when a training is resumed.
            self._recorder.scalars({name: value}, self._first + self._engine.global_step - 1)

    def close(self) -> None:
        """Wait until all is in the log."""
        self._recorder.flush()
