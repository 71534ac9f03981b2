"""The callbacks of ranks that record nothing themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vizkit._language import tr
from vizkit.hooks._fit.callback_logs import Logs, batch_size, metric_scalars
from vizkit.hooks._fit.fit_evaluation import MeanLoss
from vizkit.hooks._model_call import calling_callbacks
from vizkit.hooks._paddle import paddle

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["RankCallback", "TrackerCallback"]


class TrackerCallback(paddle.callbacks.Callback):
    """The type of `callback`'s callbacks; this one is for ranks that record nothing."""

    def __init__(self, tracker: Tracker) -> None:
        super().__init__()
        self.tracker = tracker

    def set_model(self, model: paddle.Model) -> None:
        """Take the model of a ``fit``, ``evaluate`` or ``predict``.

        Later callbacks of the same tracker are left out: each would record every step.
        """
        super().set_model(model)
        found = calling_callbacks()
        each = [] if found is None else found.callbacks
        mine = [k for k, one in enumerate(each) if getattr(one, "tracker", None) is self.tracker]
        mine = [k for k in mine if isinstance(each[k], TrackerCallback)]
        for place in mine[1:]:
            each[place] = paddle.callbacks.Callback()
        if mine[1:]:
            self.tracker.losses.count("a second callback", tr("the first one of this tracker records all"))

    def _metrics(self) -> list[str]:
        """The names of the loss and the metrics of a ``fit``."""
        return list(self.params.get("metrics") or ())


class RankCallback(TrackerCallback):
    """The callback of a rank that only contributes its numbers to those that rank 0 records."""

    def __init__(self, tracker: Tracker) -> None:
        super().__init__(tracker)
        self._loss = MeanLoss()
        self._has_loss = False

    def on_train_batch_end(self, step: int, logs: Logs | None = None) -> None:
        """Contribute the loss and metrics of the batch."""
        self.tracker.log(metric_scalars("train", logs, self._metrics()), reduce="mean")

    def on_eval_begin(self, logs: Mapping[str, Sequence[str]] | None = None) -> None:
        """Begin an evaluation."""
        self._loss = MeanLoss()
        self._has_loss = "loss" in ((logs or {}).get("metrics") or ())

    def on_eval_batch_end(self, step: int, logs: Logs | None = None) -> None:
        """Add the loss of the batch."""
        if self._has_loss and logs and "loss" in logs:
            self._loss.add(logs["loss"], batch_size(logs, 1))

    def on_eval_end(self, logs: Logs | None = None) -> None:
        """Contribute the mean loss over this rank's part of the data."""
        self.tracker.log(self._loss.scalars("eval"), reduce="mean")
