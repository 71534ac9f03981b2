"""The base of `EarlyStop` and `HalveOnPlateau`: follows a metric, and records decisions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from vizkit._checks import describe
from vizkit._language import english, tr, trn
from vizkit._protocols import ScalarLike
from vizkit.errors import DataError
from vizkit.hooks._fit.callback_logs import Logs, batch_size, metric_scalars
from vizkit.hooks._fit.fit_evaluation import MeanLoss
from vizkit.hooks._fit.step_counter import StepCounter
from vizkit.hooks._guard import Guard
from vizkit.hooks._paddle import paddle
from vizkit.hooks.steering._stall import Mode, Stall, direction
from vizkit.metrics.arrays import to_float
from vizkit.tracking.tracker import Tracker, tracker_without_log

__all__ = ["Steering", "checked_tracker", "over_ranks"]


def checked_tracker(tracker: Tracker | None) -> Tracker:
    """Return the tracker, or for None one that writes nothing.

    Raises:
        DataError: something else, such as ``tracker.callback()``.
    """
    if tracker is None:
        return tracker_without_log("", enabled=True)
    if not hasattr(tracker, "log_text"):
        raise DataError("tracker must be a vizkit.Tracker, got {tracker}", tracker=describe(tracker))
    return tracker


class Steering(paddle.callbacks.Callback):
    """A callback that follows one metric, and decides at its evaluations whether training goes on.

    Attributes:
        monitor: the metric, with ``train/`` or ``eval/``.
        stopped: True once it decided that training should stop.
        reason: the reason, as a text; empty before.
    """

    _tag: str  # of its records

    def __init__(
        self,
        monitor: str,
        patience: int | None,
        *,
        min_delta: float,
        window: int,
        mode: Mode,
        tracker: Tracker | None,
    ) -> None:
        super().__init__()
        if not isinstance(monitor, str) or not monitor.strip("/"):
            raise DataError(
                "monitor must name a metric, such as 'eval/acc', got {monitor}", monitor=describe(monitor)
            )
        self.monitor = monitor if "/" in monitor else f"eval/{monitor}"
        self.stopped = False
        self.reason = ""
        self._phase, _, self._name = self.monitor.partition("/")
        self._rule = (direction(monitor, mode), patience, min_delta, window)
        self._min_delta = min_delta
        self._stall = Stall(*self._rule)
        self._tracker = checked_tracker(tracker)
        self._records = tracker is not None
        self._guard = Guard(self._tracker)
        self._steps = StepCounter(self._tracker)
        self._updates = 0
        self._last_step = 0  # of the last evaluation
        self._fitting = False
        self._loss = MeanLoss()

    @property
    def best(self) -> float | None:
        """The best value so far; None before the first."""
        return self._stall.best

    @property
    def best_step(self) -> int | None:
        """The step of the best value; None before the first."""
        return None if self._stall.best is None else self._stall.best_step

    def update(self, value: ScalarLike, step: int | None = None) -> bool:
        """Take the metric's value after an evaluation, and decide.

        Args:
            value: a number of Python, NumPy or Paddle. NaN counts as no improvement.
            step: the training's step; by default the tracker's clock, without one the number of the call.

        Returns:
            True if training should stop; from then on always, until `reset`.

        Raises:
            DataError: ``value`` is not one number.
        """
        if self.stopped:
            return True
        number = to_float(value)
        if step is None:
            step = self._tracker.step if self._records else self._updates
        self._updates += 1
        self._last_step = step
        better = self._stall.add(number, step)
        self.reason = self._decide(number, step, better)
        self.stopped = bool(self.reason)
        if self.stopped:
            self._say(self._stopped(), step)
        return self.stopped

    def _stopped(self) -> str:
        return tr("stopped at step {step}: {reason}", step=self._last_step, reason=self.reason)

    def reset(self) -> None:
        """Forget all evaluations, for another training; ``fit`` does so when it begins."""
        self.stopped = False
        self.reason = ""
        self._stall = Stall(*self._rule)
        self._updates = 0

    @abstractmethod
    def _decide(self, value: float, step: int, better: bool) -> str:
        """Act on an evaluation.

        Args:
            value: the metric's value.
            step: the training's step.
            better: True if the value is the best so far.

        Returns:
            The reason why training should stop; empty if it should go on.
        """

    def _stalled(self) -> str:
        """Return a sentence that the metric does not improve."""
        stall = self._stall
        best = tr("it was never finite")
        if stall.best is not None:
            best = tr("best {value:.4g} at step {step}", value=stall.best, step=stall.best_step)
        return trn(
            "{monitor} has not improved{amount} over {n} evaluation ({best})",
            "{monitor} has not improved{amount} over {n} evaluations ({best})",
            stall.waited,
            monitor=self.monitor,
            amount=tr(" by {amount:g}", amount=self._min_delta) if self._min_delta else "",
            best=best,
        )

    def _record(self, scalars: Mapping[str, float | None], step: int) -> None:
        known = {f"{self._tag}/{name}": value for name, value in scalars.items() if value is not None}
        with self._guard(self._tag):
            self._tracker.log(known, step)

    def _say(self, text: str, step: int) -> None:
        with self._guard(self._tag):
            self._tracker.log_text(self._tag, english(text), step)

    # -- within Model.fit ---------------------------------------------------------------------------

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Start anew.

        Raises:
            DataError: the metric will never be logged.
        """
        self.begin(fed=False)

    def begin(self, *, fed: bool) -> None:
        """Start anew.

        Args:
            fed: True if `ValidateEvery` passes the values.

        Raises:
            DataError: the metric will never be logged.
        """
        self._check(fed)
        self.reset()
        self._fitting = True
        self._loss = MeanLoss()
        self.model.stop_training = False  # Paddle itself never resets it
        with self._guard(self._tag):
            self._steps.begin(self.params.get("metrics") or ())

    def _check(self, fed: bool) -> None:
        names = list(self.params.get("metrics") or ())
        known = self._phase in ("train", "eval") and (
            self._name in names or ("loss" in names and self._name.startswith("loss/"))
        )
        if not known:
            logged = ", ".join(f"{phase}/{name}" for phase in ("train", "eval") for name in names)
            raise DataError(
                "monitor {monitor!r} is never logged; this model logs {names}: monitor one of these, "
                "or pass more metrics to model.prepare",
                monitor=self.monitor,
                names=logged or tr("nothing"),
            )
        if fed and self._phase != "eval":
            raise DataError("ValidateEvery measures eval/... only, not {monitor!r}", monitor=self.monitor)
        if not fed and self._phase == "eval" and self.model._test_dataloader is None:
            raise DataError(
                "monitor {monitor!r} is never logged: fit has no eval_data; pass it, or monitor train/{name}",
                monitor=self.monitor,
                name=self._name,
            )

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start a mean of the train loss."""
        if self._phase == "train":
            self._loss = MeanLoss()

    def on_train_batch_end(self, step: int, logs: Logs | None = None) -> None:
        """Count the batch."""
        self._steps.advance()
        if self._phase == "train":
            self._gather(logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Decide by the epoch's train metric."""
        if self._phase == "train":
            self._evaluated(logs)

    def on_eval_begin(self, logs: Logs | None = None) -> None:
        """Start a mean of the eval loss."""
        if self._phase == "eval":
            self._loss = MeanLoss()

    def on_eval_batch_end(self, step: int, logs: Logs | None = None) -> None:
        """Add the batch's loss to the mean; Paddle itself returns the last batch's only."""
        if self._phase == "eval":
            self._gather(logs)

    def on_eval_end(self, logs: Logs | None = None) -> None:
        """Decide by the evaluation."""
        if self._phase == "eval" and self._fitting:
            self._evaluated(logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Warn if the metric was never evaluated."""
        self._fitting = False
        if not self._updates:
            self._guard.warn(
                self._tag, tr("{monitor} was never evaluated in this training", monitor=self.monitor)
            )

    def _gather(self, logs: Logs | None) -> None:
        if self._name.startswith("loss") and logs and "loss" in logs:
            with self._guard(self.monitor):
                self._loss.add(logs["loss"], batch_size(logs, 1))

    def _evaluated(self, logs: Logs | None) -> None:
        with self._guard(self.monitor):
            scalars = self._loss.scalars(self._phase)
            scalars = {**metric_scalars(self._phase, logs, [self._name]), **scalars}
            if self.monitor not in scalars:
                raise DataError(
                    "Paddle logged {names}, and not {monitor}",
                    names=", ".join(scalars) or tr("nothing"),
                    monitor=self.monitor,
                )
            value = over_ranks(to_float(scalars[self.monitor]))
            if self.update(value, self._steps.current):
                self.model.stop_training = True


def over_ranks(value: float) -> float:
    """Return the mean over the ranks: each has seen its own part, and all have to decide alike."""
    ranks = paddle.distributed.get_world_size()
    if ranks < 2 or not paddle.distributed.is_initialized():
        return value
    total = paddle.to_tensor([value], dtype="float64")
    paddle.distributed.all_reduce(total)
    return to_float(total) / int(ranks)
