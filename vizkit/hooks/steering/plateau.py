"""`HalveOnPlateau`: a learning rate that halves whenever training stalls."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from vizkit._checks import describe, fraction
from vizkit._language import tr
from vizkit.errors import DataError
from vizkit.hooks._paddle import paddle
from vizkit.hooks.steering._stall import Mode
from vizkit.hooks.steering._steering import Steering

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["HalveOnPlateau", "ScaledRate"]

_ROUNDING = 1e-9


class HalveOnPlateau(Steering):
    """A callback that halves the learning rate when a metric stalls, and stops at the smallest.

    ::

        model.fit(data, eval_data, epochs=100, callbacks=HalveOnPlateau("eval/loss", patience=3))

        halve = HalveOnPlateau("eval/loss", patience=3, optimizer=optimizer)  # in your own loop
        ...
        if halve.update(loss, step):
            break

    A float rate is halved by ``optimizer.set_lr``. A scheduler goes on as it was, its steps and its state
    untouched, and the optimizer gets its rate times 1/2, 1/4 and so on (see `ScaledRate`): that is right
    for every schedule, also for those whose rates stand in a list or follow from the last one.

    The training goes on at the smallest rate until the metric stalls once more. A second ``fit`` goes on
    with the last rate of the first; `undo` gives the first rate back. Each evaluation records the scalars
    ``steering/learning rate/scale`` (relative to the first rate) and ``.../waited`` (evaluations without
    improvement), and each decision the text ``steering/learning rate``.

    Args:
        monitor: ``eval/loss``, ``train/loss``, ...; ``loss`` alone is ``eval/loss``. In your own loop any
            name.
        patience: after how many evaluations without improvement to halve.
        min_delta: an improvement must be greater than this.
        factor: the factor that the rate is multiplied by, in (0, 1).
        smallest: the smallest rate as a fraction of the first, in (0, 1).
        mode: ``"min"`` if lower is better, ``"max"``, or ``"auto"``: by the metric's name.
        window: the mean of so many evaluations has to improve.
        optimizer: the optimizer, in your own loop.
        tracker: the tracker that records; None: nothing is recorded.

    Raises:
        DataError: an argument out of range; a metric whose name does not say which way is better; when
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
        optimizer: paddle.optimizer.Optimizer | None = None,
        tracker: Tracker | None = None,
    ) -> None:
        if patience is None:
            raise DataError("patience must be a whole number of evaluations, 1 or more, got None")
        super().__init__(monitor, patience, min_delta=min_delta, window=window, mode=mode, tracker=tracker)
        self._factor = fraction("factor", factor)
        self._smallest = fraction("smallest", smallest)
        self._scale = 1.0
        self._optimizer: paddle.optimizer.Optimizer | None = None
        if optimizer is not None:
            self._take(optimizer)

    @property
    def scale(self) -> float:
        """The factor by which the first rate, or the schedule, is multiplied now."""
        return self._scale

    def undo(self) -> None:
        """Give the optimizer its first rate, or its own schedule, back."""
        optimizer = self._optimizer
        if optimizer is not None:
            rate = optimizer._learning_rate
            if isinstance(rate, ScaledRate):
                optimizer.set_lr_scheduler(rate.schedule)
            elif self._scale != 1:
                optimizer.set_lr(optimizer.get_lr() / self._scale)
        self._scale = 1.0

    def begin(self, *, fed: bool) -> None:
        """Start anew, at the optimizer's current rate."""
        if self.model._optimizer is not self._optimizer:
            self._take(self.model._optimizer)
        super().begin(fed=fed)

    def _take(self, optimizer: paddle.optimizer.Optimizer) -> None:
        if not hasattr(optimizer, "set_lr") or not hasattr(optimizer, "_learning_rate"):
            raise DataError(
                "only the learning rate of a paddle.optimizer can be halved, got {optimizer}",
                optimizer=describe(optimizer),
            )
        if not paddle.in_dynamic_mode():
            raise DataError("a learning rate is halved in dynamic mode: call paddle.disable_static() first")
        self._optimizer = optimizer
        self._scale = 1.0

    def _decide(self, value: float, step: int, better: bool) -> str:
        if self._optimizer is None:
            raise DataError("there is no optimizer whose learning rate to halve: pass optimizer=")
        reason = ""
        if self._stall.stalled:
            if self._scale * self._factor < self._smallest * (1 - _ROUNDING):
                reason = tr(
                    "{why}, and the learning rate is {share} of the first",
                    why=self._stalled(),
                    share=_text(self._scale),
                )
            else:
                why = self._stalled()
                self._reduce(self._optimizer)
                rate, share = self._optimizer.get_lr(), _text(self._scale)
                self._say(
                    tr(
                        "learning rate {rate:.4g} from step {step} on, {share} of the first: {why}",
                        rate=rate,
                        step=step,
                        share=share,
                        why=why,
                    ),
                    step,
                )
        self._record({"scale": self._scale, "waited": self._stall.waited}, step)
        if self._stall.stalled and not reason:
            self._stall.restart()
        return reason

    def _reduce(self, optimizer: paddle.optimizer.Optimizer) -> None:
        self._scale *= self._factor
        rate = optimizer._learning_rate
        if isinstance(rate, ScaledRate):
            rate.scale *= self._factor
        elif isinstance(rate, paddle.optimizer.lr.LRScheduler):
            optimizer.set_lr_scheduler(ScaledRate(rate, self._factor))
        else:
            optimizer.set_lr(optimizer.get_lr() * self._factor)


class ScaledRate(paddle.optimizer.lr.LRScheduler):
    """A schedule's rate times a factor. Stepping this steps the schedule.

    Its state is the schedule's: a checkpoint loads with and without it, and does not hold ``scale``.
    """

    def __init__(self, schedule: paddle.optimizer.lr.LRScheduler, scale: float) -> None:
        # Not super().__init__(), which would step.
        self.schedule = schedule
        self.scale = scale

    def __call__(self) -> float:
        """Return the current rate."""
        return float(self.schedule() * self.scale)

    @property
    def last_lr(self) -> float:
        """The current rate, as an attribute like a schedule's."""
        return self()

    def get_lr(self) -> float:
        """Return the rate, computed anew."""
        return float(self.schedule.get_lr() * self.scale)

    def step(self, *args: object, **kwargs: object) -> None:
        """Step the schedule."""
        self.schedule.step(*args, **kwargs)

    def state_dict(self) -> dict[str, object]:
        """Return the schedule's state."""
        state: dict[str, object] = self.schedule.state_dict()
        return state

    def set_state_dict(self, state_dict: Mapping[str, object]) -> None:
        """Load the schedule's state."""
        self.schedule.set_state_dict(state_dict)

    set_dict = set_state_dict

    def __getattr__(self, name: str) -> object:
        if name == "schedule":  # a copy in the making
            raise AttributeError(name)
        return getattr(self.schedule, name)


def _text(scale: float) -> str:
    exact = Fraction(scale)
    return str(exact) if exact.denominator <= 1 << 20 else f"{scale:.4g}"
