"""`HalveOnPlateau`: a learning rate that halves whenever training stalls."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.hooks._paddle import paddle
from vizkit.hooks.steering._stall import Mode
from vizkit.hooks.steering._steering import Steering

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["HalveOnPlateau", "ScaledRate"]

_ROUNDING = 1e-9


class HalveOnPlateau(Steering):
    """Halves the learning rate when a metric stalls; stops where it would fall below the smallest.

    ::

        model.fit(data, eval_data, epochs=100, callbacks=HalveOnPlateau("eval/loss", patience=3))

        halve = HalveOnPlateau("eval/loss", patience=3, optimizer=optimizer)  # in a loop of one's own
        ...
        if halve.update(loss, step):
            break

    With a float rate it is ``optimizer.set_lr`` that halves it. A scheduler goes on as it was, its steps
    and its state untouched, and the optimizer is handed its rate times 1/2, 1/4 and so on (see
    `ScaledRate`): that is right for every schedule, also for those whose rates stand in a list or follow
    from the last one.

    The training goes on at the smallest rate until the metric stalls once more. A second ``fit`` goes on
    with the rate that the first came to; `undo` gives the first rate back. Each evaluation records the
    scalars ``steering/learning rate/scale`` (to the first rate) and ``.../waited`` (evaluations without
    improvement), and each decision the text ``steering/learning rate``.

    Args:
        monitor: ``eval/loss``, ``train/loss``, ...; ``loss`` alone is ``eval/loss``. In a loop of one's
            own any name.
        patience: after how many evaluations without improvement to halve.
        min_delta: by how much more than that a metric has to get better to have improved.
        factor: what the rate is multiplied with, in (0, 1).
        smallest: as a share of the first rate, in (0, 1).
        mode: whether lower or higher is better; ``"auto"`` tells by the metric's name.
        window: improvement is told from the mean of so many evaluations.
        optimizer: whose rate, in a loop of one's own.
        tracker: what records; None: nothing is recorded.

    Raises:
        DataError: an argument out of range, a metric of which it is not known which way is better; when
            ``fit`` begins, a metric that will never be logged or an optimizer without a rate.
    """

    _tag = "steering/learning rate"

    def __init__(
        self,
        monitor: str,
        patience: int = 3,
        min_delta: float = 0.0,
        *,
        factor: float = 0.5,
        smallest: float = 1 / 1024,
        mode: Mode = "auto",
        window: int = 3,
        optimizer: Any = None,
        tracker: Tracker | None = None,
    ) -> None:
        if patience is None:
            raise DataError("patience must be a whole number of evaluations, 1 or more, got None")
        super().__init__(monitor, patience, min_delta=min_delta, window=window, mode=mode, tracker=tracker)
        self._factor = _share(factor, "factor")
        self._smallest = _share(smallest, "smallest")
        self._scale = 1.0
        self._optimizer: Any = None
        if optimizer is not None:
            self._take(optimizer)

    @property
    def scale(self) -> float:
        """What the first rate, or the schedule, is multiplied with by now."""
        return self._scale

    def undo(self) -> None:
        """Gives the optimizer its first rate, or its own schedule, back."""
        rate = None if self._optimizer is None else self._optimizer._learning_rate
        if isinstance(rate, ScaledRate):
            self._optimizer.set_lr_scheduler(rate.schedule)
        elif rate is not None and self._scale != 1:
            self._optimizer.set_lr(self._optimizer.get_lr() / self._scale)
        self._scale = 1.0

    def begin(self, *, fed: bool) -> None:
        """Starts anew, at the rate that the optimizer has."""
        if self.model._optimizer is not self._optimizer:
            self._take(self.model._optimizer)
        super().begin(fed=fed)

    def _take(self, optimizer: Any) -> None:
        if not hasattr(optimizer, "set_lr") or not hasattr(optimizer, "_learning_rate"):
            raise DataError(
                f"only the learning rate of a paddle.optimizer can be halved, got {describe(optimizer)}"
            )
        if not paddle.in_dynamic_mode():
            raise DataError("a learning rate is halved in dynamic mode: call paddle.disable_static() first")
        self._optimizer = optimizer
        self._scale = 1.0

    def _decide(self, value: float, step: int, better: bool) -> str:
        if self._optimizer is None:
            raise DataError("whose learning rate is not known: pass optimizer=")
        reason = ""
        if self._stall.stalled:
            if self._scale * self._factor < self._smallest * (1 - _ROUNDING):
                reason = f"{self._stalled()}, and the learning rate is {_text(self._scale)} of the first"
            else:
                why = self._stalled()
                self._reduce()
                rate, share = self._optimizer.get_lr(), _text(self._scale)
                self._say(f"learning rate {rate:.4g} from step {step} on, {share} of the first: {why}", step)
        self._record({"scale": self._scale, "waited": self._stall.waited}, step)
        if self._stall.stalled and not reason:
            self._stall.restart()
        return reason

    def _reduce(self) -> None:
        self._scale *= self._factor
        rate = self._optimizer._learning_rate
        if isinstance(rate, ScaledRate):
            rate.scale *= self._factor
        elif isinstance(rate, paddle.optimizer.lr.LRScheduler):
            self._optimizer.set_lr_scheduler(ScaledRate(rate, self._factor))
        else:
            self._optimizer.set_lr(self._optimizer.get_lr() * self._factor)


class ScaledRate(paddle.optimizer.lr.LRScheduler):
    """A schedule's rate times a number. Whoever holds the schedule, or this, steps the same schedule.

    Its state is the schedule's: a checkpoint loads with and without it, and does not hold ``scale``.

    Attributes:
        schedule: the schedule, which knows nothing of this.
        scale: the number.
    """

    def __init__(self, schedule: Any, scale: float) -> None:
        # Not super().__init__(), which would step.
        self.schedule = schedule
        self.scale = scale

    def __call__(self) -> float:
        """The rate by now."""
        return float(self.schedule() * self.scale)

    @property
    def last_lr(self) -> float:
        """The same, as an attribute like a schedule's."""
        return self()

    def get_lr(self) -> float:
        """The rate, computed anew."""
        return float(self.schedule.get_lr() * self.scale)

    def step(self, *args: Any, **kwargs: Any) -> None:
        """Steps the schedule."""
        self.schedule.step(*args, **kwargs)

    def state_dict(self) -> Any:
        """The schedule's state."""
        return self.schedule.state_dict()

    def set_state_dict(self, state_dict: Any) -> None:
        """Loads the schedule's state."""
        self.schedule.set_state_dict(state_dict)

    set_dict = set_state_dict

    def __getattr__(self, name: str) -> Any:
        if name == "schedule":  # a copy in the making
            raise AttributeError(name)
        return getattr(self.schedule, name)


def _share(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1:
        raise DataError(f"{name} must be a number between 0 and 1, got {describe(value)}")
    return float(value)


def _text(scale: float) -> str:
    fraction = Fraction(scale)
    return str(fraction) if fraction.denominator <= 1 << 20 else f"{scale:.4g}"
