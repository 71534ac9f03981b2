"""`Pace`: validation by seconds of training, to compare runs whose steps take different times."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from vizkit._checks import finite_number
from vizkit.errors import DataError
from vizkit.hooks._fit.callback_logs import Logs
from vizkit.hooks._model_call import ModelCall, current_call
from vizkit.hooks._paddle import paddle
from vizkit.hooks.steering.validation import LoadedBatch, ValidateEvery

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["Pace"]

_PATH = "pace"
_STEP = "pace/step"


class Pace(ValidateEvery):
    """A callback that validates every so many seconds of training, and records at these seconds.

    ::

        for size in (32, 128, 512):
            with vizkit.Tracker(f"log/batch{size}", hparams={"batch size": size}) as tracker:
                pace = Pace(10, batches=20, tracker=tracker)
                model.fit(data, eval_data, batch_size=size, callbacks=[tracker.callback(), pace])

    So runs whose steps or epochs take different times, as with other batch sizes, are compared after
    equal times. ``pace/loss``, ``pace/acc`` and so on have the seconds as their step (VisualDL's page shows
    whole ones), and ``pace/step`` holds the step of the training. The end of a training is validated, too.

    Seconds of training are those in which batches are loaded and trained: validation, recording and
    other callbacks do not count. In your own loop they are those between two calls of `update`, and
    the first ones begin when this is made. They go on in another ``fit`` and in a resumed run.

    Validation does not change the training, as for `ValidateEvery`. Ranks other than 0 do nothing.

    Args:
        seconds: seconds of training from one validation to the next, more than 0.
        data, batches, batch_size, network, loss, metrics, tracker: as for `ValidateEvery`.

    Attributes:
        elapsed: seconds of training so far.
        last: the numbers of the last validation by tag.

    Raises:
        DataError: an argument out of range; no data, or data that can be read only once.
    """

    def __init__(
        self,
        seconds: float = 10.0,
        data: paddle.io.Dataset | paddle.io.DataLoader | Iterable[LoadedBatch] | None = None,
        batches: int | None = None,
        *,
        batch_size: int = 64,
        network: paddle.nn.Layer | None = None,
        loss: Callable[..., object] | None = None,
        metrics: Sequence[paddle.metric.Metric] = (),
        tracker: Tracker | None = None,
    ) -> None:
        finite_number("seconds", seconds, above=0)
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
        self.elapsed = max(float(self._tracker.writer.last_step_of(_STEP)), 0.0)
        self._before = self.elapsed  # in earlier trainings
        self._validated_step = -1
        self._call: ModelCall | None = None
        self._left = time.perf_counter()

    def update(self, step: int) -> dict[str, float] | None:
        """Validate if it is time, in your own loop. Call it after each batch.

        Args:
            step: the step of the batch.

        Returns:
            tag -> number; None if it was not time, or if it failed with a warning.

        Raises:
            DataError: no network was given.
        """
        if self._network is None:
            raise DataError("there is no network to validate: pass network=")
        found = self._pass(step, self.elapsed + time.perf_counter() - self._left)
        self._left = time.perf_counter()
        return found

    def set_model(self, model: paddle.Model) -> None:
        """Take the model that ``fit`` is called on."""
        super().set_model(model)
        with self._guard(_PATH):
            current_call(model)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Read the batches.

        Raises:
            DataError: there are none.
        """
        super().on_train_begin(logs)
        self._before = self.elapsed
        self._validated_step = self._steps.next - 1
        with self._guard(_PATH):
            self._call = current_call(self.model)

    def on_train_batch_end(self, step: int, logs: Logs | None = None) -> None:
        """Validate if it is time."""
        self._steps.advance()
        if self._call is not None:
            self._pass(self._steps.current, self._before + self._call.seconds)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Validate the end, and release the batches."""
        if self._steps.current > self._validated_step:
            self._validated(self._steps.current)
        self._call = None
        super().on_train_end(logs)

    def _pass(self, step: int, elapsed: float) -> dict[str, float] | None:
        """Validate after a batch if it is time, after so many seconds of training."""
        due = math.floor(elapsed / self._seconds) > math.floor(self.elapsed / self._seconds)
        self.elapsed = elapsed
        return self._validated(step) if due else None

    def _validated(self, step: int) -> dict[str, float] | None:
        self._validated_step = step
        if not self._tracker.enabled:
            return None
        scalars = self._validate()
        if not scalars:
            return None
        with self._guard(_PATH):
            # Not by the tracker, whose clock counts steps.
            self._tracker.writer.add_metrics({**scalars, _STEP: step}, self.elapsed)
        return scalars
