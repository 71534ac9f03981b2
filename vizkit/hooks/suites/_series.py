"""The models of PaddleTS."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vizkit._protocols import ScalarLike
from vizkit.errors import MissingDependencyError
from vizkit.hooks.suites._recorder import Recorder

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["paddlets"]

_Logs = Mapping[str, ScalarLike | str]


def paddlets(tracker: Tracker) -> Any:  # noqa: ANN401  its own Callback
    """Return a callback for a model of PaddleTS: ``MLPRegressor(..., callbacks=[paddlets(tracker)])``.

    It records ``train/loss`` of every batch; and of every epoch ``train/learning rate``, ``train/epoch`` and
    the metrics of the data to validate, such as ``eval/val_0_mae``, at the step of its last batch.

    Args:
        tracker: the tracker that records; it stays open.

    Raises:
        MissingDependencyError: PaddleTS cannot be imported.
    """
    try:
        base: Any = importlib.import_module("paddlets.models.common.callbacks").Callback
    except ImportError as error:
        raise MissingDependencyError(
            "PaddleTS cannot be imported ({error}): pip install paddlets", error=error
        ) from error
    recorder = Recorder(tracker)
    step = tracker.step

    class TrackerCallback(base):
        def on_batch_end(self, batch: int, logs: _Logs | None = None) -> None:
            nonlocal step
            with recorder.guard("train scalars"):
                if logs and "loss" in logs:
                    recorder.scalars({"loss": logs["loss"]}, step)
            step += 1

        def on_epoch_end(self, epoch: int, logs: _Logs | None = None) -> None:
            with recorder.guard("scalars of an epoch"):
                found = dict(logs or {})
                found.pop("loss", None)  # the mean of the batches
                numbers: dict[str, ScalarLike | str] = {"epoch": epoch}
                if "lr" in found:
                    numbers["learning_rate"] = found.pop("lr")
                numbers |= {f"eval_{name}": value for name, value in found.items()}
                recorder.scalars(numbers, max(step - 1, 0))

        def on_train_end(self, logs: _Logs | None = None) -> None:
            recorder.flush()

    return TrackerCallback()
