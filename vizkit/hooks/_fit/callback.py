"""The callback for `paddle.Model`: what ``fit`` and ``evaluate`` do, on one step clock."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from vizkit._checks import checked_class_names
from vizkit.format.tags import EPOCH
from vizkit.hooks._distributed import RankCallback, reduced
from vizkit.hooks._fit.batch import Batch, capture_next
from vizkit.hooks._fit.eval_images import EvalImages
from vizkit.hooks._fit.evaluating import Evaluating
from vizkit.hooks._fit.fitting import Fitting, current_fitting, trains_alone
from vizkit.hooks._fit.logs import metric_scalars
from vizkit.hooks._fit.samples import Display, checked_count, looks_like_images, record_samples, samples_of
from vizkit.hooks._fit.steps import Steps
from vizkit.hooks._guard import Guard
from vizkit.hooks._network.model_summary import record_summary
from vizkit.hooks._network.saving import log_model, record_graph
from vizkit.hooks._paddle import paddle
from vizkit.hooks._spacing import Spacing
from vizkit.hooks._watch.tensors import record_histograms

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["TrackerCallback", "callback"]

_RATE = "train/learning rate"


def callback(
    tracker: Tracker,
    *,
    weights_every: int | Literal["auto"] | None = "auto",
    images: int = 9,
    images_every: int | None = 100,
    samples: Sequence[int] | None = None,
    worst: int | None = None,
    curves: bool = True,
    class_names: Sequence[str] | None = None,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    graph: bool = True,
    save_model: bool = False,
    reduce: bool = False,
) -> TrackerCallback:
    """A callback that records what ``paddle.Model.fit``, ``evaluate`` and ``predict`` do.

    In Paddle's static mode scalars are all that is recorded.

    When ``fit`` ends with an error or by Ctrl-C, the run is marked as failed or interrupted and all
    that was recorded is in the log; the exception passes through. Another ``fit`` goes on in the run.

    Steps start at 0 and grow by one a batch, over epochs, over several ``fit`` and over resumed
    runs. An evaluation is recorded at the step of the last batch that was trained before it. The time
    of a step goes from batch to batch, without what callbacks do: recording, validation, printing.

    ==============================  =========================================  ========================
    tag                             what                                       when
    ==============================  =========================================  ========================
    ``train/<metric>``              loss, and metrics as Paddle logs them      every batch
    ``train/learning rate``         that the batch was trained with            every batch
    ``train/epoch``                 as Paddle counts, from 0 in every ``fit``  every batch
    ``train/step time ms``          with the data's loading                    every batch
    ``train/samples per second``    batch size over step time                  every batch
    ``eval/<metric>``               loss (mean over all samples), metrics      every evaluation
    ``eval/pr``, ``eval/roc``       curves of each class (up to 20), and of    every evaluation
                                    all as one
    ``eval/ap``, ``eval/auc``       the areas under them, and their means      every evaluation
    ``eval/confusion``              the confusion matrix                       every evaluation
    ``eval/reliability``, ``ece``   see `Tracker.curves`                       every evaluation
    ``train/input``                 the batch's first images, with label       ``images_every`` steps
                                    and prediction
    ``eval/samples``                the ``samples``, likewise                  every evaluation
    ``eval/worst mistakes``         the ``worst``, by their loss               every evaluation
    ``weights/<parameter>``         histogram, unless `watch` records them     start, spaced, end
    ``model/summary``, graph        layers, output shapes, parameters          once, at the first batch
    ``predict/samples per second``  with the data's loading                    every prediction
    ==============================  =========================================  ========================

    A loss or metric of several numbers is recorded as ``.../0``, ``.../1`` and so on; of several
    losses ``train/loss`` is the sum, which is what training minimises.

    Args:
        tracker: what records. On other ranks than 0 the callback does nothing.
        weights_every: how many steps apart weights are recorded; ``"auto"``: 100, and further
            where that would take more than 1 % of the time; None: never.
        images: how many images of a batch are recorded.
        images_every: how many steps apart that is, if inputs look like images (NCHW or NHWC of 1, 3
            or 4 channels); None: never.
        samples: indices of samples of the evaluation's data to record at every evaluation.
        worst: how many of those that a classifier is most wrong about to record at every evaluation.
        curves: whether to record curves, confusions and reliability, if the network is a classifier:
            whole-numbered labels of shape (n,) or (n, 1) for outputs of shape (n, c), or labels of 0
            and 1 in the shape of the outputs. The first output and label count.
        class_names: what the classes are called in tags and captions; by default their numbers.
        mean: what was subtracted from the images when they were normalised, for their display.
        std: what they were divided by.
        graph: whether to record the network's graph and summary. That waits while other threads train
            too, and is left out in a thread other than the main one: Paddle could crash.
        save_model: whether to save the network for inference when training ends.
        reduce: whether loss and metrics are the means over the ranks of a distributed training, and not
            rank 0's own; then the callback is to be given on all ranks. (Metrics of an evaluation always
            are over all ranks: Paddle sees to that.)

    Returns:
        A ``paddle.callbacks.Callback``. It raises into training only if ``tracker.strict``.

    Raises:
        DataError: a bad ``weights_every``, ``images_every`` or ``class_names``.
    """
    if not tracker.enabled:
        return RankCallback(tracker) if reduce else paddle.callbacks.Callback()
    return TrackerCallback(
        tracker,
        weights=Spacing(weights_every, "weights_every"),
        images=Spacing(images_every, "images_every"),
        image_count=checked_count(images, "images"),
        samples=samples,
        worst=worst,
        curves=curves,
        class_names=checked_class_names(class_names),
        normalised=(mean, std),
        graph=graph,
        save_model=save_model,
        reduce=reduce,
    )


class TrackerCallback(paddle.callbacks.Callback):  # type: ignore[misc]
    """What `callback` returns: translates Paddle's events into records."""

    def __init__(
        self,
        tracker: Tracker,
        *,
        weights: Spacing,
        images: Spacing,
        image_count: int,
        samples: Any,
        worst: Any,
        curves: bool,
        class_names: list[str] | None,
        normalised: tuple[Any, Any],
        graph: bool,
        save_model: bool,
        reduce: bool,
    ) -> None:
        super().__init__()
        self._tracker = tracker
        self._weights = weights
        self._images = images
        self._image_count = image_count
        self._display = Display(class_names, *normalised)
        self._graph = graph
        self._save_model = save_model
        self._reduce = reduce
        self._guard = Guard(tracker)
        self._evaluating = Evaluating(
            tracker,
            self._guard,
            EvalImages(tracker, self._guard, samples, worst, self._display),
            curves=curves,
            class_names=class_names,
            of_ranks=self._of_ranks,
        )
        self._dynamic = True
        self._steps = Steps(tracker)
        self._fitting: Fitting | None = None
        self._epoch = 0
        self._rate: float | None = None
        self._weights_step = -1
        self._batch: Batch | None = None
        self._predicted = (0, 0.0)  # samples, and when it began

    # -- training ---------------------------------------------------------------------------------

    def set_model(self, model: Any) -> None:
        """Takes the model that ``fit``, ``evaluate`` or ``predict`` is called on."""
        super().set_model(model)
        with self._guard("how training ends"):
            current_fitting(model)

    def on_train_begin(self, logs: Any = None) -> None:
        """Sets the clock, and records the weights that training starts from.

        Raises:
            DataError: what is to be recorded of the evaluation's data is not there.
        """
        self._evaluating.check(self.model)
        with self._guard("training steps"):
            self._begin()
            self._steps.begin(self._metrics())
        self._fitting = self._mark_failure()
        if self._weights.on and self._dynamic:
            self._record_weights(self._steps.next)

    def _mark_failure(self) -> Fitting | None:
        """Has the run marked if the call that begins fails; one within a ``fit`` is that one's."""
        with self._guard("how training ends"):
            call = current_fitting(self.model)
            if self._fitting is None or not self._fitting.runs:
                if call is not None:
                    call.on_error(self._failed)
                self._tracker.go_on()
            return call
        return None

    def _failed(self, error: BaseException) -> None:
        self._forget_batch()
        self._tracker.fail(error)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Notes the epoch."""
        self._epoch = epoch

    def on_train_batch_begin(self, step: int, logs: Any = None) -> None:
        """Notes the learning rate, and looks at the batch if something of it is recorded."""
        with self._guard(_RATE):
            # At the batch's end, a scheduler may have moved on.
            get_rate = getattr(self.model._optimizer, "get_lr", None)
            self._rate = None if get_rate is None else get_rate()
        if self._graph or self._images.due(self._steps.next) or self._batch is not None:
            with self._guard("input images"):
                self._forget_batch()
                if self._dynamic and (self._traces() or self._images.due(self._steps.next)):
                    self._batch = capture_next(self.model, "train")

    def on_train_batch_end(self, step: int, logs: Any = None) -> None:
        """Records the batch."""
        step = self._steps.next
        self._steps.advance()
        with self._guard("train scalars"):
            scalars = self._of_ranks(metric_scalars("train", logs, self._metrics()))
            scalars[EPOCH] = self._epoch
            if self._rate is not None:
                scalars[_RATE] = self._rate
            if self._fitting is not None and (seconds := self._fitting.batch_seconds):
                scalars["train/step time ms"] = seconds * 1000
                scalars["train/samples per second"] = (logs or {}).get("batch_size", 0) / seconds
            self._tracker.log(scalars, step)
        batch, self._batch = self._batch, None
        if batch is not None:
            self._record_batch(batch, step)
        if self._dynamic and self._weights.due(step) and step != self._weights_step:
            self._record_weights(step)

    def on_train_end(self, logs: Any = None) -> None:
        """Records the final weights, and waits until all is in the log."""
        step = self._steps.next - 1
        if self._dynamic and self._weights.on and step > self._weights_step:
            self._record_weights(step)
        if self._save_model:
            with self._guard("inference model"):
                log_model(self._tracker, self.model)
        with self._guard("the log"):
            self._tracker.flush()

    def _record_batch(self, batch: Batch, step: int) -> None:
        if self._images.due(step):
            with self._guard("input images"):
                if looks_like_images(batch):
                    shown = samples_of(batch, range(min(self._image_count, len(batch.inputs[0]))))
                    record_samples(self._tracker, "train/input", shown, step, self._display)
        if self._traces():
            self._graph = False
            with self._guard("graph"):
                record_graph(self._tracker, self.model, batch.inputs)
            with self._guard("summary"):
                record_summary(self._tracker, self.model.network, batch.inputs)

    def _traces(self) -> bool:
        return self._graph and trains_alone()

    def _record_weights(self, step: int) -> None:
        self._weights_step = step
        if any(watch.records_weights_of(self.model.network) for watch in self._tracker.watches):
            return
        with self._guard("weights"), self._weights.timed():
            record_histograms(self._tracker, "weights", dict(self.model.network.named_parameters()), step)

    def _begin(self) -> None:
        self._forget_batch()
        self._dynamic = paddle.in_dynamic_mode()
        if not self._dynamic:
            # There, even reading a weight would add operators to the program.
            what = "weights, images, curves and graph"
            self._guard.warn(what, "Paddle is in static mode; call paddle.disable_static() first")

    def _forget_batch(self) -> None:
        """Drops a batch that did not get to its end."""
        if self._batch is not None:
            self._batch.cancel()
            self._batch = None

    def _of_ranks(self, scalars: dict[str, Any]) -> dict[str, Any]:
        return reduced(scalars, "mean", self._guard.warn) if self._reduce else scalars

    def _metrics(self) -> list[str]:
        return list(self.params.get("metrics") or ())

    # -- evaluation -------------------------------------------------------------------------------

    def on_eval_begin(self, logs: Any = None) -> None:
        """Starts to gather.

        Raises:
            DataError: what is to be recorded of the data is not there.
        """
        self._evaluating.check(self.model)
        self._mark_failure()
        self._begin()
        self._evaluating.begin(self.model, logs)

    def on_eval_batch_begin(self, step: int, logs: Any = None) -> None:
        """Looks at the batch if its scores or images are wanted."""
        with self._guard("curves"):
            self._forget_batch()
            if self._evaluating.wants(step):
                self._batch = capture_next(self.model, "eval")

    def on_eval_batch_end(self, step: int, logs: Any = None) -> None:
        """Gathers the batch."""
        batch, self._batch = self._batch, None
        self._evaluating.add(step, logs, batch)

    def on_eval_end(self, logs: Any = None) -> None:
        """Records the evaluation."""
        step = 0
        with self._guard("eval steps"):
            step = self._steps.last(self._metrics())
        self._evaluating.record(step, logs)

    # -- prediction -------------------------------------------------------------------------------

    def on_predict_begin(self, logs: Any = None) -> None:
        """Starts to count."""
        self._mark_failure()
        self._predicted = (0, time.perf_counter())

    def on_predict_batch_end(self, step: int, logs: Any = None) -> None:
        """Counts the batch."""
        samples, began = self._predicted
        self._predicted = (samples + int((logs or {}).get("batch_size") or 0), began)

    def on_predict_end(self, logs: Any = None) -> None:
        """Records how fast it was."""
        samples, began = self._predicted
        rate = samples / max(time.perf_counter() - began, 1e-9)
        with self._guard("predict scalars"):
            self._tracker.log({"predict/samples per second": rate}, self._steps.last(self._metrics()))
