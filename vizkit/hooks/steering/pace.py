"""`Pace`: how good the network is after so many seconds of training, whatever a step costs."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.hooks._model_call import ModelCall, current_call
from vizkit.hooks.steering.validation import ValidateEvery

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["Pace"]

_PATH = "pace"
_STEP = "pace/step"


class Pace(ValidateEvery):
    """Validates every so many seconds of training, and records against these seconds.

    ::

        for size in (32, 128, 512):
            with vizkit.Tracker(f"log/batch{size}", hparams={"batch size": size}) as tracker:
                pace = Pace(10, batches=20, tracker=tracker)
                model.fit(data, eval_data, batch_size=size, callbacks=[tracker.callback(), pace])

    So runs whose steps or epochs take different times, as with other batch sizes, are compared after
    equal times. ``pace/loss``, ``pace/acc`` and so on have the seconds as their step (VisualDL's page shows
    whole ones), and ``pace/step`` tells which step of the training it was. The end of a training is
    validated, too.

    Seconds of training are those in which batches are loaded and trained: validation, recording and
    other callbacks do not count. In a loop of one's own they are those between two calls of `update`,
    and the first ones begin when this is made. They go on in another ``fit`` and in a resumed run.

    Validation is `ValidateEvery`'s: training does not notice. On ranks other than 0 nothing is done.

    Args:
        seconds: of training from one validation to the next, more than 0.
        data: as for `ValidateEvery`, and so all that follows.
        batches: how many of the first batches; None: all.
        batch_size: of a ``Dataset``.
        network: what is evaluated, in a loop of one's own.
        loss: its loss function; None: only metrics.
        metrics: its ``paddle.metric.Metric``.
        tracker: what records; None: nothing is recorded.

    Attributes:
        elapsed: seconds of training so far.
        last: what the last validation gave, tag -> number.

    Raises:
        DataError: an argument out of range; no data, or data that can be read only once.
    """

    def __init__(
        self,
        seconds: float = 10.0,
        data: Any = None,
        batches: int | None = None,
        *,
        batch_size: int = 64,
        network: Any = None,
        loss: Any = None,
        metrics: Sequence[Any] = (),
        tracker: Tracker | None = None,
    ) -> None:
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds < math.inf:
            raise DataError(f"seconds must be a number above 0, got {describe(seconds)}")
        super().__init__(
            1,
            data,
            batches,
            batch_size=batch_size,
            prefix=_PATH,
            network=network,
            loss=loss,
            metrics=metrics,
            tracker=tracker,
        )
        self._seconds = seconds
        self._writer = getattr(self._tracker, "writer", None)
        last = -1 if self._writer is None else self._writer.last_step_of(_STEP)
        self.elapsed = max(float(last), 0.0)
        self._before = self.elapsed  # what other trainings took
        self._validated_step = -1
        self._call: ModelCall | None = None
        self._left = time.perf_counter()

    def update(self, step: int) -> dict[str, float] | None:
        """Validates if it is time, in a loop of one's own; called after each batch.

        Args:
            step: the batch's.

        Returns:
            tag -> number; None if it was not time, or if it failed, of which a warning tells.

        Raises:
            DataError: no network was given.
        """
        if self._network is None:
            raise DataError("what to validate is not known: pass network=")
        found = self._pass(step, self.elapsed + time.perf_counter() - self._left)
        self._left = time.perf_counter()
        return found

    def set_model(self, model: Any) -> None:
        """Takes the model that ``fit`` is called on."""
        super().set_model(model)
        with self._guard(_PATH):
            current_call(model)

    def on_train_begin(self, logs: Any = None) -> None:
        """Reads the batches.

        Raises:
            DataError: there are none.
        """
        super().on_train_begin(logs)
        self._before = self.elapsed
        self._validated_step = self._steps.next - 1
        with self._guard(_PATH):
            self._call = current_call(self.model)

    def on_train_batch_end(self, step: int, logs: Any = None) -> None:
        """Validates if it is time."""
        self._steps.advance()
        if self._call is not None:
            self._pass(self._steps.current, self._before + self._call.seconds)

    def on_train_end(self, logs: Any = None) -> None:
        """Validates the end, and lets the batches go."""
        if self._steps.current > self._validated_step:
            self._validated(self._steps.current)
        self._call = None
        super().on_train_end(logs)

    def _pass(self, step: int, elapsed: float) -> dict[str, float] | None:
        """A batch has ended, after so many seconds of training."""
        due = math.floor(elapsed / self._seconds) > math.floor(self.elapsed / self._seconds)
        self.elapsed = elapsed
        return self._validated(step) if due else None

    def _validated(self, step: int) -> dict[str, float] | None:
        self._validated_step = step
        if not getattr(self._tracker, "enabled", True):
            return None
        scalars = self._validate()
        if not scalars:
            return None
        with self._guard(_PATH):
            if self._writer is not None:  # the tracker itself would take seconds for steps
                self._writer.add_metrics({**scalars, _STEP: step}, self.elapsed)
        return scalars
